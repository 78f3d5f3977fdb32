"""Wheels for a machine without network, in pieces that fit through a narrow door.

    python tools/carry onnxruntime-gpu==1.30.0 av nvidia-ml-py -o pieces --keep-sm 90

Downloads the wheels (without what they need: name that too) for the other machine's Python, unpacks
them into one folder, leaves out what no session needs, and writes piece.000, piece.001 ... with
unpack.py and manifest.json beside them. ``--keep-sm``: machine code for other GPUs is overwritten
with zeros, which then compress to nothing (thin.py).
"""

from __future__ import annotations

import argparse
import fnmatch
import hashlib
import json
import lzma
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

from carry import thin

PLATFORMS = tuple(f"manylinux_2_{n}_x86_64" for n in (39, 35, 34, 31, 28, 27, 24, 17))
PLATFORMS += ("manylinux2014_x86_64", "manylinux1_x86_64")
# A session is run without them; TensorRT's provider wants a TensorRT that the wheel has not.
LEFT_OUT = (
    "onnxruntime/transformers/*",
    "onnxruntime/tools/*",
    "onnxruntime/quantization/*",
    "onnxruntime/datasets/*",
    "onnxruntime/capi/libonnxruntime.so*",
    "onnxruntime/capi/libonnxruntime_providers_tensorrt.so",
    "*.data/headers/*",
)
LARGE = 8 << 20


class Pieces:
    """A file to write to that is many, each of at most so many bytes."""

    def __init__(self, folder: Path, most: int) -> None:
        self._folder, self._most = folder, most
        self._file: IO[bytes] | None = None
        self._left = 0
        self.paths: list[Path] = []

    def write(self, content: bytes) -> int:
        """All of it, over as many pieces as it takes."""
        view = memoryview(content)
        while view:
            if self._left == 0:
                self._next()
            part, view = view[: self._left], view[self._left :]
            if self._file is not None:
                self._file.write(part)
            self._left -= len(part)
        return len(content)

    def close(self) -> None:
        """Close the last."""
        if self._file is not None:
            self._file.close()

    def _next(self) -> None:
        self.close()
        self.paths.append(self._folder / f"piece.{len(self.paths):03d}")
        self._file = self.paths[-1].open("wb")
        self._left = self._most


def pack(site: Path, out: Path, most: int) -> list[Path]:
    """A folder as pieces with a manifest: sha256 of each piece and of each file."""
    out.mkdir(parents=True, exist_ok=True)
    for old in out.glob("piece.*"):
        old.unlink()
    files = sorted(path for path in site.rglob("*") if path.is_file())
    pieces = Pieces(out, most)
    packer = lzma.LZMACompressor(preset=9)

    class Packed:
        """What tarfile writes to."""

        def write(self, content: bytes) -> int:
            pieces.write(packer.compress(content))
            return len(content)

    # tarfile asks a stream for nothing but write.
    with tarfile.open(fileobj=Packed(), mode="w|") as tar:  # type: ignore[call-overload]
        for path in files:
            tar.add(path, path.relative_to(site).as_posix())
    pieces.write(packer.flush())
    pieces.close()
    listing = {
        "pieces": {path.name: digest(path) for path in pieces.paths},
        "files": {path.relative_to(site).as_posix(): digest(path) for path in files},
    }
    (out / "manifest.json").write_text(json.dumps(listing, indent=1), "utf-8")
    shutil.copyfile(Path(__file__).with_name("unpack.py"), out / "unpack.py")
    return pieces.paths


def fetch(wanted: Sequence[str], folder: Path, python: str) -> None:
    """Wheels of an x86-64 Linux from the package index; files that are here go along."""
    here = [Path(name) for name in wanted if name.endswith(".whl")]
    for path in here:
        shutil.copy(path, folder)
    named = [name for name in wanted if not name.endswith(".whl")]
    if named:
        command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps"]
        command += ["--only-binary=:all:", "--implementation", "cp", "--python-version", python]
        command += [word for name in PLATFORMS for word in ("--platform", name)]
        subprocess.run([*command, "-d", str(folder), *named], check=True)


def left_out(site: Path, patterns: Sequence[str]) -> Iterator[Path]:
    """Files that no session needs."""
    for path in sorted(site.rglob("*")):
        name = path.relative_to(site).as_posix()
        if path.is_file() and any(fnmatch.fnmatch(name, pattern) for pattern in patterns):
            yield path


def digest(path: Path) -> str:
    """Hex sha256."""
    found = hashlib.sha256()
    with path.open("rb") as file:
        while content := file.read(1 << 22):
            found.update(content)
    return found.hexdigest()


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(
        prog="python tools/carry", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("wanted", nargs="+", help="pip requirements, or wheels that are here")
    parser.add_argument("-o", "--out", type=Path, required=True)
    parser.add_argument("--python", default="3.12", help="of the other machine")
    parser.add_argument("--piece-MiB", type=int, default=40, dest="mib")
    parser.add_argument(
        "--keep-sm", type=int, action="append", help="90 for Hopper; again for more"
    )
    parser.add_argument("--leave-out", action="append", default=[], help="a pattern of files")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        wheels, site = Path(temporary, "wheels"), Path(temporary, "site")
        wheels.mkdir()
        try:
            fetch(given.wanted, wheels, given.python)
            for wheel in sorted(wheels.glob("*.whl")):
                with zipfile.ZipFile(wheel) as archive:
                    archive.extractall(site)
        except subprocess.CalledProcessError as error:
            parser.exit(1, f"carry: pip ended with code {error.returncode}, as it says above\n")
        except (OSError, zipfile.BadZipFile) as error:
            parser.exit(1, f"carry: {error}\n")
        for path in left_out(site, (*LEFT_OUT, *given.leave_out)):
            path.unlink()
        for path in sorted(site.rglob("*.so*")) if given.keep_sm else ():
            if path.stat().st_size > LARGE:
                zeroed = thin.thin(path, frozenset(given.keep_sm))
                sys.stdout.write(f"{path.name}: {zeroed / 1e6:.0f} MB of other GPUs' code\n")
        pieces = pack(site, given.out, given.mib << 20)
    total = sum(path.stat().st_size for path in pieces)
    sys.stdout.write(f"{given.out}: {len(pieces)} pieces, {total / 2**20:.1f} MiB\n")
