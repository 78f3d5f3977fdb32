"""One file of named members whose every bit is determined by them: a plain tar, the same anywhere.

Uncompressed, in the order given, no times, no owners: there is one way to write it, and reading
compares with that, so nothing in the file is free to change. Nothing is ever extracted to a disk.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from edgeval.errors import ArgumentError
from edgeval.runfolder import dumps

SCHEMA = 1
TABLE = "capsule.json"
MAX_BYTES = 1 << 30
MAX_MEMBERS = 64
_BLOCK = 512
_END = bytes(2 * _BLOCK)
_NAME = re.compile(r"[a-z][a-z0-9_]*\.[a-z]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """What a capsule held. ``damaged``: one (member, sentence) for each that is not as sealed."""

    members: Mapping[str, bytes]
    damaged: tuple[tuple[str, str], ...]


class _TableError(Exception):
    """The table of members cannot be relied on."""


def packed(members: Mapping[str, bytes], *, version: str) -> bytes:
    """The capsule of ``members``, its table first. Raises ArgumentError for what cannot be read."""
    if len(members) >= MAX_MEMBERS or not all(_NAME.fullmatch(name) for name in members):
        raise ArgumentError(f"capsule: got the members {', '.join(members)}; wants plain names")
    told = {
        "edgeval": version,
        "members": [
            [name, len(held), hashlib.sha256(held).hexdigest()] for name, held in members.items()
        ],
        "schema": SCHEMA,
    }
    table = (dumps({**told, "seal": _seal(told)}) + "\n").encode()
    whole = b"".join(_written(name, held) for name, held in {TABLE: table, **members}.items())
    if len(whole) + len(_END) > MAX_BYTES:
        raise ArgumentError(
            f"capsule: got {len(whole)} bytes; wants at most {MAX_BYTES}; split the run"
        )
    return whole + _END


def opened(raw: bytes) -> Opened:
    """The members of a capsule, and every one that is not as it was sealed. Never raises."""
    if len(raw) > MAX_BYTES:
        return Opened(members={}, damaged=((TABLE, f"got {len(raw)} bytes, more than any has"),))
    try:
        table, offset = _first(raw)
        listed = _listed(table)
    except _TableError as error:
        return Opened(members={}, damaged=((TABLE, str(error)),))
    members: dict[str, bytes] = {}
    damaged: list[tuple[str, str]] = []
    for name, size, digest in listed:
        held = raw[offset + _BLOCK : offset + _BLOCK + size]
        around = raw[offset : offset + _BLOCK], raw[offset + _BLOCK + size : offset + _span(size)]
        members[name] = held
        if hashlib.sha256(held).hexdigest() != digest:
            damaged.append((name, "is not what was sealed"))
        elif around != (_header(name, size), bytes(_span(size) - _BLOCK - size)):
            damaged.append((name, "is whole, but the archive around it was changed"))
        offset += _span(size)
    if raw[offset:] != _END:
        damaged.append((TABLE, "the end of the archive was changed or cut off"))
    return Opened(members=members, damaged=tuple(damaged))


def _first(raw: bytes) -> tuple[bytes, int]:
    """The table's bytes, and where the next member starts."""
    try:
        size = int(raw[124:135], 8)
    except ValueError:
        size = -1
    if not 0 < size <= len(raw) or raw[:_BLOCK] != _header(TABLE, size):
        raise _TableError("is not at the front, where a capsule has it")
    if any(raw[_BLOCK + size : _span(size)]):
        raise _TableError("the archive around it was changed")
    return raw[_BLOCK : _BLOCK + size], _span(size)


def _listed(table: bytes) -> list[tuple[str, int, str]]:
    """Name, size and digest of each member."""
    try:
        told = json.loads(table)
        seal = told.pop("seal")
        # The very bytes are compared, so that no flip hides behind an equal parse.
        if seal != _seal(told) or (dumps({**told, "seal": seal}) + "\n").encode() != table:
            raise _TableError("does not fit its own seal")
        if told["schema"] != SCHEMA:
            raise _TableError(f"got schema {told['schema']!r}; this edgeval reads {SCHEMA}")
        listed = [(name, size, digest) for name, size, digest in told["members"]]
        plain = all(_NAME.fullmatch(name) and 0 <= size <= MAX_BYTES for name, size, _ in listed)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise _TableError("is not the table of a capsule") from error
    names = {name for name, _, _ in listed}
    if not plain or len(names) != len(listed) or len(listed) >= MAX_MEMBERS or TABLE in names:
        raise _TableError("lists members that no capsule has")
    return listed


def _seal(told: Mapping[str, object]) -> str:
    return hashlib.sha256(dumps(told).encode()).hexdigest()


def _span(size: int) -> int:
    """Bytes of a member with its header and padding."""
    return _BLOCK + -(-size // _BLOCK) * _BLOCK


def _written(name: str, held: bytes) -> bytes:
    return _header(name, len(held)) + held + bytes(_span(len(held)) - _BLOCK - len(held))


def _header(name: str, size: int) -> bytes:
    """A ustar header (POSIX.1-1988): a plain file, readable by all, of nobody, from 1970."""
    fields = (
        name.encode().ljust(100, b"\0"),
        b"0000644\0" + b"0000000\0" * 2 + f"{size:011o}\0".encode() + b"0" * 11 + b"\0",
        b" " * 8 + b"0" + bytes(100) + b"ustar\0" + b"00",
    )
    blank = b"".join(fields).ljust(_BLOCK, b"\0")
    return blank[:148] + f"{sum(blank):06o}\0 ".encode() + blank[156:]
