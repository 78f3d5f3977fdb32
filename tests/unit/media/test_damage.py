"""Corrupt pictures: an error by default, and salvage that says what it did."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edgeval import pixels
from edgeval.errors import VideoError
from edgeval.media.claims import Claims
from edgeval.media.decode import decode
from edgeval.media.probe import probe


@pytest.fixture
def corrupt(make_clip, tmp_path: Path) -> Path:
    """Second half of the picture data overwritten here and there."""
    body = bytearray(make_clip("a.mp4", b_frames=3).read_bytes())
    rng = np.random.default_rng(3)
    start, end = len(body) // 2, body.index(b"moov") - 8
    for place in rng.integers(start, end, 200):
        body[place] ^= 0xFF
    path = tmp_path / "corrupt.mp4"
    path.write_bytes(body)
    return path


def test_corrupt_pictures_are_an_error(corrupt, plan_for):
    with pytest.raises(VideoError, match=r"is damaged.*--salvage"):
        decode(plan_for(probe(corrupt), *range(50)), shrink=pixels.to_rgb)


def test_salvage_gives_every_frame_asked_for_and_says_which_suffered(corrupt, plan_for):
    frames = decode(plan_for(probe(corrupt), *range(50)), shrink=pixels.to_rgb, salvage=True)
    assert len(frames.pixels) == 50
    assert any("frame 4" in line for line in frames.damage)
    assert not any(line.startswith("frame 0:") for line in frames.damage)


def test_sound_frames_of_a_damaged_file_are_given_plainly(corrupt, make_clip, decode_all, plan_for):
    frames = decode(plan_for(probe(corrupt), 0, 3), shrink=pixels.to_rgb)
    truth = decode_all(make_clip("a.mp4", b_frames=3))
    assert np.array_equal(frames.pixels[0], truth[0])
    assert np.array_equal(frames.pixels[1], truth[3])


def claims(owed: dict[int, int], given: list[tuple[int, float]], *, salvage: bool) -> Claims:
    return Claims(
        path=Path("a.mp4"),
        owed=owed,
        give=lambda frame, _, at_s: given.append((frame, at_s)),
        salvage=salvage,
    )


def test_a_lost_picture_is_stood_in_for_by_the_next(monkeypatch):
    given: list[tuple[int, float]] = []
    ledger = claims({10: 1, 20: 2}, given, salvage=True)
    ledger.fault("broken", None)
    ledger.show(20, object(), 2.0)
    assert given == [(2, 2.0), (1, 2.0)]
    assert ledger.damage[1] == "frame 1: lost, the picture at 2.000 s stands for it"


def test_the_last_picture_stands_for_what_never_came():
    given: list[tuple[int, float]] = []
    ledger = claims({10: 1, 20: 2}, given, salvage=True)
    ledger.show(10, object(), 1.0)
    assert ledger.settle()
    assert given == [(1, 1.0), (2, 1.0)]


def test_without_salvage_nothing_stands_in():
    given: list[tuple[int, float]] = []
    ledger = claims({10: 1, 20: 2}, given, salvage=False)
    ledger.show(10, object(), 1.0)
    assert not ledger.settle()
    assert given == [(1, 1.0)]


def test_without_salvage_a_fault_says_where():
    with pytest.raises(VideoError, match=r"a\.mp4: the video is damaged at 1\.50 s \(broken\)"):
        claims({}, [], salvage=False).fault("broken", 1.5)
