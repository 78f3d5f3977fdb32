"""A finished run folder, and what it was made from, as the members of a capsule."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgeval import dataset
from edgeval.capsule import pieces
from edgeval.errors import EdgevalError, RunFolderError
from edgeval.modelfolder import manifest
from edgeval.runcard import root_of
from edgeval.runfolder import CARD, RECORDS, dumps, read_card, read_records
from edgeval.runspec import Spec

RESULTS, DIGESTS, LOCK, DATA = "results.json", "digests.jsonl", "lock.txt", "data.json"
MANIFEST = manifest.FILE
# What questions, subtitles and rows come in; videos are known by the digests of the run.
_WRITTEN = frozenset({".csv", ".json", ".jsonl", ".parquet", ".srt", ".tsv", ".txt", ".vtt"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Packed:
    """Members of a capsule, and one sentence for each thing that could not be put in."""

    members: Mapping[str, bytes]
    notes: tuple[str, ...]
    n_records: int


def gather(folder: Path) -> Packed:
    """Everything about a finished run. The same run gives the same bytes.

    Raises RunFolderError for a run that is not finished or not whole.
    """
    card: Mapping[str, Any] = read_card(folder)
    tail = read_records(folder, card)
    if "finished" not in card:
        raise RunFolderError(
            f"{folder}: got a run that has not finished; go on with 'edgeval run --resume {folder}'"
        )
    if tail.torn_bytes or not tail.records:
        raise RunFolderError(
            f"{folder}: {RECORDS} is damaged or empty; go on with 'edgeval run --resume {folder}'"
        )
    raw = _read(folder / RECORDS)
    members = {
        CARD: _read(folder / CARD),
        RECORDS: raw,
        RESULTS: _read(folder / RESULTS),
        DIGESTS: digests(raw),
        LOCK: lock(card),
    }
    files, data_note = _data_files(card)
    members[DATA] = (dumps({"files": files, "videos": card.get("videos", {})}) + "\n").encode()
    declared, manifest_note = _manifest(card)
    if declared is not None:
        members[MANIFEST] = declared
    notes = tuple(note for note in (data_note, manifest_note) if note)
    return Packed(members=members, notes=notes, n_records=len(tail.records))


def digests(records: bytes) -> bytes:
    """For each line of records.jsonl, its question and the digest of every field."""
    lines = []
    for line in records.split(b"\n")[:-1]:
        question = json.loads(line)["record"]["question"]["id"]
        lines.append(dumps([question, pieces.layout(line.decode())]) + "\n")
    return "".join(lines).encode()


def lock(card: Mapping[str, Any]) -> bytes:
    """The packages that the run had, one a line: name, version, digest of the installed files."""
    found = card.get("packages", {})
    lines = [f"{name}=={said['version']} sha256:{said['sha256']}" for name, said in found.items()]
    return "".join(line + "\n" for line in sorted(lines)).encode()


def _data_files(card: Mapping[str, Any]) -> tuple[dict[str, str], str]:
    """Digest of every file with questions or subtitles; a note where the data are not here."""
    try:
        root = root_of(Spec.from_card(card))
        paths = sorted(path for path in root.rglob("*") if path.suffix.lower() in _WRITTEN)
        names = [path.relative_to(root).as_posix() for path in paths if path.is_file()]
        return {name: dataset.sha256(dataset.inside(root, name)) for name in names}, ""
    except EdgevalError as error:
        return {}, f"the digests of the data files are left out: {error}"


def _manifest(card: Mapping[str, Any]) -> tuple[bytes | None, str]:
    """The model's manifest, if it still is the one of the run."""
    try:
        folder = manifest.find(str(card["invocation"]["model"]))
        if not (folder / MANIFEST).is_file():
            return None, f"{folder} has no {MANIFEST}; the digests of its files are in the run card"
        promised = {
            file.path.relative_to(folder).as_posix(): file.sha256
            for file in manifest.load(folder).all_files()
        }
        told = card["identity"]["model"]["sha256"]
        if changed := [name for name in told if promised.get(name) != told[name]]:
            return None, f"{MANIFEST} is left out: {changed[0]} is no longer that of the run"
        return _read(folder / MANIFEST), ""
    except (EdgevalError, KeyError, TypeError) as error:
        return None, f"{MANIFEST} is left out: {error}"


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise RunFolderError(
            f"{path}: cannot be read ({error.strerror}); run 'edgeval score {path.parent}' to make "
            "the final files anew"
        ) from error


def sha256(raw: bytes) -> str:
    """Hex digest of a whole capsule, by which it can be told from any other."""
    return hashlib.sha256(raw).hexdigest()
