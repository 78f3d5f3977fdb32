"""Records of Video-MMMU to its figures: by track, discipline, subject and type, and the gain."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from edgeval import tally
from edgeval.benchmarks.videommmu import gain
from edgeval.benchmarks.videommmu.accuracy import official_accuracy
from edgeval.benchmarks.videommmu.references import PUBLISHED
from edgeval.benchmarks.videommmu.rows import DISCIPLINES, TRACKS
from edgeval.benchmarks.videommmu.rules import RULES
from edgeval.figures import Figure, Reference, Report
from edgeval.tally import Cell, Sums
from edgeval.types import Record

_BREAKDOWNS = ("discipline", "subject", "question_type")
_SUBJECTS = tuple(subject for subjects in DISCIPLINES.values() for subject in subjects)


def report(records: Sequence[Record]) -> Report:
    """Every figure that the records allow, under both rules."""
    figures = [figure for rule in RULES for figure in _figures(records, rule)]
    have = {(figure.name, figure.rule, figure.group) for figure in figures}
    return Report(
        benchmark="videommmu",
        figures=tuple(figures),
        headline=tuple(key for rule in RULES for key in _headline(rule) if key in have),
        references=_references(records),
        notes=tuple(_notes(records)),
    )


def _headline(rule: str) -> Iterator[tuple[str, str, str]]:
    for track in TRACKS:
        yield "accuracy", rule, f"track={track}"
    for name in ("overall", gain.DELTA, gain.W2R, gain.R2W):
        yield name, rule, ""


def _figures(records: Sequence[Record], rule: str) -> Iterator[Figure]:
    for setting in dict.fromkeys(record.setting for record in records):
        suffix = "" if setting == "video" else f", {setting}"
        asked = [record for record in records if record.setting == setting]
        yield from _accuracies(rule, suffix, tally.cells(asked, rule))
    yield from gain.figures(records, rule)


def _accuracies(rule: str, suffix: str, cells: Sequence[Cell]) -> Iterator[Figure]:
    tracks = {track: [c for c in cells if c.question.tags["track"] == track] for track in TRACKS}
    tracks = {track: group for track, group in tracks.items() if group}
    name = f"accuracy{suffix}"
    for track, group in tracks.items():
        yield from _broken_down(name, rule, f"track={track}", group)
    if len(tracks) > 1:
        yield from _broken_down(name, rule, "", cells)
        yield _overall(f"overall{suffix}", rule, tracks)


def _broken_down(name: str, rule: str, over: str, cells: Sequence[Cell]) -> Iterator[Figure]:
    """The accuracy of ``cells``, then of each discipline, subject and question type in them."""
    yield tally.accuracy((name, rule, over), cells, official_accuracy(cells))
    for tag in _BREAKDOWNS:
        for value in sorted({cell.question.tags[tag] for cell in cells}):
            group = [cell for cell in cells if cell.question.tags[tag] == value]
            key = f"{over},{tag}={value}" if over else f"{tag}={value}"
            ordered = _SUBJECTS if tag == "discipline" else ()
            yield tally.accuracy((name, rule, key), group, official_accuracy(group, ordered))


def _overall(name: str, rule: str, tracks: Mapping[str, Sequence[Cell]]) -> Figure:
    """The mean of the tracks, as the leaderboard has it (there each has 300 questions)."""
    means = [official_accuracy(group) for group in tracks.values()]
    known = [mean for mean in means if mean is not None]
    cells = [cell for group in tracks.values() for cell in group]
    bounds = None
    if len(known) == len(tracks):
        counted = [(i, c) for i, g in enumerate(tracks.values()) for c in g if c.value is not None]
        columns = np.zeros((len(counted), 2 * len(tracks)))
        for row, (track, cell) in zip(columns, counted, strict=True):
            row[2 * track : 2 * track + 2] = cell.value, 1
        bounds = tally.interval(columns, [cell.cluster for _, cell in counted], _mean_of_ratios)
    note = "" if len(known) == len(TRACKS) else f"mean of {len(known)} of {len(TRACKS)} tracks"
    value = 100 * sum(known) / len(known) if known else None
    return tally.figure((name, rule, ""), cells, value=value, bounds=bounds, note=note)


def _mean_of_ratios(sums: Sums) -> Sums:
    mean: Sums = tally.divided(sums[:, ::2], sums[:, 1::2]).mean(axis=1)
    return mean


def _references(records: Sequence[Record]) -> tuple[Reference, ...]:
    """Guessing on these very questions, then the published rows, told apart where they must be."""
    own = all(record.question.tags["video"].startswith("youtube:") for record in records)
    where = "" if own else "; on Video-MMMU's own 300 videos, not on these"
    published = (
        dataclasses.replace(reference, source=reference.source + where) for reference in PUBLISHED
    )
    return (*_guessing(records), *published)


def _guessing(records: Sequence[Record]) -> Iterator[Reference]:
    values: dict[str, float] = {}
    for track in TRACKS:
        chances = [
            1 / len(record.question.choices) if record.question.kind == "choice" else 0.0
            for record in records
            if record.setting == "video" and record.question.tags["track"] == track
        ]
        if chances:
            values[f"track={track}"] = 100 * sum(chances) / len(chances)
    if values:
        values["overall"] = sum(values.values()) / len(values)
        source = "computed: one over the options of each question asked, 0 for open ones"
        yield Reference(name="Guessing", values=values, source=source)


def _notes(records: Sequence[Record]) -> Iterator[str]:
    settings = {record.setting for record in records}
    if "video" in settings and "question-only" not in settings:
        yield "no question-only pass, so knowledge gain was not measured"
    yield from tally.notes(records)
