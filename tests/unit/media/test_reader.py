"""How little of a file is decoded, and what happens when it is not as its index says."""

from __future__ import annotations

from dataclasses import replace
from threading import Event

import pytest

from edgeval.media.claims import Claims
from edgeval.media.container import opened
from edgeval.media.gops import split
from edgeval.media.probe import probe
from edgeval.media.reader import OffIndexError, Reader, StoppedError


def run(info, index, frames, *, stop=None):
    """Packets decoded for ``frames``, and which came out."""
    got: list[int] = []
    with opened(info.path) as container:
        reader = Reader(info.path, index, container=container, stop=stop or Event())
        for work in split(info.index, frames):
            owed = {int(info.index.pts[p]): f for p, f in work.wanted.items()}
            claims = Claims(
                path=info.path, owed=owed, give=lambda i, *_: got.append(i), salvage=False
            )
            reader.run(work, claims)
        return reader.sent, got


def test_a_keyframe_costs_one_packet(make_clip):
    info = probe(make_clip("many.mp4", n=200, b_frames=2))
    assert run(info, info.index, [0]) == (1, [0])


def test_unreferenced_packets_are_not_decoded(make_clip):
    info = probe(
        make_clip(
            "bbb.mp4",
            b_frames=3,
            gop=40,
            options={"preset": "veryfast", "x264-params": "threads=1:b-adapt=0:b-pyramid=0"},
        )
    )
    # I then 4 x (P, B, B, B) in decode order: frame 16 is the fourth P, and needs I and 4 P only.
    assert run(info, info.index, [16]) == (5, [16])


def test_only_the_groups_of_pictures_asked_for_are_decoded(make_clip):
    info = probe(make_clip("intra12.mp4", n=48, gop=12, b_frames=0))
    sent, got = run(info, info.index, [12, 36, 38])
    assert got == [36, 38, 12]
    assert sent == 1 + 3


def test_packets_unlike_the_index_are_noticed(make_clip):
    info = probe(make_clip("many.mp4", n=200, b_frames=2))
    pts = info.index.pts.copy()
    pts[3] += 1
    with pytest.raises(OffIndexError):
        run(info, replace(info.index, pts=pts), [5])


def test_a_stopped_job_decodes_nothing(make_clip):
    info = probe(make_clip("many.mp4", n=200, b_frames=2))
    stop = Event()
    stop.set()
    with pytest.raises(StoppedError):
        run(info, info.index, [5], stop=stop)
