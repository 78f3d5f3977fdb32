"""While a graph is opened, large blocks come from the system and go back to it."""

from __future__ import annotations

import ctypes

import pytest

from edgeval.engines.ort.heap import given_back

MIB = 1 << 20


class Heap(ctypes.Structure):
    """struct mallinfo2 of glibc 2.33 and later; ``hblks`` counts blocks that are the system's."""

    _fields_ = (
        *((name, ctypes.c_size_t) for name in ("arena", "ordblks", "smblks", "hblks")),
        ("rest", 6 * ctypes.c_size_t),
    )


@pytest.fixture
def libc() -> ctypes.CDLL:
    found = ctypes.CDLL(None)
    if not hasattr(found, "mallinfo2"):
        pytest.skip("not glibc 2.33 or later")
    found.mallinfo2.restype = Heap
    found.malloc.restype, found.malloc.argtypes = ctypes.c_void_p, (ctypes.c_size_t,)
    found.free.argtypes = (ctypes.c_void_p,)
    return found


def taken_from_system(libc: ctypes.CDLL, n_bytes: int) -> int:
    """How many of the system's blocks an allocation adds."""
    before = libc.mallinfo2().hblks
    block = libc.malloc(n_bytes)
    try:
        return int(libc.mallinfo2().hblks - before)
    finally:
        libc.free(block)


def test_a_large_block_is_the_systems_while_a_graph_is_opened(libc: ctypes.CDLL) -> None:
    with given_back():
        assert taken_from_system(libc, 4 * MIB) == 1
    assert taken_from_system(libc, 4 * MIB) == 0


def test_an_error_while_opening_leaves_the_usual_heap(libc: ctypes.CDLL) -> None:
    with pytest.raises(OSError, match="no graph"), given_back():
        raise OSError("no graph")
    assert taken_from_system(libc, 4 * MIB) == 0
