"""Pieces that are packed, brought and unpacked; libraries that lose other GPUs' code."""

from __future__ import annotations

import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from carry import pack, thin


@pytest.fixture
def pieces(tmp_path: Path, repo: Path) -> Path:
    """A wheel that is here, in pieces of at most 1 MiB."""
    import numpy as np

    wheel = tmp_path / "made-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("made/__init__.py", "VALUE = 3\n")
        archive.writestr("made/noise.bin", np.random.default_rng(0).bytes(1_500_000))
        archive.writestr("onnxruntime/tools/unused.py", "")
    out = tmp_path / "pieces"
    command = [sys.executable, str(repo / "tools/carry"), str(wheel), "-o", str(out)]
    subprocess.run([*command, "--piece-MiB", "1"], check=True, capture_output=True)
    return out


def unpacked(pieces: Path, site: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(pieces / "unpack.py"), str(pieces), str(site)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("name", "words"), [("none.whl", "No such file"), ("bad.whl", "not a zip")]
)
def test_a_wheel_that_is_none_is_one_sentence(
    name: str, words: str, tmp_path: Path, repo: Path
) -> None:
    (tmp_path / "bad.whl").write_text("no wheel", "utf-8")
    command = [sys.executable, str(repo / "tools/carry"), name, "-o", "out"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("carry: ")
    assert words in done.stderr
    assert done.stderr.count("\n") == 1


def test_what_is_packed_comes_out(pieces: Path, tmp_path: Path) -> None:
    sizes = [path.stat().st_size for path in sorted(pieces.glob("piece.*"))]
    assert len(sizes) == 2
    assert max(sizes) <= 1 << 20
    done = unpacked(pieces, tmp_path / "site")
    assert (done.returncode, done.stdout) == (0, "unpack: 2 files\n")
    assert (tmp_path / "site/made/__init__.py").read_text() == "VALUE = 3\n"


def test_a_piece_that_is_missing_is_named(pieces: Path, tmp_path: Path) -> None:
    (pieces / "piece.001").unlink()
    done = unpacked(pieces, tmp_path / "site")
    assert (done.returncode, "piece.001 is not in" in done.stderr) == (1, True)


def test_a_piece_that_is_damaged_is_named(pieces: Path, tmp_path: Path) -> None:
    content = bytearray((pieces / "piece.000").read_bytes())
    content[1000] ^= 1
    (pieces / "piece.000").write_bytes(content)
    done = unpacked(pieces, tmp_path / "site")
    assert "piece.000 is damaged" in done.stderr
    assert not (tmp_path / "site").exists()


def entry(kind: int, sm: int, payload: bytes) -> bytes:
    header = struct.pack("<HHIQ", kind, 0x101, 64, len(payload)) + bytes(12)
    return (header + struct.pack("<I", sm)).ljust(64, b"\0") + payload


def fat(*entries: bytes) -> bytes:
    content = b"".join(entries)
    return struct.pack("<IHHQ", thin.MAGIC, 1, 16, len(content)) + content


def elf(section: bytes) -> bytes:
    """An ELF file of two sections: fat binaries, and names."""
    names = b"\0.nv_fatbin\0.shstrtab\0"
    at = 64
    table = at + len(section) + len(names)
    headers = bytes(64)
    for name, start, size in ((1, at, len(section)), (12, at + len(section), len(names))):
        headers += struct.pack("<IIQQQQ", name, 1, 0, 0, start, size).ljust(64, b"\0")
    start = bytearray(64)
    start[:6] = b"\x7fELF\x02\x01"
    struct.pack_into("<Q", start, 0x28, table)
    struct.pack_into("<HHH", start, 0x3A, 64, 3, 2)
    return bytes(start) + section + names + headers


def test_only_code_for_other_gpus_is_overwritten(tmp_path: Path) -> None:
    mine, ptx, old = b"m" * 48, b"p" * 32, b"o" * 40
    only_ptx = fat(entry(1, 90, ptx))
    whole = elf(fat(entry(2, 90, mine), entry(1, 90, ptx), entry(2, 80, old)) + only_ptx)
    library = tmp_path / "lib.so"
    library.write_bytes(whole)
    assert thin.thin(library, frozenset({90})) == len(ptx) + len(old)
    after = library.read_bytes()
    assert len(after) == len(whole)
    assert (mine in after, old in after) == (True, False)
    # Where there is nothing else for the GPU, its PTX stays.
    assert after.count(ptx) == 1


def test_what_is_no_library_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "table.so"
    path.write_bytes(b"no ELF" * 100)
    assert thin.thin(path, frozenset({90})) == 0


def test_patterns_leave_files_out(tmp_path: Path) -> None:
    for name in ("onnxruntime/capi/libonnxruntime.so.1.30", "onnxruntime/capi/state.so"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    left = [path.name for path in pack.left_out(tmp_path, pack.LEFT_OUT)]
    assert left == ["libonnxruntime.so.1.30"]
