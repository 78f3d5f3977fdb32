"""Weights in large pages: a token reads every one of them, and looks up every page it reads.

malloc gives pages of 4 KiB, so half a GiB of weights is 130,000 of them, far more than a core
remembers. Linux from 6.1 on puts memory together on request (madvise(2), MADV_COLLAPSE), at the
speed of copying it once; nothing of what is computed changes. An older kernel, another system or
memory too scattered leaves all as it is.
"""

from __future__ import annotations

import ctypes
import errno
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

# asm-generic/mman-common.h
MADV_COLLAPSE = 25
MAPS, SMAPS = Path("/proc/self/maps"), Path("/proc/self/smaps")
_KERNEL = Path("/sys/kernel/mm/transparent_hugepage")
LARGE, WANTED = _KERNEL / "hpage_pmd_size", _KERNEL / "enabled"
# Of a mapping: less of it in use is a stack or a heap with holes, which would only fill up.
USED = 0.9
LEAST = 4 << 20
# At a time, so that a refusal costs little.
PIECE = 64 << 20
_OURS = re.compile(r" rw-p [0-9a-f]+ [0-9a-f:]+ 0(?: +\[heap\])?$")
# First address, and the one behind the last.
Span = tuple[int, int]


@contextmanager
def put_together() -> Iterator[None]:
    """Large pages for what is taken from the system inside, and for nothing that was there."""
    large = large_page_bytes()
    madvise = getattr(ctypes.CDLL(None, use_errno=True), "madvise", None)
    if not large or madvise is None or not SMAPS.exists():
        yield
        return
    before = [_span(line) for line in _read(MAPS).splitlines()]
    yield
    madvise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    for start, end in scattered(_read(SMAPS), large, before):
        for at in range(start, end, PIECE):
            refused = madvise(at, min(PIECE, end - at), MADV_COLLAPSE)
            # Refused for any other reason, this piece or a part of it stays as it is.
            if refused and ctypes.get_errno() == errno.ENOMEM:
                return


def large_page_bytes() -> int:
    """How large a large page is here; 0 where the kernel has none, or is told to make none."""
    try:
        if "[never]" in WANTED.read_text("ascii"):
            return 0
        return int(LARGE.read_text("ascii"))
    except (OSError, ValueError):
        return 0


def scattered(smaps: str, large: int, before: Sequence[Span] = ()) -> Iterator[Span]:
    """What of the private mappings in use is still in small pages, and was not there ``before``.

    ``smaps``: as proc(5) has it. In whole large pages.
    """
    for lines in re.split(r"\n(?=[0-9a-f]+-[0-9a-f]+ )", smaps):
        head, _, rest = lines.partition("\n")
        if not _OURS.search(head.strip()):
            continue
        start, end = _span(head)
        kib = {key: int(value) for key, value in re.findall(r"(\w+): +(\d+) kB", rest)}
        used, together = kib.get("Rss", 0) << 10, kib.get("AnonHugePages", 0) << 10
        if used < USED * (end - start) or together >= used / 2:
            continue
        for first, last in _without((start, end), before):
            span = -(-first // large) * large, last // large * large
            if span[1] - span[0] >= LEAST:
                yield span


def _without(span: Span, others: Sequence[Span]) -> Iterator[Span]:
    """What is left of a span; the others in order."""
    at, end = span
    for start, stop in others:
        if stop <= at or start >= end:
            continue
        if start > at:
            yield at, start
        at = stop
    if at < end:
        yield at, end


def _span(line: str) -> Span:
    start, _, end = line.partition(" ")[0].partition("-")
    return int(start, 16), int(end, 16)


def _read(path: Path) -> str:
    return path.read_text("ascii", "replace")
