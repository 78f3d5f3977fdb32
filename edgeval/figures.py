"""The nouns of a report: figures, the published rows beside them, and all of them together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One number of a report: what it is, under which rule, over what, and how sure we are.

    ``value`` in percent, None when there is nothing to average (n = 0 or a rule that cannot be
    computed; ``note`` says why). ``group`` is "" for all, else "track=adaptation" or
    "track=adaptation,subject=Math". ``low``..``high``: 95 % interval. ``n`` counts failures;
    ``n_excluded`` are outside it because the rule says so.
    """

    name: str
    rule: str
    group: str
    value: float | None
    n: int
    low: float | None = None
    high: float | None = None
    n_failed: int = 0
    n_unparsed: int = 0
    n_excluded: int = 0
    n_needs_judge: int = 0
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A published or computed row to stand beside ours.

    ``values``: figure name or group -> percent.
    """

    name: str
    values: Mapping[str, float]
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Every figure of a run. ``headline``: (name, rule, group) keys of the main table, in order."""

    benchmark: str
    figures: tuple[Figure, ...]
    headline: tuple[tuple[str, str, str], ...]
    references: tuple[Reference, ...] = ()
    notes: tuple[str, ...] = ()
    comparisons: tuple[Figure, ...] = ()
