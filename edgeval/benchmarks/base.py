"""What a benchmark is to the rest: a value with a loader, a prompt, rules and a headline."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from edgeval.figures import Reference, Report
from edgeval.types import Ask, Clip, Question, Record, Score


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing wrong (or right) with a dataset folder: missing, damaged, extra or ok."""

    kind: str
    path: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DataCheck:
    """What ``data check`` found. ``counts``: files and rows by kind.

    ``sha256``: path -> digest of what was read.
    """

    findings: tuple[Finding, ...]
    counts: Mapping[str, int]
    sha256: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Benchmark:
    """One benchmark. A module ``edgeval.benchmarks.<module>`` holds exactly one, named BENCHMARK.

    ``rules``: every answer is scored under all of them, the first leads. ``settings``: named ways
    to run it; ``default_settings`` are those of a plain run. ``clips(root, settings, tasks)``
    yields clips in a fixed order. ``metric`` is the name
    lmms-eval gives its figure. ``question(row)`` reads one raw dataset row, with the fields it
    lacks added (``track``); DataError says what is wrong. ``compared_by``: the tag by
    whose values a comparison of two askings is told as well, "" for none. ``published``: the
    splits of the dataset and how many questions each has, for people. ``asks``: other words for a
    question, by protocol or by "<protocol>:<family>".
    """

    name: str
    title: str
    tasks: tuple[str, ...]
    settings: tuple[str, ...]
    default_settings: tuple[str, ...]
    rules: tuple[str, ...]
    metric: str
    licence: str
    source: str
    embedded: Path | None
    references: tuple[Reference, ...]
    clips: Callable[[Path, Sequence[str], Sequence[str]], Iterator[Clip]]
    ask: Callable[[Clip, Question], Ask]
    question: Callable[[Mapping[str, object]], Question]
    score: Callable[[Question, str], tuple[Score, ...]]
    report: Callable[[Sequence[Record]], Report]
    check: Callable[[Path], DataCheck]
    compared_by: str = ""
    published: str = ""
    asks: Mapping[str, Callable[[Clip, Question], Ask]] = field(default_factory=dict)

    def under(self, protocol: str, family: str) -> Benchmark:
        """The benchmark as a protocol asks it of a family: itself where that has no other words."""
        own = self.asks.get(f"{protocol}:{family}") or self.asks.get(protocol)
        return self if own is None else replace(self, ask=own)
