"""Which packets are safe to drop, by hand-made NAL units."""

from __future__ import annotations

import pytest

from edgeval.media.nal import nonreference

AVCC = b"\x01\x64\x00\x1f\xff"
HVCC = b"\x01" + bytes(20) + bytes([0b00_001_0_11]) + b"\x00"
HVCC_LAYERS = b"\x01" + bytes(20) + bytes([0b00_011_0_11]) + b"\x00"
REF, NONREF, IDR, SEI = b"\x41\x00", b"\x01\x00", b"\x65\x00", b"\x06\x00"
# Types: TRAIL_N 0, TRAIL_R 1, RASL_N 8, CRA 21, AUD 35; header is type << 1, then layer and tid.
TRAIL_N, TRAIL_R, RASL_N, CRA, AUD = (bytes([t << 1, 1, 0]) for t in (0, 1, 8, 21, 35))


def units(*nals: bytes) -> bytes:
    return b"".join(len(nal).to_bytes(4, "big") + nal for nal in nals)


def annex_b(*nals: bytes) -> bytes:
    return b"".join(b"\x00\x00\x01" + nal + b"\xff" for nal in nals)


H264 = [
    ((NONREF,), True),
    ((SEI, NONREF), True),
    ((REF,), False),
    ((IDR,), False),
    ((NONREF, REF), False),
    ((SEI,), False),
    ((), False),
]


@pytest.mark.parametrize(("nals", "droppable"), H264)
def test_h264_in_mp4(nals, droppable):
    assert nonreference("h264", AVCC)(units(*nals)) is droppable


@pytest.mark.parametrize(("nals", "droppable"), H264)
def test_h264_with_start_codes(nals, droppable):
    assert nonreference("h264", b"\x00\x00\x00\x01\x67")(annex_b(*nals)) is droppable


@pytest.mark.parametrize(
    ("nals", "droppable"),
    [
        ((TRAIL_N,), True),
        ((AUD, RASL_N), True),
        ((TRAIL_R,), False),
        ((CRA,), False),
        ((TRAIL_N, TRAIL_R), False),
        ((AUD,), False),
    ],
)
def test_hevc_of_one_layer(nals, droppable):
    assert nonreference("hevc", HVCC)(units(*nals)) is droppable


def test_hevc_of_more_layers_is_never_dropped():
    assert nonreference("hevc", HVCC_LAYERS) is None


@pytest.mark.parametrize(("layers", "known"), [(1, True), (2, False)])
def test_hevc_layers_are_read_from_the_parameter_set(layers, known):
    vps = bytes([32 << 1, 1, 0x0C, (layers - 1) << 1 | 1])
    assert (nonreference("hevc", annex_b(vps)) is not None) is known


def test_hevc_without_a_parameter_set_is_never_dropped():
    assert nonreference("hevc", None) is None


def test_other_codecs_are_never_dropped():
    assert nonreference("vp9", None) is None


def test_a_length_beyond_the_packet_ends_the_walk():
    assert nonreference("h264", AVCC)(b"\x00\x00\xff\xff" + NONREF) is True
