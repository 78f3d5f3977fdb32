"""What is kept of a model's answers, as values and as a file beside its graphs."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeval.errors import ManifestError
from edgeval.runfolder import records, write_atomically
from edgeval.types import Logits, Record, Timing

SCHEMA = 1
# Values kept of a clip's features: a prime, so that every column of a row gets its turn.
KEPT = 97
# Logits kept behind each token.
BEST = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """What is kept of image features [n, hidden]: digest, and values spread evenly over them."""

    shape: tuple[int, ...]
    sha256: str
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One question and every stage of its answer.

    ``features`` None: nothing was looked at. ``logits``: behind the prompt, then behind each token.
    """

    benchmark: str
    record: Record
    features: Signature | None
    logits: tuple[Logits, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tolerance:
    """How far another engine may be off.

    ``features``: largest difference over the root mean square of what was kept; ``logits``: largest
    difference of a logit.
    """

    features: float
    logits: float


# A kernel that adds in another order is off by far less, a wrong one by far more.
TOLERANCES: Mapping[str, Tolerance] = {
    "fp32": Tolerance(features=1e-3, logits=0.01),
    "fp16": Tolerance(features=0.02, logits=0.1),
}
COARSE = Tolerance(features=0.1, logits=1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """The answers of one precision. ``sha256`` of the model's files; ``made``: on what."""

    sha256: Mapping[str, str]
    made: Mapping[str, str]
    tolerance: Tolerance
    answers: tuple[Answer, ...]


Reference = Mapping[str, Kept]


def signature(rows: NDArray[np.float32]) -> Signature:
    """What is kept of image features."""
    values = np.ascontiguousarray(rows, "<f4")
    flat = values.ravel()
    at = np.arange(min(KEPT, flat.size)) * flat.size // max(1, min(KEPT, flat.size))
    return Signature(
        shape=values.shape,
        sha256=hashlib.sha256(values.data).hexdigest(),
        values=tuple(float(f"{value:.7g}") for value in flat[at]),
    )


def shortened(logits: Logits) -> Logits:
    """Logits as they are kept: a file beside the graphs has many of them."""
    top = tuple((at, float(f"{value:.7g}")) for at, value in logits.top[:BEST])
    return Logits(sha256=logits.sha256[:16], top=top)


def tolerance_of(precision: str) -> Tolerance:
    """How far another engine may be off in a precision."""
    return TOLERANCES.get(precision, COARSE)


def write(path: Path, reference: Reference) -> None:
    """Write the file, one line an answer. Raises Interrupted when the disk does not take it."""
    row = {
        "schema": SCHEMA,
        "precisions": {name: _kept_row(kept) for name, kept in sorted(reference.items())},
    }
    write_atomically(path, json.dumps(row, separators=(",", ":"), sort_keys=True) + "\n")


def read(path: Path) -> Reference:
    """Read the file. ManifestError where there is none, or none that this version understands."""
    try:
        row = json.loads(path.read_text(encoding="utf-8"))
        if row["schema"] != SCHEMA:
            raise ManifestError(f"{path}: got schema {row['schema']!r}; wants {SCHEMA}")
        return {name: _kept(kept) for name, kept in row["precisions"].items()}
    except OSError as error:
        raise ManifestError(
            f"{path}: cannot be read ({error.strerror}); make it on a machine that you trust with "
            "'edgeval selftest --record'"
        ) from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        if isinstance(error, ManifestError):
            raise
        raise ManifestError(
            f"{path}: is no record of a self-test ({type(error).__name__}: {error}); make it again "
            "with 'edgeval selftest --record'"
        ) from error


def _kept_row(kept: Kept) -> dict[str, object]:
    return {
        "sha256": dict(kept.sha256),
        "made": dict(kept.made),
        "tolerance": dataclasses.asdict(kept.tolerance),
        "answers": [_answer_row(answer) for answer in kept.answers],
    }


def _answer_row(answer: Answer) -> dict[str, object]:
    record = records.to_json(answer.record)
    del record["timing"]
    return {
        "benchmark": answer.benchmark,
        "record": record,
        "features": None if answer.features is None else dataclasses.asdict(answer.features),
        "logits": [dataclasses.asdict(one) for one in answer.logits],
    }


def _kept(row: Mapping[str, Any]) -> Kept:
    return Kept(
        sha256=dict(row["sha256"]),
        made=dict(row["made"]),
        tolerance=Tolerance(**row["tolerance"]),
        answers=tuple(_answer(answer) for answer in row["answers"]),
    )


def _answer(row: Mapping[str, Any]) -> Answer:
    features = row["features"]
    timing = {**dataclasses.asdict(Timing()), "step_s": ()}
    return Answer(
        benchmark=row["benchmark"],
        record=records.from_json({**row["record"], "timing": timing}),
        features=None
        if features is None
        else Signature(
            shape=tuple(features["shape"]),
            sha256=features["sha256"],
            values=tuple(features["values"]),
        ),
        logits=tuple(
            Logits(sha256=one["sha256"], top=tuple((at, value) for at, value in one["top"]))
            for one in row["logits"]
        ),
    )
