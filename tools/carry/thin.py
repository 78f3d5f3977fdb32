"""Overwrite machine code for other GPUs in a shared library with zeros; no offset changes.

CUDA keeps code in ELF sections of fat binaries: a header (magic 0xBA55ED50, u16 version, u16 size
of the header, u64 size of what follows), then entries, each with a header of its own (u16 kind: 1
PTX, 2 machine code; u16 version; u32 size of the header; u64 size of the payload; at 28 the u32
architecture, as 90) and its payload. The driver takes an entry by its architecture, so payloads of
others are never read.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

MAGIC = 0xBA55ED50
SECTIONS = frozenset({".nv_fatbin", "__nv_relfatbin", ".nv_relfatbin"})
MACHINE_CODE = 2
ARCHITECTURE = 28


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One payload: where it lies, for which architecture, whether it is machine code."""

    start: int
    size: int
    sm: int
    is_machine_code: bool


def thin(path: Path, keep: frozenset[int]) -> int:
    """Bytes overwritten: every payload but machine code for the architectures to keep.

    A fat binary without code for any of them is left as it is: its PTX may be what runs.
    """
    zeroed = 0
    with path.open("r+b") as file, mmap.mmap(file.fileno(), 0) as content:
        for found in binaries(content):
            kept = [one for one in found if one.is_machine_code and one.sm in keep]
            for one in found if kept else ():
                if one not in kept:
                    content[one.start : one.start + one.size] = bytes(one.size)
                    zeroed += one.size
    return zeroed


def binaries(content: mmap.mmap | bytes) -> Iterator[list[Entry]]:
    """The payloads of every fat binary in a 64-bit little-endian ELF file; none in any other."""
    for start, end in _sections(content):
        at = start
        while at + 16 <= end:
            magic, _, header, size = struct.unpack_from("<IHHQ", content, at)
            if magic != MAGIC:
                at += 8
                continue
            yield list(_payloads(content, at + header, at + header + size))
            at += header + size


def _payloads(content: mmap.mmap | bytes, at: int, end: int) -> Iterator[Entry]:
    while at + ARCHITECTURE + 4 <= end:
        kind, _, header, size = struct.unpack_from("<HHIQ", content, at)
        (sm,) = struct.unpack_from("<I", content, at + ARCHITECTURE)
        if header == 0:
            return
        yield Entry(start=at + header, size=size, sm=sm, is_machine_code=kind == MACHINE_CODE)
        at += header + size


def _sections(content: mmap.mmap | bytes) -> Iterator[tuple[int, int]]:
    """Where the sections of fat binaries lie."""
    if content[:6] != b"\x7fELF\x02\x01":
        return
    (table,) = struct.unpack_from("<Q", content, 0x28)
    size, n, names_at = struct.unpack_from("<HHH", content, 0x3A)
    headers = [struct.unpack_from("<IIQQQQ", content, table + at * size) for at in range(n)]
    if not headers:
        return
    names = headers[names_at][4]
    for header in headers:
        start = names + header[0]
        name = bytes(content[start : content.find(b"\0", start)]).decode("ascii", "replace")
        if name in SECTIONS:
            yield header[4], header[4] + header[5]
