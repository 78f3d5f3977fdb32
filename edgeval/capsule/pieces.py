"""Which field of which record a byte of records.jsonl belongs to, also when it is damaged."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence

from edgeval.runfolder import dumps

Piece = tuple[str, int, str]
# Fields of fields are told apart so deep: record.generation.text, record.scores.
_DEPTH = 3


def layout(line: str) -> list[Piece]:
    """Name, number of bytes and digest of each piece of a line of records.jsonl, in its order.

    The line is canonical JSON; the pieces put together are the line.
    """
    return [(name, len(text), _digest(text)) for name, text in _cut(json.loads(line), "", _DEPTH)]


def changed(line: bytes, pieces: Sequence[Piece]) -> str:
    """The name of the first piece that is not as it was, "" where all are."""
    offset = 0
    for name, size, digest in pieces:
        if _digest(line[offset : offset + size]) != digest:
            return name
        offset += size
    return "" if offset == len(line) else "end of line"


def _cut(value: object, name: str, depth: int) -> Iterator[tuple[str, bytes]]:
    if depth == 0 or not isinstance(value, dict) or not value:
        yield name, dumps(value).encode()
        return
    opening = "{"
    last = max(value)
    for key in sorted(value):
        inner = list(_cut(value[key], f"{name}.{key}" if name else key, depth - 1))
        before = f"{opening}{dumps(key)}:".encode()
        for at, (path, text) in enumerate(inner):
            closing = b"}" if key == last and at == len(inner) - 1 else b""
            yield path, (before if at == 0 else b"") + text + closing
        opening = ","


def _digest(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()[:16]
