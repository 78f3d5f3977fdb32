"""Why answers are wrong: a seeded sample on a sheet for a person to fill, and the tally of sheets.

A wrong answer may have several causes; each of its n causes counts 1/n, as VSI-Bench's paper counts
(arXiv 2412.14171, section 4). The sheet is CSV, so that any spreadsheet opens it.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from edgeval.errors import DataError, UnknownName
from edgeval.types import Record

CAUSES = "causes"
COLUMNS = ("id", "picture", "question", "options", "gold", "answer", "explanation", CAUSES)
EXPLAIN = "Please explain your answer step by step."
# The papers' own; "other" and what the rest get are ours.
CATEGORIES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "videommmu": (  # arXiv 2501.13826, section 4.3
            "question misreading",
            "method selection",
            "method adaptation",
            "answer extraction",
            "refuse to answer",
            "annotation",
        ),
        "vsibench": (  # arXiv 2412.14171, section 4.2
            "visual perception",
            "linguistic intelligence",
            "relational reasoning",
            "egocentric-allocentric transformation",
        ),
    }
)
ANY = ("perception", "order in time", "reasoning", "instruction", "annotation", "other")
# What a spreadsheet would run as a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """``shares``: cause to summed 1/n; ``n_filled`` rows name a cause, ``n_empty`` do not."""

    shares: Mapping[str, float]
    n_filled: int
    n_empty: int


def categories(benchmark: str) -> tuple[str, ...]:
    """The causes a sheet of this benchmark may name."""
    return CATEGORIES.get(benchmark, ANY)


def sample_wrong(records: Sequence[Record], rule: str, n: int, seed: int) -> tuple[Record, ...]:
    """At most n wrong answers under a rule, drawn by seed, in the order of the run.

    Failed questions and variants are left out: they have no answer to explain.
    """
    wrong = [
        record
        for record in records
        if not record.variant
        and record.failure is None
        and (score := record.scores.get(rule)) is not None
        and score.value is not None
        and score.value < 1
    ]
    drawn = sorted(wrong, key=lambda record: _draw(seed, record.question.id))[:n]
    chosen = {record.question.id for record in drawn}
    return tuple(record for record in wrong if record.question.id in chosen)


def _draw(seed: int, question_id: str) -> str:
    return hashlib.sha256(f"{seed}:{question_id}".encode()).hexdigest()


def write_sheet(
    path: Path,
    records: Sequence[Record],
    *,
    explanations: Mapping[str, str],
    pictures: Mapping[str, str],
) -> None:
    """One row a wrong answer, causes left empty. Raises DataError where it cannot be written."""
    try:
        with path.open("w", encoding="utf-8", newline="") as stream:
            sheet = csv.writer(stream)
            sheet.writerow(COLUMNS)
            for record in records:
                question = record.question
                options = "\n".join(question.choices)
                key = question.id
                texts = (question.text, options, question.answer, record.answer)
                row = (key, pictures.get(key, ""), *texts, explanations.get(key, ""), "")
                sheet.writerow([_harmless(cell) for cell in row])
    except OSError as error:
        raise DataError(f"{path}: cannot be written ({error.strerror})") from error


def _harmless(cell: str) -> str:
    """The cell as text even to a spreadsheet: models may say what looks like a formula."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def tally(path: Path, known: Sequence[str]) -> Tally:
    """Count a filled sheet; causes are separated by ";".

    Raises DataError for a file that is no sheet, UnknownName for a cause that is not ``known``.
    """
    shares = dict.fromkeys(known, 0.0)
    n_filled = n_empty = 0
    for row in _rows(path):
        causes = [cause.strip().lower() for cause in row.split(";") if cause.strip()]
        for cause in causes:
            if cause not in shares:
                raise UnknownName("cause", cause, known)
            shares[cause] += 1 / len(causes)
        n_filled += bool(causes)
        n_empty += not causes
    return Tally(shares=shares, n_filled=n_filled, n_empty=n_empty)


def _rows(path: Path) -> Sequence[str]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            sheet = csv.DictReader(stream)
            if CAUSES not in (sheet.fieldnames or ()):
                raise DataError(f"{path}: has no column {CAUSES!r}; wants a sheet of this verb")
            return [row[CAUSES] or "" for row in sheet]
    except OSError as error:
        raise DataError(f"{path}: cannot be read as a sheet ({error.strerror})") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: cannot be read as a sheet ({error})") from error
