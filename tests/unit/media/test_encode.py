"""The H.264 writer: the same bytes, no fingerprints, whole or absent."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edgeval.errors import ArgumentError
from edgeval.media.encode import encode
from edgeval.media.probe import probe


def images(n: int = 6, height: int = 32, width: int = 48):
    rng = np.random.default_rng(0)
    return [rng.integers(0, 256, (height, width, 3), dtype=np.uint8) for _ in range(n)]


def test_the_same_images_give_the_same_bytes(tmp_path: Path):
    for name in ("a.mp4", "b.mp4"):
        encode(tmp_path / name, images(), fps=4, crf=28)
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes()


@pytest.mark.parametrize("mark", [b"x264", b"Lavf", b"Lavc"])
def test_no_version_of_the_encoder_is_in_the_file(mark: bytes, tmp_path: Path):
    encode(tmp_path / "a.mp4", images(), fps=4, crf=28)
    assert mark not in (tmp_path / "a.mp4").read_bytes()


def test_rate_count_and_size_are_as_asked(tmp_path: Path):
    encode(tmp_path / "a.mp4", images(7), fps=2.5, crf=28)
    info = probe(tmp_path / "a.mp4")
    assert (info.n_frames, info.fps, info.width, info.height) == (7, 2.5, 48, 32)
    np.testing.assert_allclose(info.pts_s, np.arange(7) / 2.5)


@pytest.mark.parametrize("colour", [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)])
def test_colours_survive(colour, tmp_path: Path, decode_all):
    image = np.full((32, 32, 3), colour, np.uint8)
    encode(tmp_path / "a.mp4", [image], fps=1, crf=4)
    back = decode_all(tmp_path / "a.mp4")[0].astype(int)
    assert np.abs(back - colour).max() <= 3


def test_an_odd_size_is_refused(tmp_path: Path):
    with pytest.raises(ArgumentError, match="both even"):
        encode(tmp_path / "a.mp4", images(width=47), fps=1, crf=20)


def test_no_image_is_refused(tmp_path: Path):
    with pytest.raises(ArgumentError, match="got no image"):
        encode(tmp_path / "a.mp4", [], fps=1, crf=20)


def test_a_change_of_size_leaves_nothing_behind(tmp_path: Path):
    with pytest.raises(ArgumentError, match="image 6"):
        encode(tmp_path / "a.mp4", [*images(), *images(height=34)], fps=1, crf=20)
    assert list(tmp_path.iterdir()) == []
