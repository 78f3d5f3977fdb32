"""Grouping by keyframe, on an index made by hand."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from edgeval.media.gops import n_packets, split
from edgeval.types import PacketIndex


def index(pts: list[int], keys: list[int]) -> PacketIndex:
    times = np.array(pts, np.int64)
    return PacketIndex(
        stream=0,
        time_base=Fraction(1, 25),
        pts=times,
        dts=np.arange(len(pts), dtype=np.int64),
        key=np.isin(np.arange(len(pts)), keys),
        order=np.argsort(times),
    )


CLOSED = index([0, 1, 2, 3, 4, 5, 6, 7], keys=[0, 4])
# Decode order I0 P3 B1 B2 | I6 B4 B5 P7: frames 4 and 5 follow a keyframe they do not lean on.
OPEN = index([0, 3, 1, 2, 6, 4, 5, 7], keys=[0, 4])


def test_a_frame_is_decoded_from_the_keyframe_before_it():
    (work,) = split(CLOSED, [6])
    assert (work.key, work.last, work.wanted) == (4, 6, {6: 6})


def test_frames_of_one_group_are_one_piece_of_work():
    assert [work.wanted for work in split(CLOSED, [1, 3, 1])] == [{1: 1, 3: 3}]


def test_the_largest_piece_comes_first():
    assert [work.key for work in split(CLOSED, [0, 7])] == [4, 0]


def test_pictures_shown_before_an_open_keyframe_start_at_the_one_before():
    (work,) = split(OPEN, [4])
    assert (work.key, work.last) == (0, 5)


def test_the_open_keyframe_itself_starts_at_itself():
    (work,) = split(OPEN, [6])
    assert (work.key, work.last) == (4, 4)


def test_packets_are_counted_over_groups():
    assert n_packets(CLOSED, [1, 6]) == 2 + 3
