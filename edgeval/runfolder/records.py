"""Records to JSON and back: the one schema of records.jsonl."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from edgeval.runfolder import typed
from edgeval.types import (
    Failure,
    Generation,
    Logits,
    PromptDigest,
    Question,
    Record,
    Score,
    Stages,
    Timing,
    Turn,
)

SCHEMA = 1


def to_json(record: Record) -> dict[str, object]:
    """Plain JSON values of one record. Times stand under ``timing`` and nowhere else."""
    row = asdict(record)
    row["schema"] = SCHEMA
    row["timing"] = row["generation"].pop("timing") if record.generation else None
    return row


def from_json(row: Mapping[str, Any]) -> Record:
    """The record a JSON row says. Raises KeyError or TypeError where it is not one."""
    if row["schema"] != SCHEMA:
        raise KeyError(f"schema {row['schema']}")
    question = dict(row["question"])
    question["choices"] = tuple(question["choices"])
    generation = None
    if row["generation"] is not None:
        timing = dict(row["timing"])
        timing["step_s"] = tuple(timing["step_s"])
        said = dict(row["generation"])
        said["token_ids"] = tuple(said["token_ids"])
        said["logits"] = _logits(said.get("logits"))
        generation = Generation(**said, timing=Timing(**timing))
    record = Record(
        question=Question(**question),
        setting=row["setting"],
        variant=row["variant"],
        frame_indices=tuple(row["frame_indices"]),
        video=row["video"],
        video_sha256=row["video_sha256"],
        prompt=None if row["prompt"] is None else PromptDigest(**row["prompt"]),
        generation=generation,
        scores={rule: _score(score) for rule, score in _pairs(row["scores"])},
        failure=None if row["failure"] is None else Failure(**row["failure"]),
        answer=row["answer"],
        damage=tuple(row["damage"]),
        turns=tuple(Turn(**turn) for turn in row["turns"]),
        note=row["note"],
        stages=_stages(row.get("stages")),
    )
    typed.check(record)
    return record


def _logits(row: Mapping[str, Any] | None) -> Logits | None:
    """Records made before stages were kept have none."""
    if row is None:
        return None
    return Logits(sha256=row["sha256"], top=tuple((at, value) for at, value in row["top"]))


def _stages(row: Mapping[str, Any] | None) -> Stages | None:
    if row is None:
        return None
    return Stages(
        pictures=tuple(row["pictures"]),
        pixels=row["pixels"],
        prompt_ids=tuple((token, times) for token, times in row["prompt_ids"]),
    )


def _pairs(table: object) -> Iterable[tuple[str, Any]]:
    if not isinstance(table, Mapping):
        raise TypeError(f"scores: got {table!r:.80}")
    return table.items()


def _score(row: Mapping[str, Any]) -> Score:
    parsed = row["parsed"]
    return Score(
        rule=row["rule"],
        value=row["value"],
        parsed=tuple(parsed) if isinstance(parsed, list) else parsed,
        status=row["status"],
    )
