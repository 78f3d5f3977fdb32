"""Read a file's outermost headers: what it is, and whether it is as long as they say.

FFmpeg reads a cut Matroska file to its end without a word, and a cut mp4 up to the first missing
sample; the sizes in the headers tell at once, without a packet read.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal

from edgeval.errors import VideoError

_MP4_FIRST = (b"ftyp", b"styp", b"moov", b"mdat", b"free", b"skip", b"wide", b"pnot", b"moof")
_EBML = b"\x1aE\xdf\xa3"
_SEGMENT = 0x18538067
_CLUSTER = 0x1F43B675
_LEVEL_ONE = (_CLUSTER, 0x114D9B74, 0x1549A966, 0x1654AE6B, 0x1C53BB6B, 0x1941A469, 0x1043A770)
_MOOV_LIMIT = 1 << 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """``end``: where the headers say the file ends, 0 where they do not say. ``moov``: mp4 only."""

    kind: Literal["mp4", "matroska", "riff", "other"]
    size: int
    end: int = 0
    moov: bytes = b""
    fragmented: bool = False

    @property
    def cut(self) -> str:
        """One clause on the missing bytes; empty for a whole file."""
        if self.end <= self.size:
            return ""
        return f"its headers promise {self.end} bytes, it has {self.size}"


@dataclass(frozen=True, slots=True)
class Box:
    """One length-prefixed box: payload in [start, end), which may lie beyond the file."""

    kind: bytes
    start: int
    end: int


def read_layout(path: Path) -> Layout:
    """Read the outermost headers. Raises VideoError for no file, an empty one, or text."""
    try:
        if not path.exists():
            raise VideoError(f"{path}: no such file")
        if not path.is_file():
            raise VideoError(f"{path}: not a file; give the path of one video")
        size = path.stat().st_size
    except OSError as error:
        raise VideoError(f"{path}: cannot be read ({error.strerror})") from error
    if size == 0:
        raise VideoError(f"{path}: the file is empty (0 bytes); get it again")
    try:
        with path.open("rb") as file:
            return _read(path, file, size)
    except PermissionError as error:
        raise VideoError(f"{path}: permission to read it is denied") from error
    except OSError as error:
        raise VideoError(f"{path}: cannot be read ({error.strerror})") from error


def _read(path: Path, file: BinaryIO, size: int) -> Layout:
    head = file.read(16)
    if head[4:8] in _MP4_FIRST:
        return _mp4(path, file, size)
    if head[:4] == _EBML:
        return Layout(kind="matroska", size=size, end=_matroska_end(file, size))
    if head[:4] in (b"RIFF", b"RF64"):
        return Layout(kind="riff", size=size, end=_riff_end(file, size))
    if head.lstrip()[:1] == b"<":
        raise VideoError(f"{path}: the file is text (a web page?), not a video; get it again")
    return Layout(kind="other", size=size)


def boxes(payload: bytes, *, start: int = 0, end: int | None = None) -> Iterator[Box]:
    """The boxes of an mp4 payload, ended by the first that does not fit."""
    end = len(payload) if end is None else end
    while start + 8 <= end:
        length, kind = struct.unpack_from(">I4s", payload, start)
        head = 8
        if length == 1 and start + 16 <= end:
            length, head = struct.unpack_from(">Q", payload, start + 8)[0], 16
        elif length == 0:
            length = end - start
        if length < head or start + length > end:
            return
        yield Box(kind, start + head, start + length)
        start += length


def _mp4(path: Path, file: BinaryIO, size: int) -> Layout:
    moov, fragmented, last, index_at = b"", False, 0, -1
    for box in _top_boxes(file, size):
        last = box.end
        if box.kind == b"moov" and not moov:
            index_at = box.start
            if box.end > size:
                break
            if box.end - box.start > _MOOV_LIMIT:
                raise VideoError(f"{path}: its index claims {box.end - box.start} bytes; refused")
            file.seek(box.start)
            moov = file.read(box.end - box.start)
        fragmented = fragmented or box.kind == b"moof"
    if not moov:
        why = "is cut off" if index_at >= 0 else "is missing"
        raise VideoError(
            f"{path}: the mp4 index (moov box) {why}, so nothing can be read; get the file again"
        )
    fragmented = fragmented or any(box.kind == b"mvex" for box in boxes(moov))
    # Sample tables say exactly which frames are lost; only fragments depend on the outer boxes.
    return Layout(
        kind="mp4", size=size, end=last if fragmented else 0, moov=moov, fragmented=fragmented
    )


def _top_boxes(file: BinaryIO, size: int) -> Iterator[Box]:
    start = 0
    while start + 8 <= size:
        file.seek(start)
        head = file.read(16)
        length, kind = struct.unpack_from(">I4s", head)
        skip = 8
        if length == 1 and len(head) == 16:
            length, skip = struct.unpack_from(">Q", head, 8)[0], 16
        elif length == 0:
            length = size - start
        if length < skip or not kind.isascii():
            return
        yield Box(kind, start + skip, start + length)
        start += length


def _riff_end(file: BinaryIO, size: int) -> int:
    start = end = 0
    while start + 12 <= size:
        file.seek(start)
        kind, length = struct.unpack("<4sI", file.read(8))
        if kind != b"RIFF" or length in (0, 0xFFFFFFFF):
            break
        end = start + 8 + length
        start = end + (length & 1)
    return end


def _element(file: BinaryIO, start: int) -> tuple[int, int, int | None] | None:
    """EBML element at ``start``: its id, payload start and length (None: unknown)."""
    file.seek(start)
    head = file.read(12)
    if not head or head[0] < 0x10:
        return None
    id_len = 9 - head[0].bit_length()
    if len(head) <= id_len or head[id_len] == 0:
        return None
    size_len = 9 - head[id_len].bit_length()
    payload = start + id_len + size_len
    if len(head) < id_len + size_len:
        return None
    length = int.from_bytes(head[id_len : id_len + size_len], "big") & ((1 << 7 * size_len) - 1)
    unknown = length == (1 << 7 * size_len) - 1
    return int.from_bytes(head[:id_len], "big"), payload, None if unknown else length


def _matroska_end(file: BinaryIO, size: int) -> int:
    """Where the segment ends; for one of unknown size, where its last element does.

    Source: Matroska, RFC 9559, sections 4 and 5.1; EBML, RFC 8794, section 6.2.
    """
    start, in_cluster = 0, False
    while start < size:
        element = _element(file, start)
        if element is None:
            return 0
        kind, payload, length = element
        if kind == _SEGMENT and length is not None:
            return payload + length
        in_cluster = kind not in _LEVEL_ONE and in_cluster
        # An open segment or cluster has no end of its own: go in and judge by its children.
        if length is None:
            if kind not in (_SEGMENT, _CLUSTER):
                return 0
            in_cluster = kind == _CLUSTER
            start = payload
        else:
            start = payload + length
    return start
