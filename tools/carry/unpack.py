"""On the other machine, standard library only: check pieces, unpack them, check the files.

python unpack.py PIECES_FOLDER SITE_FOLDER
"""

from __future__ import annotations

import hashlib
import json
import lzma
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path


class Joined:
    """Pieces, read one after the other as one file."""

    def __init__(self, paths: list[Path]) -> None:
        self._content = self._read(paths)
        self._rest = b""

    def read(self, n: int) -> bytes:
        """At most ``n`` bytes; none at the end."""
        while not self._rest:
            found = next(self._content, None)
            if found is None:
                return b""
            self._rest = found
        part, self._rest = self._rest[:n], self._rest[n:]
        return part

    def _read(self, paths: list[Path]) -> Iterator[bytes]:
        unpacker = lzma.LZMADecompressor()
        for path in paths:
            with path.open("rb") as file:
                while content := file.read(1 << 20):
                    yield unpacker.decompress(content)


def unpack(folder: Path, site: Path) -> int:
    """How many files. SystemExit with a sentence for what is missing or damaged."""
    listing = json.loads((folder / "manifest.json").read_text("utf-8"))
    paths = [folder / name for name in sorted(listing["pieces"])]
    for path in paths:
        if not path.is_file():
            raise SystemExit(f"unpack: {path.name} is not in {folder}; bring it too")
        if digest(path) != listing["pieces"][path.name]:
            raise SystemExit(f"unpack: {path.name} is damaged; bring it again")
    with tarfile.open(fileobj=Joined(paths), mode="r|") as tar:  # type: ignore[call-overload]
        tar.extractall(site, filter="data")
    for name, wanted in listing["files"].items():
        if digest(site / name) != wanted:
            raise SystemExit(f"unpack: {name} is not what was packed")
    return len(listing["files"])


def digest(path: Path) -> str:
    """Hex sha256."""
    found = hashlib.sha256()
    with path.open("rb") as file:
        while content := file.read(1 << 22):
            found.update(content)
    return found.hexdigest()


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit("usage: unpack.py PIECES_FOLDER SITE_FOLDER")
    sys.stdout.write(f"unpack: {unpack(Path(sys.argv[1]), Path(sys.argv[2]))} files\n")
