"""device.jsonl: how the hardware fared while a run went on, in the form of the journal.

    {"chain": ..., "entry": {"session": {...}}}                 when a run starts or is resumed
    {"chain": ..., "entry": {"samples": {...}, "sums": {...}}}  every two seconds, and at the end

``chain`` is that of records.jsonl: 16 hex digits of sha256(previous chain + entry), seeded by the
run card. ``sums`` are since the session began, so a kill loses two seconds at most. A damaged line
and what stands behind it are cut off: the time lines are evidence, the records are the run.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edgeval.runfolder import dumps, link, seed_chain

FILE = "device.jsonl"
SCHEMA = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One stretch of a run: what was measured with, and the sums at its last whole line."""

    facts: Mapping[str, Any]
    sums: Mapping[str, Any] = field(default_factory=dict)
    samples: tuple[Mapping[str, Any], ...] = ()


class TimeLine:
    """Appends to device.jsonl; the caller holds the run folder's lock (the journal has it)."""

    def __init__(self, folder: Path, card: Mapping[str, object]) -> None:
        """Open at the last whole line; raises OSError where the file cannot be written."""
        path = folder / FILE
        _, self._chain, offset = _read(path, card)
        self._handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        os.ftruncate(self._handle, offset)

    def append(self, entry: Mapping[str, object]) -> None:
        """Make one line durable. Raises OSError."""
        after = link(self._chain, dumps(entry))
        line = (dumps({"chain": after, "entry": entry}) + "\n").encode()
        view = memoryview(line)
        while view:
            view = view[os.write(self._handle, view) :]
        os.fsync(self._handle)
        self._chain = after

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._handle)


def sessions(folder: Path, card: Mapping[str, object]) -> tuple[Session, ...]:
    """Every session of a run folder, in order; none where nothing was measured."""
    begun: list[tuple[Mapping[str, Any], list[Mapping[str, Any]]]] = []
    for entry in _read(folder / FILE, card)[0]:
        if "session" in entry:
            begun.append((entry["session"], []))
        elif begun:
            begun[-1][1].append(entry)
    return tuple(
        Session(
            facts=facts,
            sums=rows[-1]["sums"] if rows else {},
            samples=tuple(row["samples"] for row in rows),
        )
        for facts, rows in begun
    )


def _read(path: Path, card: Mapping[str, object]) -> tuple[list[Mapping[str, Any]], str, int]:
    """Whole entries, the chain after the last, and the byte behind it."""
    chain = seed_chain(card)
    entries: list[Mapping[str, Any]] = []
    offset = 0
    try:
        raw = path.read_bytes()
    except OSError:
        raw = b""
    while (end := raw.find(b"\n", offset)) >= 0:
        found = _entry(raw[offset:end], chain)
        if found is None:
            break
        chain, entry = found
        entries.append(entry)
        offset = end + 1
    return entries, chain, offset


def _entry(line: bytes, chain: str) -> tuple[str, Mapping[str, Any]] | None:
    try:
        row = json.loads(line)
        after = link(chain, dumps(row["entry"]))
        whole = line.decode() == dumps({"chain": after, "entry": row["entry"]})
        kinds = {"session"}, {"samples", "sums"}
        return (after, row["entry"]) if whole and set(row["entry"]) in kinds else None
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
