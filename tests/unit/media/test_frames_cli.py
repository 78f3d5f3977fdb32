"""``edgeval frames``: files, plan, exit codes."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from edgeval.cli.main import main


@pytest.fixture
def frames(monkeypatch, capsys, tmp_path: Path):
    """Run the verb in an empty folder: exit code, stdout, stderr."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["edgeval", "frames", *map(str, arguments)])
        with pytest.raises(SystemExit) as left:
            main()
        said = capsys.readouterr()
        return int(left.value.code or 0), said.out, said.err

    return run


@pytest.fixture
def clip(make_clip) -> Path:
    return make_clip("a.mp4", b_frames=3)


def test_indices_are_written_in_their_order(frames, clip, decode_all):
    code, out, _ = frames(clip, "--indices", "9,0,9", "-o", "x.npy")
    truth = decode_all(clip)
    np.testing.assert_array_equal(np.load("x.npy"), np.stack([truth[i] for i in (9, 0, 9)]))
    assert code == 0
    assert "packets" in out


def test_a_rotated_video_is_written_upright(frames, make_clip, decode_all):
    clip = make_clip("rot90.mp4", rotation=90, n=3)
    frames(clip, "--indices", "1", "-o", "x.npy")
    np.testing.assert_array_equal(np.load("x.npy")[0], np.rot90(decode_all(clip)[1]))


@pytest.mark.parametrize(
    ("asked", "indices"),
    [
        (("--times", "0,0.99,1.0"), [0, 24, 25]),
        (("--n", "3"), [0, 24, 49]),
        (("--n", "3", "--rule", "linspace_round"), [0, 24, 49]),
        (("--fps", "1", "--n", "2"), [0, 49]),
    ],
)
def test_the_plan_is_printed(asked, indices, frames, clip):
    code, out, _ = frames(clip, *asked, "-o", "x.npy")
    rows = [line.split() for line in out.splitlines() if line.startswith("         ")]
    assert code == 0
    assert [int(row[0]) for row in rows] == indices
    assert [float(row[1]) for row in rows] == [i / 25 for i in indices]


def test_a_folder_gets_pngs(frames, clip):
    code, _, _ = frames(clip, "--n", "2", "-o", "out")
    assert code == 0
    assert len(list(Path("out").glob("*.png"))) == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--n", "4", "--rule", "linspace_rund"), "did you mean linspace_round?"),
        (("--indices", "50"), "wants 0 to 49"),
        (("--indices", "1,a"), "wants whole numbers"),
        (("--times", "99"), "frame time"),
        ((), "wants one of --indices"),
        (("--indices", "1", "--n", "2"), "wants one of --indices"),
        (("--n", "0"), "--n"),
        (("--fps", "0"), "--fps"),
        (("--n", "2", "--rule", "fps"), "fps"),
        (("--fps", "2", "--rule", "nested"), "goes by --n alone"),
        (("--indices", "2", "--rule", "nested"), "goes with --n or --fps"),
    ],
)
def test_senseless_arguments_exit_2(arguments, said, frames, clip):
    code, _, err = frames(clip, *arguments, "-o", "x.npy")
    assert (code, said in err) == (2, True), err
    assert not Path("x.npy").exists()


@pytest.mark.parametrize("output", ["x.png", "no/x.npy"])
def test_an_output_that_cannot_be_exits_2(output, frames, clip):
    assert frames(clip, "--n", "2", "-o", output)[0] == 2


@pytest.mark.parametrize("output", ["x.npy", "out"])
def test_more_than_the_disk_holds_exits_2_in_one_sentence(output, frames, clip, monkeypatch):
    usage = shutil.disk_usage(".")._replace(free=200_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    code, _, err = frames(clip, "--n", "900", "-o", output)
    assert (code, err.count("\n")) == (2, 1), err
    assert "frames to write" in err
    assert "0.2 MB that are free" in err
    assert list(Path().iterdir()) == []


def test_a_refused_npy_is_refused_before_anything_is_printed(frames, clip, monkeypatch):
    usage = shutil.disk_usage(".")._replace(free=200_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    assert frames(clip, "--n", "900", "-o", "x.npy")[1] == ""
    assert frames(clip, "--n", "9", "-o", "x.npy")[0] == 0


@pytest.mark.parametrize("body", [b"", b"<html>", b"nothing of the kind" * 99])
def test_a_bad_video_exits_3_in_one_line(body, frames):
    Path("bad.mp4").write_bytes(body)
    code, out, err = frames("bad.mp4", "--n", "2", "-o", "x.npy")
    assert (code, out, err.count("\n")) == (3, "", 1)
    assert [path.name for path in Path().iterdir()] == ["bad.mp4"]


def test_a_missing_video_exits_3(frames):
    assert frames("none.mp4", "--n", "2", "-o", "x.npy")[0] == 3


def test_salvage_writes_and_says_what_is_lost(frames, make_clip):
    body = make_clip("fast.mp4", b_frames=3, mux={"movflags": "faststart"}).read_bytes()
    Path("cut.mp4").write_bytes(body[: len(body) * 3 // 4])
    assert frames("cut.mp4", "--n", "2", "-o", "x.npy")[0] == 3
    code, out, _ = frames("cut.mp4", "--n", "2", "--salvage", "-o", "x.npy")
    assert code == 0
    assert "lie beyond the end of the file" in out
    assert len(np.load("x.npy")) == 2
