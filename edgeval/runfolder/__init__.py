"""Reading a run folder: its card, and every record that is whole.

    run.json        the run card, written once before the first question, completed after the last
    records.jsonl   one line per question: {"chain": ..., "record": {...}}
    .lock           held by the process that writes (edgeval.runfolder.journal)

``chain`` is the first 16 hex digits of sha256(previous chain + record bytes), so a flipped bit, a
lost line and a torn tail are all seen.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgeval.errors import Interrupted, RunFolderError
from edgeval.runfolder.records import from_json
from edgeval.types import Record

CARD = "run.json"
RECORDS = "records.jsonl"
CARD_SCHEMA = 1
# Tables of a card that are not its identity's.
TABLES = ("invocation", "device", "videos")
COST_TABLES = ("stages", "first_token_s", "a_second", "peak_bytes", "throttling")


def write_atomically(path: Path, text: str) -> None:
    """Write a file so that it is there whole or not at all (fsync, then rename).

    A device or a pipe (/dev/stdout, /dev/null) is written to, never replaced. Raises Interrupted.
    """
    partial = path.with_name(f".{path.name}.partial")
    try:
        if path.exists() and not path.is_file() and not path.is_dir():
            path.write_text(text, encoding="utf-8", newline="\n")
            return
        with partial.open("w", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        partial.replace(path)
    except OSError as error:
        with suppress(OSError):
            partial.unlink()
        raise Interrupted(
            f"{path.name}: could not be written ({error.strerror}); answers are safe, free the "
            f"disk and resume"
        ) from error


def dumps(value: object) -> str:
    """JSON in the one form that is hashed and compared: sorted keys, no spaces, UTF-8."""
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Tail:
    """What a journal held: whole records, chain and byte offset after the last, torn bytes."""

    records: tuple[Record, ...]
    chain: str
    offset: int
    torn_bytes: int
    lines_torn: int = 0


def read_card(folder: Path) -> dict[str, object]:
    """The run card of a folder. Raises RunFolderError when there is none or it is not one."""
    path = folder / CARD
    try:
        return card_in(path.read_bytes(), str(path))
    except FileNotFoundError:
        raise RunFolderError(
            f"{folder}: got no {CARD}; wants a folder written by 'edgeval run'"
        ) from None
    except NotADirectoryError:
        raise RunFolderError(
            f"{folder}: is not a folder; wants one written by 'edgeval run'"
        ) from None
    except OSError as error:
        raise RunFolderError(
            f"{path}: cannot be read as a run card ({error.strerror}); start a new run"
        ) from error


def card_in(raw: bytes, where: str) -> dict[str, object]:
    """The run card that ``raw`` is; ``where`` names it in the RunFolderError when it is none."""
    try:
        card = json.loads(raw.decode(), parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise RunFolderError(
            f"{where}: cannot be read as a run card ({error}); start a new run"
        ) from error
    wrong = _wrong_in(card)
    if wrong:
        raise RunFolderError(
            f"{where}: got a run card without a valid {wrong}; wants one written by 'edgeval run', "
            "unchanged"
        )
    return dict(card)


def _no_number(text: str) -> float:
    raise ValueError(f"got {text}, which is no JSON")


def _wrong_in(card: object) -> str:
    """The first key that this version cannot work with; empty when there is none."""
    if not isinstance(card, dict):
        return "object"
    identity = card.get("identity")
    if not isinstance(identity, dict):
        return "identity"
    valid = {
        "schema": card.get("schema") == CARD_SCHEMA,
        "identity.benchmark": isinstance(identity.get("benchmark"), str),
        "identity.model": isinstance(identity.get("model"), dict),
        "identity.data": isinstance(identity.get("data"), dict),
        "identity.frame_rule": isinstance(identity.get("frame_rule"), dict),
        "identity.decoding": isinstance(identity.get("decoding"), dict),
        "identity.versions": isinstance(identity.get("versions"), dict),
        "started": isinstance(card.get("started"), str),
        "seconds": isinstance(card.get("seconds", 0.0), (int, float)),
        **{key: isinstance(card.get(key, {}), dict) for key in TABLES},
        "packages": _tables_in(card.get("packages", {})),
        "costs": _costs_hold(card.get("costs", {})),
    }
    return next((key for key, good in valid.items() if not good), "")


def _tables_in(table: object) -> bool:
    return isinstance(table, dict) and all(isinstance(one, dict) for one in table.values())


def _costs_hold(costs: object) -> bool:
    """What a report takes for tables and for lists is that."""
    return (
        isinstance(costs, dict)
        and all(isinstance(costs.get(key, {}), dict) for key in COST_TABLES)
        and _tables_in(costs.get("stages", {}))
        and all(isinstance(costs.get(key, []), list) for key in ("energy", "sessions", "notes"))
    )


def model_name(card: Mapping[str, Any]) -> str:
    """The name of the model a run card is about."""
    return str(card["identity"]["model"].get("name", ""))


def seed_chain(card: Mapping[str, object]) -> str:
    """Chain value before the first record: it ties the journal to its run card."""
    return hashlib.sha256(dumps(card["identity"]).encode()).hexdigest()[:16]


def link(chain: str, body: str) -> str:
    """Chain value after ``body``."""
    return hashlib.sha256(f"{chain}{body}".encode()).hexdigest()[:16]


def read_records(folder: Path, card: Mapping[str, object]) -> Tail:
    """Every whole record up to the first that is torn or does not fit its chain.

    Raises RunFolderError where the file cannot be read.
    """
    path = folder / RECORDS
    try:
        raw = path.read_bytes() if path.exists() else b""
    except OSError as error:
        raise RunFolderError(
            f"{path}: cannot be read ({error.strerror}); restore the run folder"
        ) from error
    return records_in(raw, card)


def records_in(raw: bytes, card: Mapping[str, object]) -> Tail:
    """Every whole record of a journal's bytes up to the first that does not fit its chain."""
    chain = seed_chain(card)
    records: list[Record] = []
    offset = 0
    while (end := raw.find(b"\n", offset)) >= 0:
        found = _read_line(raw[offset:end], chain)
        if found is None:
            break
        chain, record = found
        records.append(record)
        offset = end + 1
    return Tail(
        records=tuple(records),
        chain=chain,
        offset=offset,
        torn_bytes=len(raw) - offset,
        lines_torn=raw.count(b"\n", offset),
    )


def _read_line(line: bytes, chain: str) -> tuple[str, Record] | None:
    try:
        entry = json.loads(line)
        body = dumps(entry["record"])
        after = link(chain, body)
        # The very bytes are compared, so that no flip hides behind an equal parse.
        if line.decode() != dumps({"chain": after, "record": entry["record"]}):
            return None
        return after, from_json(entry["record"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
