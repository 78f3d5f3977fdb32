"""Does a packet hold a picture to show? Asked of codecs whose packets may hold none.

VP8 and VP9 keep reference frames that are never shown; MPEG-4 part 2 in avi packs two pictures in
one packet, or writes "nothing changed" where a picture would be.
"""

from __future__ import annotations

from collections.abc import Callable

_VOP = b"\x00\x00\x01\xb6"
# A "not coded" MPEG-4 picture takes about 7 bytes, a coded one of 16x16 pixels already more.
NOT_CODED_BYTES = 12

Shown = Callable[[bytes], int]


def shown_counter(codec: str) -> Shown | None:
    """A function from packet bytes to how many pictures it shows; None: always exactly one."""
    return {"vp8": _vp8, "vp9": _vp9, "mpeg4": _mpeg4}.get(codec)


def _vp8(data: bytes) -> int:
    """Source: RFC 6386, section 9.1 (bit 4 of the frame tag is show_frame)."""
    return data[0] >> 4 & 1


def _vp9(data: bytes) -> int:
    """Shown frames of a superframe. Source: VP9 bitstream specification v0.6, annex B and 6.2."""
    marker = data[-1]
    if marker & 0xE0 == 0xC0:
        frames, width = (marker & 7) + 1, (marker >> 3 & 3) + 1
        head = 2 + frames * width
        if len(data) >= head and data[-head] == marker:
            shown, at = 0, 0
            for i in range(frames):
                entry = len(data) - head + 1 + i * width
                length = int.from_bytes(data[entry : entry + width], "little")
                shown += _vp9_frame(data[at : at + 1]) if length else 0
                at += length
            return shown
    return _vp9_frame(data[:1])


def _vp9_frame(data: bytes) -> int:
    if not data:
        return 0
    # frame_marker(2) profile_low(1) profile_high(1) [reserved(1) if profile 3] then
    # show_existing_frame(1) frame_type(1) show_frame(1)
    first = data[0]
    skip = 1 if first >> 4 & 3 == 3 else 0
    existing = first >> (3 - skip) & 1
    return existing or first >> (1 - skip) & 1


def _mpeg4(data: bytes) -> int:
    """2 for a packed packet, 0 for one that is not coded. Source: ISO/IEC 14496-2, 6.2.5."""
    if len(data) < NOT_CODED_BYTES:
        return 0
    return min(2, data.count(_VOP)) or 1
