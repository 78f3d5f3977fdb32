"""Two models on the same questions: how far apart every headline is, and how sure that is.

A headline is any function of the records (a mean, a mean of means, a gain), so its difference is
taken by asking the benchmark's own report again with some videos left out of both runs: a
delete-a-group jackknife over whole videos, with Student's t.
Source: Kott 2001, "The delete-a-group jackknife", Journal of Official Statistics 17.
"""

from __future__ import annotations

import dataclasses
import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from edgeval.figures import Report
from edgeval.tally import MIN_CLUSTERS, cells
from edgeval.types import Record

Key = tuple[str, str, str]
Reporter = Callable[[Sequence[Record]], Report]

# More groups make the interval steadier by a few percent and cost two reports each.
MAX_GROUPS = 40
_Z = 1.959963984540054


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One headline of two runs, in percent; ``low``..``high``: 95 % interval of ``b`` less ``a``.

    ``key``: name, rule and group. None where a run has no value, where there are fewer than
    MIN_CLUSTERS videos or answers, or where a value vanishes with some of them.
    """

    key: Key
    a: float | None
    b: float | None
    n: int
    low: float | None = None
    high: float | None = None

    @property
    def value(self) -> float | None:
        """``b`` less ``a``."""
        return None if self.a is None or self.b is None else self.b - self.a


def differences(
    report: Reporter, a: Sequence[Record], b: Sequence[Record]
) -> tuple[Difference, ...]:
    """Every headline that both runs have, over the same questions, paired by video.

    ``a`` and ``b`` hold the same question ids.
    """
    whole = report(a), report(b)
    values = [_values(one) for one in whole]
    counts = {(f.name, f.rule, f.group): f.n for f in whole[1].figures}
    headline = [key for key in whole[0].headline if key in whole[1].headline]
    # Of one cluster a report takes no intervals, which are most of its work.
    plain = [[_without_cluster(record) for record in records] for records in (a, b)]
    groups = _groups([_cluster(record) for record in a])
    order = {record.question.id: group for record, group in zip(a, groups, strict=True)}
    n_groups = len(set(groups))
    parts = [
        [
            _values(report([r for r in records if order[r.question.id] != left_out]))
            for records in plain
        ]
        for left_out in range(n_groups)
    ]
    return tuple(
        _difference(key, values, parts, counts[key], n_videos=len({_cluster(r) for r in a}))
        for key in headline
    )


def _difference(
    key: Key,
    values: Sequence[Mapping[Key, float | None]],
    parts: Sequence[Sequence[Mapping[Key, float | None]]],
    n: int,
    *,
    n_videos: int,
) -> Difference:
    a, b = (one.get(key) for one in values)
    found = Difference(key=key, a=a, b=b, n=n)
    if a is None or b is None or min(n, n_videos) < MIN_CLUSTERS:
        return found
    left = [(first.get(key), second.get(key)) for first, second in parts]
    deltas = [y - x for x, y in left if x is not None and y is not None]
    if len(deltas) < len(left):
        return found
    mean = math.fsum(deltas) / len(deltas)
    spread = math.fsum((delta - mean) ** 2 for delta in deltas)
    error = math.sqrt(spread * (len(deltas) - 1) / len(deltas))
    half = student(len(deltas) - 1) * error
    return dataclasses.replace(found, low=b - a - half, high=b - a + half)


def _values(report: Report) -> dict[Key, float | None]:
    return {(f.name, f.rule, f.group): f.value for f in report.figures}


def _cluster(record: Record) -> str:
    (cell,) = cells([record], "")
    return cell.cluster


def _without_cluster(record: Record) -> Record:
    question = record.question
    tags = {**question.tags, "video": ""}
    return dataclasses.replace(record, question=dataclasses.replace(question, tags=tags))


def _groups(clusters: Sequence[str]) -> list[int]:
    """The group of each video: as many groups as videos, at most MAX_GROUPS, of even size."""
    names = sorted(set(clusters), key=lambda name: hashlib.sha256(name.encode()).digest())
    group = {name: at % MAX_GROUPS for at, name in enumerate(names)}
    return [group[name] for name in clusters]


def student(freedom: int) -> float:
    """The 97.5 % point of Student's t, to 0.3 % from four degrees of freedom on.

    Source: Abramowitz and Stegun 26.7.5.
    """
    z, v = _Z, freedom
    return (
        z
        + (z**3 + z) / (4 * v)
        + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * v**2)
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * v**3)
    )
