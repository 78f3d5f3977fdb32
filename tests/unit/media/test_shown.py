"""Packets that hold no picture to show, or two."""

from __future__ import annotations

import pytest

from edgeval.media.shown import shown_counter

VOP = b"\x00\x00\x01\xb6" + bytes(16)


@pytest.mark.parametrize(
    ("codec", "packet", "shown"),
    [
        ("vp8", b"\x10\x00\x00", 1),
        ("vp8", b"\x00\x00\x00", 0),
        # frame marker 10, profile 00, existing 0, type 0, show 1
        ("vp9", b"\x82\x00", 1),
        ("vp9", b"\x80\x00", 0),
        ("vp9", b"\x88\x00", 1),
        # superframe: sizes 2 and 1, one byte each; hidden then shown
        ("vp9", b"\x80\x01\x82" + b"\xc1\x02\x01\xc1", 1),
        ("vp9", b"\x80\x01\x80" + b"\xc1\x02\x01\xc1", 0),
        ("vp9", b"\x82\x01\x82" + b"\xc1\x02\x01\xc1", 2),
        ("mpeg4", VOP, 1),
        ("mpeg4", VOP + VOP, 2),
        ("mpeg4", VOP[:7], 0),
    ],
)
def test_pictures_in_a_packet(codec: str, packet: bytes, shown: int):
    counter = shown_counter(codec)
    assert counter is not None
    assert counter(packet) == shown


def test_other_codecs_are_not_asked():
    assert shown_counter("h264") is None
