"""What is freed while a graph is opened goes back to the system.

glibc keeps freed blocks of up to 32 MiB once it has seen one so large, and onnxruntime makes and
frees many of them as it reads and packs weights: up to 300 MiB stayed of a model of 540, more or
less from one opening to the next.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager

# malloc.h of glibc, and where its own adjusting of both ends.
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
WHILE_OPENING = 1 << 20
USUAL_MMAP, USUAL_TRIM = 32 << 20, 64 << 20


@contextmanager
def given_back() -> Iterator[None]:
    """Blocks from a MiB on are the system's while open; elsewhere than on glibc nothing changes."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        yield
        return
    mallopt(M_MMAP_THRESHOLD, WHILE_OPENING)
    try:
        yield
    finally:
        mallopt(M_MMAP_THRESHOLD, USUAL_MMAP)
        mallopt(M_TRIM_THRESHOLD, USUAL_TRIM)
