"""Counting records: what is in n, what a group scores, and how sure that is."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgeval.figures import Figure
from edgeval.types import Question, Record, Status

Sums = NDArray[np.float64]

MIN_CLUSTERS = 5
NOTHING = "nothing was scored"
# How a record's damage begins where a protocol did not do what its benchmark wishes.
UNFOLLOWED = "protocol "
_TAIL = 0.025


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One record under one rule. ``value`` in [0, 1], None where the rule leaves the answer out."""

    question: Question
    value: float | None
    status: Status
    failed: bool

    @property
    def cluster(self) -> str:
        """The video: answers about one video are not independent."""
        return self.question.tags.get("video", self.question.clip_id)


def cells(records: Sequence[Record], rule: str) -> tuple[Cell, ...]:
    """Every record under one rule. A question without an answer is worth 0 and stays."""
    return tuple(_cell(record, rule) for record in records)


def _cell(record: Record, rule: str) -> Cell:
    score = record.scores.get(rule)
    if record.failure is not None or score is None:
        return Cell(question=record.question, value=0.0, status="error", failed=True)
    left_out = score.status in ("excluded", "needs_judge")
    value = None if left_out else (score.value or 0.0)
    return Cell(question=record.question, value=value, status=score.status, failed=False)


def figure(
    key: tuple[str, str, str],
    group: Sequence[Cell],
    *,
    value: float | None,
    bounds: tuple[float, float] | None = None,
    n: int | None = None,
    note: str = "",
) -> Figure:
    """The figure at ``key`` (name, rule, group) with ``value`` and ``bounds`` in percent.

    ``n`` is what the rule counts in ``group`` unless it is given.
    """
    name, rule, over = key
    return Figure(
        name=name,
        rule=rule,
        group=over,
        value=value,
        low=bounds[0] if bounds else None,
        high=bounds[1] if bounds else None,
        n=sum(cell.value is not None for cell in group) if n is None else n,
        n_failed=sum(cell.failed for cell in group),
        n_unparsed=sum(cell.status == "unparsed" for cell in group),
        n_excluded=sum(cell.status == "excluded" for cell in group),
        n_needs_judge=sum(cell.status == "needs_judge" for cell in group),
        note=note,
    )


def mean(group: Sequence[Cell]) -> float | None:
    """The mean value in [0, 1] of those in n; None when there is none."""
    values = [cell.value for cell in group if cell.value is not None]
    return sum(values) / len(values) if values else None


def accuracy(key: tuple[str, str, str], group: Sequence[Cell], value: float | None) -> Figure:
    """The figure of a group whose accuracy is ``value`` in [0, 1], with its interval."""
    if value is None:
        return figure(key, group, value=None, note=NOTHING)
    counted = [cell for cell in group if cell.value is not None]
    columns = np.array([[cell.value, 1.0] for cell in counted], dtype=np.float64)
    bounds = share_interval(columns, [cell.cluster for cell in counted])
    return figure(key, group, value=100 * value, bounds=bounds)


def broken_down(
    name: str, rule: str, over: str, group: Sequence[Cell], tags: Sequence[str]
) -> Iterator[Figure]:
    """The accuracy of ``group``, then of each value of each tag in it, as micro means.

    ``over`` is the group's own key ("level=L1", "" for all); a cell without a tag is in none of it.
    """
    yield accuracy((name, rule, over), group, mean(group))
    for tag in tags:
        for value, part in by_tag(group, tag).items():
            key = f"{over},{tag}={value}" if over else f"{tag}={value}"
            yield accuracy((name, rule, key), part, mean(part))


def by_setting(records: Sequence[Record], main: str) -> Iterator[tuple[str, tuple[Record, ...]]]:
    """Records of each setting with what is put behind a figure's name: "" for ``main``."""
    for setting in dict.fromkeys(record.setting for record in records):
        suffix = "" if setting in (main, "") else f", {setting}"
        yield suffix, tuple(record for record in records if record.setting == setting)


def by_tag(group: Sequence[Cell], tag: str) -> dict[str, tuple[Cell, ...]]:
    """The cells of each value of a tag, values in order of the alphabet; those without are left."""
    values = {cell.question.tags[tag] for cell in group if tag in cell.question.tags}
    return {
        value: tuple(cell for cell in group if cell.question.tags.get(tag) == value)
        for value in sorted(values)
    }


def macro(
    key: tuple[str, str, str],
    groups: Mapping[str, Sequence[Cell]],
    *,
    note: str = "",
    weights: Mapping[str, float] | None = None,
) -> Figure:
    """The mean of the groups' means; groups without any are left out.

    Each group counts alike, or by its weight.
    """
    known = {name: x for name, group in groups.items() if (x := mean(group)) is not None}
    cells = [cell for group in groups.values() for cell in group]
    if not known:
        return figure(key, cells, value=None, note=note or NOTHING)
    shares = [1.0 if weights is None else weights[name] for name in known]
    counted = [(i, c) for i, name in enumerate(known) for c in groups[name] if c.value is not None]
    columns = np.zeros((len(counted), 2 * len(known)))
    for row, (part, cell) in zip(columns, counted, strict=True):
        row[2 * part : 2 * part + 2] = cell.value, 1

    def statistic(sums: Sums) -> Sums:
        means: Sums = divided(sums[:, ::2], sums[:, 1::2]) @ np.array(shares) / sum(shares)
        return means

    bounds = interval(columns, [cell.cluster for _, cell in counted], statistic)
    total = sum(value * share for value, share in zip(known.values(), shares, strict=True))
    return figure(key, cells, value=100 * total / sum(shares), bounds=bounds, note=note)


def fall(key: tuple[str, str, str], upper: Sequence[Cell], lower: Sequence[Cell]) -> Figure:
    """By how many points the mean falls from one group to another, resampling whole videos."""
    high, low = mean(upper), mean(lower)
    if high is None or low is None:
        return figure(key, (*upper, *lower), value=None, note=NOTHING)
    counted = [(2 * i, c) for i, g in enumerate((upper, lower)) for c in g if c.value is not None]
    columns = np.zeros((len(counted), 4))
    for row, (at, cell) in zip(columns, counted, strict=True):
        row[at : at + 2] = cell.value, 1
    bounds = interval(columns, [cell.cluster for _, cell in counted], _difference)
    return figure(key, (*upper, *lower), value=100 * (high - low), bounds=bounds)


def _difference(sums: Sums) -> Sums:
    """Column 0 over 1 less column 2 over 3; float64 [B, 4] to [B]."""
    shares: Sums = divided(sums[:, 0], sums[:, 1]) - divided(sums[:, 2], sums[:, 3])
    return shares


def notes(records: Sequence[Record]) -> Iterator[str]:
    """What every report says below its main table."""
    if records:
        yield (
            "intervals are 95 %, by resampling whole videos; exact binomial ones over videos where "
            f"those are all alike or fewer than {MIN_CLUSTERS}"
        )
    if any(record.failure is not None for record in records):
        yield "a question that failed is worth 0 and stays in n"
    damage = [said for record in records for said in record.damage]
    for said in sorted({said for said in damage if said.startswith(UNFOLLOWED)}):
        yield f"{said}: {damage.count(said)} of {len(records)} questions"


def left_out(records: Sequence[Record]) -> Iterator[str]:
    """How many answers each rule has outside its n, and why."""
    scores = [score for record in records for score in record.scores.values()]
    # Not as they come: a record read back has its rules by name. The authors' own rule first.
    rules = {score.rule for score in scores}
    for rule in sorted(rules, key=lambda rule: (rule != "official", rule)):
        statuses = [score.status for score in scores if score.rule == rule]
        if n := statuses.count("needs_judge"):
            yield f"rule {rule} needs a judge for {n} answers, which is not asked: outside its n"
        if n := statuses.count("excluded"):
            yield f"rule {rule} leaves {n} answers out of its n"


def share_interval(columns: Sums, clusters: Sequence[str]) -> tuple[float, float] | None:
    """95 % interval in percent of the sum of column 0 over that of column 1, by whole clusters.

    Where every share is 0, or every one 1, resampling shows no spread, and with few clusters it
    shows too little: there the exact binomial interval over clusters stands in, if each of them is
    wholly right or wholly wrong.
    """
    names = [name for name, (_, n) in zip(clusters, columns, strict=True) if n]
    top, bottom = columns.sum(axis=0)
    if top not in (0, bottom) and len(set(names)) >= MIN_CLUSTERS:
        return interval(columns, clusters, ratio)
    sums: dict[str, Sums] = {}
    for name, row in zip(clusters, columns, strict=True):
        sums[name] = sums.get(name, 0) + row
    shares = [float(right / n) for right, n in sums.values() if n]
    if not shares or any(share not in (0, 1) for share in shares):
        return None
    low, high = exact(int(sum(shares)), len(shares))
    return 100 * low, 100 * high


def exact(right: int, n: int) -> tuple[float, float]:
    """95 % interval in [0, 1] of a share, from ``right`` of n >= 1.

    Source: Clopper and Pearson 1934.
    """

    def at_most(k: int, p: float) -> float:
        return math.fsum(math.exp(_log_choose(n, i, p)) for i in range(k + 1))

    low = _root(lambda p: 1 - at_most(right - 1, p) - _TAIL) if right else 0.0
    high = _root(lambda p: _TAIL - at_most(right, p)) if right < n else 1.0
    return low, high


def _log_choose(n: int, i: int, p: float) -> float:
    """Logarithm of the chance of i in n; logarithms, because factorials outgrow floats."""
    ways = math.lgamma(n + 1) - math.lgamma(i + 1) - math.lgamma(n - i + 1)
    return ways + i * math.log(p) + (n - i) * math.log1p(-p)


def _root(rising: Callable[[float], float]) -> float:
    """Where a rising function on (0, 1) crosses 0, to 1e-15."""
    low, high = 0.0, 1.0
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (low, middle) if rising(middle) > 0 else (middle, high)
    return low


def interval(
    columns: Sums, clusters: Sequence[str], statistic: Callable[[Sums], Sums]
) -> tuple[float, float] | None:
    """95 % interval in percent of a statistic of the column sums, resampling whole clusters.

    ``columns``: float64 [n, k]. None with fewer than MIN_CLUSTERS, where there is nothing to divide
    by, and where resampling shows no spread, which says nothing of what other videos would show.
    """
    if len(set(clusters)) < MIN_CLUSTERS:
        return None
    # Late, because it brings the extension, which listing benchmarks must not load.
    from edgeval import stats

    low, high = stats.clustered_interval(columns, clusters, statistic)
    return (100 * low, 100 * high) if low < high else None


def ratio(sums: Sums) -> Sums:
    """Column 0 over column 1; float64 [B, 2] to [B], nan where nothing was counted."""
    return divided(sums[:, 0], sums[:, 1])


def divided(top: Sums, bottom: Sums) -> Sums:
    """``top / bottom``, nan where ``bottom`` is 0."""
    shares: Sums = np.divide(top, bottom, out=np.full(top.shape, np.nan), where=bottom != 0)
    return shares
