"""Weights are put together into large pages, and nothing else is."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from edgeval.device.memory import in_large_pages
from edgeval.engines.ort import pages

MIB = 1 << 20
LARGE = 2 * MIB


def mapping(
    size: int,
    *,
    used: float = 1,
    together: int = 0,
    rights: str = "rw-p",
    name: str = "",
    start: int = 0x7F0000001000,
) -> str:
    """As proc(5) has it."""
    inode = "262144" if name.startswith("/") else "0"
    place = f"{start:x}-{start + size:x} {rights} 00000000 00:00 {inode}"
    return (
        f"{place} {'  ' + name if name else ''}\n"
        f"Size: {size >> 10} kB\nRss: {int(size * used) >> 10} kB\n"
        f"Anonymous: {int(size * used) >> 10} kB\nAnonHugePages: {together >> 10} kB\n"
        "VmFlags: rd wr mr mw me ac\n"
    )


def found(*mappings: str) -> list[tuple[int, int]]:
    return list(pages.scattered("".join(mappings), LARGE))


def test_whole_large_pages_inside_a_mapping():
    start = 0x7F0000001000
    assert found(mapping(16 * MIB)) == [(start - 0x1000 + LARGE, start - 0x1000 + 16 * MIB)]


@pytest.mark.parametrize(
    "other",
    [
        mapping(4 * MIB),
        mapping(16 * MIB, used=0.5),
        mapping(16 * MIB, together=12 * MIB),
        mapping(16 * MIB, rights="r--p"),
        mapping(16 * MIB, rights="rw-s"),
        mapping(16 * MIB, name="/model/decoder.onnx_data"),
        mapping(16 * MIB, name="[stack]"),
    ],
    ids=["small", "with holes", "large already", "read only", "shared", "a file", "a stack"],
)
def test_left_as_it_is(other: str):
    assert found(other) == []


def test_the_heap_counts_and_every_mapping_is_looked_at():
    first, second = 0x560000000000, 0x7F0000000000
    both = found(
        mapping(8 * MIB, name="[heap]", start=first),
        mapping(1 * MIB),
        mapping(6 * MIB, start=second),
    )
    assert both == [(first, first + 8 * MIB), (second, second + 6 * MIB)]


def test_what_was_there_before_is_others():
    start = 0x7F0000000000
    there = mapping(16 * MIB, start=start)
    assert list(pages.scattered(there, LARGE, [(start, start + 16 * MIB)])) == []
    assert list(pages.scattered(there, LARGE, [(start + 6 * MIB, start + 11 * MIB)])) == [
        (start, start + 6 * MIB),
        (start + 12 * MIB, start + 16 * MIB),
    ]
    # A mapping that grew: what it was is others', and so is what lies apart.
    grown = [(start - 8 * MIB, start - 4 * MIB), (start - 2 * MIB, start + 4 * MIB)]
    assert list(pages.scattered(there, LARGE, grown)) == [(start + 4 * MIB, start + 16 * MIB)]


# In a process of its own, whose memory nobody else has touched.
SCRIPT = """
import ctypes, mmap
from edgeval.device.memory import in_large_pages
from edgeval.engines.ort.pages import put_together

def taken():
    memory = mmap.mmap(-1, 64 << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    for at in range(0, len(memory), 4096):
        memory[at] = at // 4096 % 251
    return memory

before = in_large_pages()
of_others = taken()
with put_together():
    own = taken()
for memory in (of_others, own):
    assert all(memory[at] == at // 4096 % 251 for at in range(0, len(memory), 4096))
print(in_large_pages() - before)
"""


def test_a_process_gets_them_and_keeps_what_it_had():
    if not pages.large_page_bytes():
        pytest.skip("this kernel makes no large pages")
    told = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True
    )
    got = int(told.stdout)
    if got == 0:
        pytest.skip(
            "this kernel puts no memory together on request (before Linux 6.1, or too full)"
        )
    assert 48 * MIB <= got <= 64 * MIB


def test_nothing_is_asked_of_a_kernel_that_was_told_not_to(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    said = tmp_path / "enabled"
    monkeypatch.setattr(pages, "WANTED", said)
    said.write_text("always madvise [never]\n")
    assert pages.large_page_bytes() == 0
    said.unlink()
    assert pages.large_page_bytes() == 0


def test_read_from_the_kernel(tmp_path: Path):
    folder = tmp_path / "proc" / "self"
    folder.mkdir(parents=True)
    (folder / "smaps_rollup").write_text("00-ff ---p 0 00:00 0 [rollup]\nAnonHugePages:  4096 kB\n")
    assert in_large_pages(tmp_path) == 4 * MIB
    assert in_large_pages(tmp_path / "none") == 0
