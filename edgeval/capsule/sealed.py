"""Is a capsule whole: every bit as it was sealed, and its parts telling the same story."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edgeval.capsule import archive, pieces
from edgeval.capsule.pack import DATA, DIGESTS, LOCK, RESULTS, digests, lock
from edgeval.errors import DataError, RunFolderError
from edgeval.runfolder import CARD, RECORDS, card_in, records_in
from edgeval.types import Record

# More than any decoder takes; a hostile capsule could name any number.
_MAX_TOKENS = 1 << 24
WANTED = (CARD, RECORDS, RESULTS, DIGESTS, LOCK, DATA)
_UNREADABLE = (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is not as it was: the artefact or stage, the question if it is one's."""

    where: str
    said: str
    question: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Capsule:
    """A whole capsule, read."""

    card: Mapping[str, Any]
    records: tuple[Record, ...]
    report: Mapping[str, Any]
    model_files: Mapping[str, str]
    files: Mapping[str, str]
    members: Mapping[str, bytes]


def read(path: Path) -> bytes:
    """The bytes of a capsule. Raises DataError for a file that cannot be one."""
    try:
        with path.open("rb") as stream:
            raw = stream.read(archive.MAX_BYTES + 1)
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from error
    if len(raw) > archive.MAX_BYTES:
        raise DataError(f"{path}: got more than {archive.MAX_BYTES} bytes; no capsule is so big")
    return raw


def check(raw: bytes) -> tuple[Capsule | None, tuple[Finding, ...]]:
    """The capsule, or everything that is damaged in it."""
    found = archive.opened(raw)
    damaged = tuple(
        finding
        for name, said in found.damaged
        for finding in _named(name, said, found.members, {name for name, _ in found.damaged})
    )
    if damaged:
        return None, damaged
    if missing := [name for name in WANTED if name not in found.members]:
        return None, (Finding(where=archive.TABLE, said=f"lists no {missing[0]}"),)
    try:
        return _told(found.members)
    except RunFolderError as error:
        return None, (Finding(where=CARD, said=str(error)),)
    except _UNREADABLE as error:
        return None, (Finding(where=archive.TABLE, said=f"seals what is no capsule ({error!r})"),)


def _told(members: Mapping[str, bytes]) -> tuple[Capsule | None, tuple[Finding, ...]]:
    """The members as values, held against each other: a seal can be made again, a story less so."""
    card = card_in(members[CARD], CARD)
    told: Mapping[str, Any] = card
    tail = records_in(members[RECORDS], card)
    if tail.torn_bytes:
        line = members[RECORDS][: tail.offset].count(b"\n") + 1
        said = f"line {line} does not fit the chain from the run card"
        return None, (Finding(where=RECORDS, said=said, question=_id_of(members[RECORDS], line)),)
    data = json.loads(members[DATA])
    results = json.loads(members[RESULTS])["edgeval"]
    capsule = Capsule(
        card=card,
        records=tail.records,
        report={**results["report"], "figures": list(results["report"]["figures"])},
        model_files=_digests_of(told["identity"]["model"]["sha256"]),
        files=_digests_of(data["files"]),
        members=members,
    )
    wrong = [*_parts(capsule, data["videos"]), *_own_digests(capsule)]
    if results["identity"] != card["identity"]:
        wrong.append(Finding(where=RESULTS, said=f"is of another run than {CARD}"))
    return (None, tuple(wrong)) if wrong else (capsule, ())


def _digests_of(files: Mapping[str, object]) -> dict[str, str]:
    return {str(name): str(digest) for name, digest in files.items()}


def _parts(capsule: Capsule, videos: Mapping[str, str]) -> Iterator[Finding]:
    """Members that contradict the run card or the records."""
    if lock(capsule.card) != capsule.members[LOCK]:
        yield Finding(where=LOCK, said=f"is not what {CARD} says was installed")
    for name in (CARD, DATA):
        told = videos if name == DATA else capsule.card.get("videos", {})
        for record in capsule.records:
            if record.video_sha256 and told.get(record.video) != record.video_sha256:
                said = f"has another digest for {record.video} than the record"
                yield Finding(where=name, said=said, question=record.question.id)
                break
    if digests(capsule.members[RECORDS]) != capsule.members[DIGESTS]:
        yield Finding(where=DIGESTS, said=f"is not of these {RECORDS}")
    ids = Counter(record.question.id for record in capsule.records)
    if twice := next((name for name, times in ids.items() if times > 1), ""):
        yield Finding(where=RECORDS, said="comes twice", question=twice)


def _own_digests(capsule: Capsule) -> Iterator[Finding]:
    """Prompts whose token ids do not have the digest that the record keeps of them."""
    for record in capsule.records:
        if record.prompt is None or record.stages is None:
            continue
        tokens = [token for token, _ in record.stages.prompt_ids]
        times = [times for _, times in record.stages.prompt_ids]
        whole = min(times, default=1) > 0 and sum(times) == record.prompt.n_tokens <= _MAX_TOKENS
        ids = np.repeat(np.array(tokens, "<i8"), times) if whole else np.empty(0, "<i8")
        if hashlib.sha256(ids.tobytes()).hexdigest() != record.prompt.sha256:
            said = "the prompt's token ids do not have the digest that is kept of them"
            yield Finding(where=RECORDS, said=said, question=record.question.id)


def _named(
    name: str, said: str, members: Mapping[str, bytes], damaged: set[str]
) -> Iterator[Finding]:
    """A damaged member told as closely as the others allow: the question and the field."""
    whole = name == RECORDS and DIGESTS in members and DIGESTS not in damaged
    near = list(_fields(members)) if whole else []
    if name == DIGESTS and RECORDS in members and RECORDS not in damaged:
        near = list(_digest_lines(members))
    yield from near or [Finding(where=name, said=said)]


def _fields(members: Mapping[str, bytes]) -> Iterator[Finding]:
    lines = members[RECORDS].split(b"\n")
    for at, told in enumerate(members[DIGESTS].splitlines()):
        try:
            question, cut = json.loads(told)
            layout = [(str(part), int(size), str(digest)) for part, size, digest in cut]
        except _UNREADABLE:
            continue
        field = pieces.changed(lines[at] if at < len(lines) else b"", layout)
        if field:
            said = f"line {at + 1}: {field.removeprefix('record.')} is not what was sealed"
            yield Finding(where=RECORDS, said=said, question=str(question))


def _digest_lines(members: Mapping[str, bytes]) -> Iterator[Finding]:
    lines = members[DIGESTS].split(b"\n")
    for at, wanted in enumerate(digests(members[RECORDS]).splitlines()):
        if at >= len(lines) or lines[at] != wanted:
            said = f"line {at + 1} is not what was sealed"
            question = str(json.loads(wanted)[0])
            yield Finding(where=DIGESTS, said=said, question=question)


def _id_of(records: bytes, line: int) -> str:
    """The question of a line of records, as far as it can be read."""
    try:
        return str(json.loads(records.split(b"\n")[line - 1])["record"]["question"]["id"])
    except (*_UNREADABLE, IndexError):
        return f"line {line}"
