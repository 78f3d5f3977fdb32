"""Frames on disk: whole or absent, in the order of the plan."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edgeval.errors import ArgumentError, VideoError
from edgeval.media.sink import npy_sink, png_sink


def image(value: int, height: int = 4) -> np.ndarray:
    return np.full((height, 6, 3), value, np.uint8)


def test_npy_has_the_plan_order_and_repeats(tmp_path: Path):
    with npy_sink(tmp_path / "a.npy", [7, 2, 7]) as out:
        out.put(2, image(2))
        out.put(7, image(7))
    assert np.load(tmp_path / "a.npy")[:, 0, 0, 0].tolist() == [7, 2, 7]


def test_npy_takes_a_strided_image(tmp_path: Path):
    tall = np.arange(72, dtype=np.uint8).reshape(4, 6, 3)
    with npy_sink(tmp_path / "a.npy", [0]) as out:
        out.put(0, np.rot90(tall))
    np.testing.assert_array_equal(np.load(tmp_path / "a.npy")[0], np.rot90(tall))


def test_npy_refuses_a_change_of_size_and_leaves_nothing(tmp_path: Path):
    def write() -> None:
        with npy_sink(tmp_path / "a.npy", [0, 1]) as out:
            out.put(0, image(0))
            out.put(1, image(1, height=5))

    with pytest.raises(VideoError, match="6x5, others are 6x4"):
        write()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("sink", "name"), [(npy_sink, "a.npy"), (png_sink, "a")])
def test_a_failure_half_way_leaves_nothing(sink, name, tmp_path: Path):
    def write() -> None:
        with sink(tmp_path / name, [0, 1]) as out:
            out.put(0, image(0))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write()
    assert list(tmp_path.iterdir()) == []


def test_a_failure_keeps_the_file_that_was_there(tmp_path: Path):
    (tmp_path / "a.npy").write_bytes(b"old")
    with pytest.raises(ZeroDivisionError), npy_sink(tmp_path / "a.npy", [0]):
        raise ZeroDivisionError
    assert (tmp_path / "a.npy").read_bytes() == b"old"


def test_a_full_disk_is_one_sentence(tmp_path: Path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("edgeval.media.sink.os.pwrite", full)
    with (
        pytest.raises(ArgumentError, match="No space left"),
        npy_sink(tmp_path / "a.npy", [0]) as out,
    ):
        out.put(0, image(0))
    assert list(tmp_path.iterdir()) == []


def test_pngs_are_named_by_place_and_frame(tmp_path: Path):
    with png_sink(tmp_path / "out", [5, 3]) as out:
        out.put(3, image(3))
        out.put(5, image(5))
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == ["00000_frame000005.png", "00001_frame000003.png"]
    with Image.open(tmp_path / "out" / names[0]) as read:
        np.testing.assert_array_equal(np.asarray(read), image(5))


def test_a_folder_with_files_is_not_written_into(tmp_path: Path):
    (tmp_path / "mine.txt").write_text("x")
    with pytest.raises(ArgumentError, match="not empty"), png_sink(tmp_path, [0]):
        pass
