"""While a graph is opened, large blocks come from the system and go back to it."""

from __future__ import annotations

import ctypes
import subprocess
import sys

import pytest

# In a process of its own: a heap that has large free blocks gives those first.
SCRIPT = """
import ctypes
from edgeval.engines.ort.heap import given_back

class Heap(ctypes.Structure):  # struct mallinfo2; hblks counts blocks that are the system's
    _fields_ = [(name, ctypes.c_size_t) for name in ("arena", "ordblks", "smblks", "hblks")]
    _fields_ += [("rest", 6 * ctypes.c_size_t)]

libc = ctypes.CDLL(None)
libc.mallinfo2.restype = Heap
libc.malloc.restype, libc.malloc.argtypes = ctypes.c_void_p, (ctypes.c_size_t,)
libc.free.argtypes = (ctypes.c_void_p,)

def taken_from_system():
    before = libc.mallinfo2().hblks
    block = libc.malloc(16 << 20)
    try:
        return libc.mallinfo2().hblks - before
    finally:
        libc.free(block)

with given_back():
    print(taken_from_system())
print(taken_from_system())
try:
    with given_back():
        raise OSError
except OSError:
    print(taken_from_system())
"""


def test_large_blocks_are_the_systems_while_a_graph_is_opened_and_only_then() -> None:
    if not hasattr(ctypes.CDLL(None), "mallinfo2"):
        pytest.skip("not glibc 2.33 or later")
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], cwd="/", capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["1", "0", "0"]
