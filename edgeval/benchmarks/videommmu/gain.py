"""What was learnt from the video: adaptation after watching against the same question alone.

Two definitions stand side by side. Ours count each answer by its score under a rule. The authors'
scripts (VideoMMMU@88b4ac3e07326eaabda3a4afe8e7f30dd02bc143, experiment_on_delta) judge the parsed
answer anew and divide by 300; ``script_correct`` and ``script_rates`` do as they do.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass

import numpy as np

from edgeval import tally
from edgeval.answers import Term
from edgeval.benchmarks.videommmu.accuracy import official_accuracy
from edgeval.benchmarks.videommmu.rules import OFFICIAL
from edgeval.errors import ArgumentError
from edgeval.figures import Figure
from edgeval.tally import Cell, Sums
from edgeval.types import Record, Score

DELTA, W2R, R2W = "delta-knowledge", "wrong-to-right", "right-to-wrong"
SCRIPT = " (authors' script)"
VIDEOS = 300

_API_ERROR = "api error"
_NOT_FINITE = frozenset({"nan", "inf", "-inf"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """Percent of the wrong that became right, and of the right that became wrong."""

    wrong_to_right: float
    right_to_wrong: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pair:
    """One adaptation question asked after the video and alone, as cell and record of each."""

    after: Cell
    before: Cell
    after_record: Record
    before_record: Record


def delta_knowledge(after: float, before: float) -> float:
    """The share of what was left to learn that was learnt; all three in percent.

    Raises ArgumentError when nothing was left. Source: VideoMMMU README.
    """
    if before == 100:
        raise ArgumentError(
            "delta-knowledge: got 100 % right before the video, which leaves nothing to learn "
            "(a division by zero)"
        )
    return (after - before) / (100 - before) * 100


def script_correct(gold: str, score: Score) -> bool:
    """Whether check_correct.py counts a parsed answer.

    It looks for ``question_type`` where the logs do not have it, so that every row is judged as
    open: the gold text, in lower case, inside a parsed text. An excluded answer ("API Error") is
    right for the golds A, E, I, O, P and R; a parsed number is never right.
    """
    wanted = gold.strip().lower()
    if score.status == "excluded":
        return wanted in _API_ERROR
    if score.parsed is None:
        return False
    if isinstance(score.parsed, str):
        return wanted in score.parsed.strip().lower()
    return any(_contains(term, wanted) for term in score.parsed)


def _contains(term: Term, wanted: str) -> bool:
    return isinstance(term, str) and term not in _NOT_FINITE and wanted in term


def script_rates(after: Set[str], before: Set[str], total: int = VIDEOS) -> Rates:
    """check_wrong2right.py on the ids that were right after and before the video.

    Raises ArgumentError where the script divides by zero.
    """
    if len(before) == total:
        raise ArgumentError(
            f"wrong-to-right: got all {total} right before the video, which leaves none to become "
            "right (a division by zero)"
        )
    if not before:
        raise ArgumentError(
            "right-to-wrong: got none right before the video, which leaves none to become wrong "
            "(a division by zero)"
        )
    return Rates(
        wrong_to_right=len(after - before) / (total - len(before)) * 100,
        right_to_wrong=len(before - after) / len(before) * 100,
    )


def figures(records: Sequence[Record], rule: str) -> Iterator[Figure]:
    """The gain under one rule, over the questions asked both ways; nothing when none was."""
    if pairs := _pairs(records, rule):
        yield _delta(rule, pairs)
        yield from _changes(rule, pairs)
        if rule == OFFICIAL:
            yield from _script_changes(pairs)


def _pairs(records: Sequence[Record], rule: str) -> tuple[_Pair, ...]:
    asked: dict[str, dict[str, Record]] = {"video": {}, "question-only": {}}
    for record in records:
        if record.setting in asked and record.question.tags["track"] == "adaptation":
            asked[record.setting][record.question.row_id] = record
    after, before = asked["video"], asked["question-only"]
    return tuple(
        _Pair(
            after=tally.cells([after[row_id]], rule)[0],
            before=tally.cells([before[row_id]], rule)[0],
            after_record=after[row_id],
            before_record=before[row_id],
        )
        for row_id in after
        if row_id in before
    )


def _delta(rule: str, pairs: Sequence[_Pair]) -> Figure:
    after = official_accuracy(pair.after for pair in pairs)
    before = official_accuracy(pair.before for pair in pairs)
    value, note = None, tally.NOTHING
    if after is not None and before is not None:
        try:
            value, note = delta_knowledge(100 * after, 100 * before), ""
        except ArgumentError as error:
            note = str(error)
    bounds = None if value is None else _delta_bounds(pairs)
    key = (DELTA, rule, "")
    return tally.figure(key, _cells(pairs), value=value, bounds=bounds, n=len(pairs), note=note)


def _delta_bounds(pairs: Sequence[_Pair]) -> tuple[float, float] | None:
    """The gain's interval. With all right after the video resampling shows a gain of 100 always.

    There the bound of the accuracy itself, which is exact, gives the lower end.
    """
    columns = np.array([(*_counted(p.after), *_counted(p.before)) for p in pairs])
    clusters = [pair.after.cluster for pair in pairs]
    after, n_after, before, n_before = columns.sum(axis=0)
    if after < n_after:
        return tally.interval(columns, clusters, _delta_of_sums)
    bounds = tally.share_interval(columns[:, :2], clusters)
    return bounds and (delta_knowledge(bounds[0], 100 * before / n_before), bounds[1])


def _counted(cell: Cell) -> tuple[float, float]:
    return (0.0, 0.0) if cell.value is None else (cell.value, 1.0)


def _delta_of_sums(sums: Sums) -> Sums:
    after, before = tally.ratio(sums[:, :2]), tally.ratio(sums[:, 2:])
    return tally.divided(after - before, 1 - before)


def _changes(rule: str, pairs: Sequence[_Pair]) -> Iterator[Figure]:
    """Wrong to right and right to wrong; an excluded answer is not a right one."""
    right = [(pair.after.value == 1, pair.before.value == 1) for pair in pairs]
    clusters = [pair.after.cluster for pair in pairs]
    for name, columns, nothing in (
        (W2R, [(a and not b, not b) for a, b in right], "wrong"),
        (R2W, [(b and not a, b) for a, b in right], "right"),
    ):
        sums = np.array(columns, dtype=np.float64)
        top, bottom = sums.sum(axis=0)
        bounds = tally.share_interval(sums, clusters) if bottom else None
        yield tally.figure(
            (name, rule, ""),
            _cells(pairs),
            value=float(100 * top / bottom) if bottom else None,
            bounds=bounds,
            n=int(bottom),
            note="" if bottom else f"nothing was {nothing} before the video (a division by zero)",
        )


def _script_changes(pairs: Sequence[_Pair]) -> Iterator[Figure]:
    """The two rates as the authors' scripts print them, over the pairs asked instead of 300."""
    after = {p.after.question.row_id for p in pairs if _script_right(p.after_record)}
    before = {p.before.question.row_id for p in pairs if _script_right(p.before_record)}
    note = "" if len(pairs) == VIDEOS else f"over {len(pairs)} instead of {VIDEOS}"
    values: tuple[float | None, float | None] = (None, None)
    try:
        rates = script_rates(after, before, total=len(pairs))
        values = (rates.wrong_to_right, rates.right_to_wrong)
    except ArgumentError as error:
        note = str(error)
    bases = (len(pairs) - len(before), len(before))
    for name, value, n in zip((W2R, R2W), values, bases, strict=True):
        key = (name + SCRIPT, OFFICIAL, "")
        yield tally.figure(key, _cells(pairs), value=value, n=n, note=note)


def _script_right(record: Record) -> bool:
    score = record.scores.get(OFFICIAL)
    if record.failure is not None or score is None:
        return False
    return script_correct(record.question.answer, score)


def _cells(pairs: Sequence[_Pair]) -> list[Cell]:
    return [cell for pair in pairs for cell in (pair.after, pair.before)]
