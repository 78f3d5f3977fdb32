"""Records of VSI-Bench to its figures: eight tasks, their mean and the mean of all answers."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

from edgeval import tally
from edgeval.benchmarks.vsibench.data import DIRECTION, DIRECTIONS, EIGHT, NUMBERS
from edgeval.benchmarks.vsibench.rules import RULES
from edgeval.figures import Figure, Reference, Report
from edgeval.tally import Cell
from edgeval.types import Record

_PAPER = "arXiv 2412.14171, table 1; on the full set of VSI-Bench"
_TINY = "arXiv 2412.14171, table 1; on 400 of VSI-Bench's questions"


def _row(name: str, overall: float, tasks: tuple[float, ...] = (), source: str = "") -> Reference:
    """``tasks`` in the order of EIGHT."""
    values = {"overall": overall}
    values |= {f"task={task}": value for task, value in zip(EIGHT, tasks, strict=False)}
    return Reference(name=name, values=values, source=source or _PAPER)


PUBLISHED = (
    _row("Human", 79.2, (94.3, 47.0, 60.4, 45.9, 94.7, 95.8, 95.8, 100.0), _TINY),
    _row("Chance, most frequent answer", 34.0, (62.1, 32.0, 29.9, 33.1, 25.1, 47.9, 28.4, 25.2)),
    _row("Gemini-1.5-Pro", 45.4, (56.2, 30.9, 64.1, 43.6, 51.3, 46.3, 36.0, 34.6)),
    _row("GPT-4o", 34.0, (46.2, 5.3, 43.8, 38.2, 37.0, 41.3, 31.5, 28.5)),
    _row("LLaVA-Video-72B", 40.9),
    _row("InternVL2-8B", 37.5, (31.3, 29.0, 48.9, 44.2, 38.0, 33.4, 28.9, 46.4)),
    _row("LLaVA-Video-7B", 35.6, (48.5, 14.0, 47.8, 24.2, 43.5, 42.4, 34.0, 30.6)),
    _row("LLaVA-OneVision-7B", 32.4, (47.7, 20.2, 47.4, 12.3, 42.5, 35.2, 29.4, 24.4)),
    _row("LLaVA-OneVision-0.5B", 28.0, (46.1, 28.4, 15.4, 28.3, 28.9, 36.9, 34.5, 5.8)),
    _row("InternVL2-2B", 26.5, (25.7, 24.0, 20.0, 29.2, 32.1, 44.1, 30.4, 6.3)),
)


def report(records: Sequence[Record]) -> Report:
    """The eight tasks, their mean (macro) and the mean of all answers (micro), under each rule."""
    figures = [
        figure
        for suffix, asked in tally.by_setting(records, "full")
        for rule in RULES
        for figure in _figures(suffix, rule, tally.cells(asked, rule))
    ]
    notes = list(tally.notes(records))
    if any(figure.n_excluded for figure in figures):
        notes.append("left out: gold 0 and unknown types, where the code of the rule has no score")
    return Report(
        benchmark="vsibench",
        figures=tuple(figures),
        headline=tuple(_headline(figures)),
        references=PUBLISHED,
        notes=tuple(notes),
    )


def _headline(figures: Sequence[Figure]) -> Iterator[tuple[str, str, str]]:
    """The tasks of the first setting, then both means of every one: its name is in theirs alone."""
    tasks = [figure for figure in figures if figure.group.startswith("task=")]
    first = {figure.name.partition(",")[2] for figure in tasks[:1]}
    main = [figure for figure in tasks if figure.name.partition(",")[2] in first]
    main += [figure for figure in figures if not figure.group]
    for rule in RULES:
        yield from ((f.name, rule, f.group) for f in main if f.rule == rule)


def _figures(suffix: str, rule: str, cells: Sequence[Cell]) -> Iterator[Figure]:
    types = tally.by_tag(cells, "question_type")
    for task in EIGHT:
        name = ("MRA" if task in NUMBERS else "accuracy") + suffix
        key = (name, rule, f"task={task}")
        parts = {kind: types[kind] for kind in DIRECTIONS if kind in types}
        if task == DIRECTION and parts:
            note = "" if len(parts) == 3 else f"mean of {len(parts)} of 3 question types"
            yield tally.macro(key, parts, note=note)
            for kind, part in parts.items():
                yield tally.accuracy((name, rule, f"question_type={kind}"), part, tally.mean(part))
        elif task in types:
            yield tally.accuracy(key, types[task], tally.mean(types[task]))
    if cells:
        yield from _means(suffix, rule, "", cells)
    for tag in ("half", "dataset"):
        for value, part in tally.by_tag(cells, tag).items():
            yield from _means(suffix, rule, f"{tag}={value}", part)


def _means(suffix: str, rule: str, over: str, cells: Sequence[Cell]) -> Iterator[Figure]:
    """Macro: every task counts alike, and so do the question types of direction. Micro: answers."""
    types = tally.by_tag(cells, "question_type")
    have = [kind for kind in DIRECTIONS if kind in types]
    n_tasks = len(types) - len(have) + bool(have)
    share = 1 / len(have) if have else 1.0
    note = "" if n_tasks == len(EIGHT) else f"mean of {n_tasks} of 8 tasks"
    stops = (rule == "lmms-eval" and len(have) < 3) or (
        rule == "official" and DIRECTIONS[0] in have and len(have) < 3
    )
    if rule == "official" and have and DIRECTIONS[0] not in have:
        share, note = 1.0, "without the easy ones the authors count directions one by one"
    weights = {kind: share if kind in have else 1.0 for kind in types}
    macro = tally.macro((f"overall{suffix}", rule, over), types, note=note, weights=weights)
    if stops:
        said = "a question type of direction is missing: the code of this rule raises KeyError"
        macro = dataclasses.replace(macro, value=None, low=None, high=None, note=said)
    yield macro
    yield tally.accuracy((f"overall, micro{suffix}", rule, over), cells, tally.mean(cells))
