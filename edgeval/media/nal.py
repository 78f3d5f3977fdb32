"""Packets that no other picture is decoded from, read off the bitstream itself.

FFmpeg's "disposable" flag is absent on our mp4 files, and dropping by picture type is wrong (B
pictures may be references): these two rules kept every picture bit-equal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

Predicate = Callable[[bytes], bool]
_START = b"\x00\x00\x01"
_HEVC_VPS = 32


def nonreference(codec: str, extradata: bytes | None) -> Predicate | None:
    """A test of one packet: True only when no picture refers to any of its slices.

    ``codec`` is FFmpeg's name, ``extradata`` its decoder configuration (avcC, hvcC or Annex B).
    None where the codec or its layers give no such guarantee.
    """
    extra = extradata or b""
    if codec == "h264":
        return _h264(extra)
    if codec == "hevc":
        return _hevc(extra)
    return None


def _h264(extra: bytes) -> Predicate | None:
    """Every slice has nal_ref_idc 0. Source: ITU-T H.264, 7.4.1; ISO/IEC 14496-15, 5.3.3."""
    width = _length_width(extra, at=4)

    def unused(packet: bytes) -> bool:
        slices = 0
        for at in _nal_starts(packet, width):
            head = packet[at]
            if 1 <= head & 31 <= 5:
                if head & 0x60:
                    return False
                slices += 1
        return slices > 0

    return unused


def _hevc(extra: bytes) -> Predicate | None:
    """Every slice is of an even type up to 14, in a stream of one temporal layer.

    Such a picture is not used by its own sub-layer; a higher one might, so there must be none.
    Source: ITU-T H.265, 7.4.2.2 and table 7-1; ISO/IEC 14496-15, 8.3.3.
    """
    width = _length_width(extra, at=21)
    layers = extra[21] >> 3 & 7 if width else _annex_b_layers(extra)
    if layers != 1:
        return None

    def unused(packet: bytes) -> bool:
        slices = 0
        for at in _nal_starts(packet, width):
            kind = packet[at] >> 1 & 63
            if kind < _HEVC_VPS:
                if kind > 14 or kind % 2:
                    return False
                slices += 1
        return slices > 0

    return unused


def _length_width(extra: bytes, *, at: int) -> int:
    """Bytes of a NAL unit's length prefix; 0 for start codes (Annex B)."""
    return (extra[at] & 3) + 1 if len(extra) > at and extra[0] == 1 else 0


def _annex_b_layers(extra: bytes) -> int:
    """Temporal layers that the video parameter set declares, 0 where there is none."""
    for at in _nal_starts(extra, 0):
        if extra[at] >> 1 & 63 == _HEVC_VPS and at + 3 < len(extra):
            return (extra[at + 3] >> 1 & 7) + 1
    return 0


def _nal_starts(packet: bytes, width: int) -> Iterator[int]:
    """Where each NAL unit's header is; ``width`` as _length_width gives it."""
    size = len(packet)
    if not width:
        at = packet.find(_START)
        while 0 <= at < size - 3:
            yield at + 3
            at = packet.find(_START, at + 3)
        return
    at = 0
    while at + width < size:
        yield at + width
        at += width + int.from_bytes(packet[at : at + width], "big")
