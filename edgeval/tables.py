"""Figures as tables that read well on a terminal and are Markdown."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from edgeval.analyses.variants import DIFFERENCE, KNEE, TRANSCRIPT, verdict
from edgeval.figures import Figure, Report


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table, header first, whose columns also line up on a terminal."""
    escaped = [[cell.replace("|", "\\|").replace("\n", " ") for cell in row] for row in rows]
    widths = [max(len(row[i]) for row in escaped) for i in range(len(escaped[0]))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in escaped
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


def main_table(report: Report, who: str) -> str:
    """The headline of every rule as one row each, published rows beside it, then what they mean.

    A cell is the value in percent, its 95 % interval, and n.
    """
    columns = list(dict.fromkeys((name, group) for name, _, group in report.headline))
    by_key = {(figure.name, figure.rule, figure.group): figure for figure in report.figures}
    notes: list[str] = []
    rows = [["percent [95 % interval] n", *(_heading(name, group) for name, group in columns)]]
    for rule in dict.fromkeys(rule for _, rule, _ in report.headline):
        figures = [by_key.get((name, rule, group)) for name, group in columns]
        rows.append([f"{who}, rule {rule}", *(_cell(figure, notes) for figure in figures)])
    for reference in report.references:
        values = [reference.values.get(group or name) for name, group in columns]
        cells = ["-" if value is None else f"{value:.2f}" for value in values]
        rows.append([f"{reference.name} {_mark(reference.source, notes)}", *cells])
    lines = [*(f"[{i}] {note}" for i, note in enumerate(notes, start=1)), *report.notes]
    return "\n\n".join([aligned(rows), "\n".join(f"- {line}" for line in lines)])


def comparison_tables(report: Report) -> dict[str, str]:
    """Title to table: what was taken from the video, and what the transcript adds; if asked."""
    told = {figure.group for figure in report.comparisons if figure.name == DIFFERENCE}
    added = [figure for figure in report.comparisons if figure.group in told]
    taken = [figure for figure in report.comparisons if figure.group not in told]
    tables = {}
    if taken:
        tables["Does it really watch?"] = _fall_table(taken)
    if added:
        tables["What the transcript adds"] = _gain_table(added)
    return tables


def deadline_table(figures: Sequence[Figure]) -> str:
    """One row a deadline, one column a start, out of a deadline's curve."""
    columns = list(dict.fromkeys(figure.name for figure in figures))
    rows = [[f"percent [95 % interval] n, rule {figures[0].rule}", *columns]]
    for group in dict.fromkeys(figure.group for figure in figures):
        by_name = {figure.name: figure for figure in figures if figure.group == group}
        cells = (by_name[name] for name in columns)
        bare = ((_cell(dataclasses.replace(one, note=""), []), one.note) for one in cells)
        rows.append([group, *(f"{cell}, {note}" for cell, note in bare)])
    return aligned(rows)


def _gain_table(figures: Sequence[Figure]) -> str:
    """One row a rule and group of questions: the score without, the score with, the difference."""
    notes: list[str] = []
    header = ["questions", "rule", "without transcript", "with", "difference [95 % interval] n"]
    rows = [header, *_rows(figures, notes)]
    for row in rows[1:]:
        row[0] = row[0].removeprefix(TRANSCRIPT).removeprefix(",") or "all"
    lines = "\n".join(_footnotes(notes))
    return f"{aligned(rows)}\n\n{lines}" if lines else aligned(rows)


def _rows(figures: Sequence[Figure], notes: list[str]) -> list[list[str]]:
    """One row a group and rule out of three figures: before, after, what lies between."""
    groups: dict[tuple[str, str], list[Figure]] = {}
    for figure in figures:
        groups.setdefault((figure.group, figure.rule), []).append(figure)
    rows = []
    for (group, rule), (before, after, between) in groups.items():
        shares = ("-" if one.value is None else f"{one.value:.2f}" for one in (before, after))
        rows.append([group, rule, *shares, _cell(between, notes)])
    return rows


def _footnotes(notes: Sequence[str]) -> list[str]:
    return [f"- [{i}] {note}" for i, note in enumerate(notes, start=1)]


def _fall_table(figures: Sequence[Figure]) -> str:
    """One row a rule and variant: the score as it is, the score so changed, and the drop."""
    notes: list[str] = []
    knees = [figure for figure in figures if figure.name == KNEE]
    rows = [["variant", "rule", "as it is", "so changed", "drop [95 % interval] n"]]
    rows += _rows([figure for figure in figures if figure.name != KNEE], notes)
    rule = figures[0].rule
    said = verdict(figures, rule)
    lines = [f"- under rule {rule}: {said}"] if said else []
    lines += [f"- rule {knee.rule}: knee at {_frames(knee)}, {knee.group}" for knee in knees]
    lines += _footnotes(notes)
    return "\n\n".join([aligned(rows), "\n".join(lines)])


def every_figure(figures: Sequence[Figure]) -> str:
    """One row a figure, with everything known about it."""
    header = ["figure", "over", "rule", "value", "low", "high", "n"]
    rows = [[*header, "failed", "unparsed", "excluded", "note"]]
    for figure in figures:
        numbers = (figure.value, figure.low, figure.high)
        counts = (figure.n, figure.n_failed, figure.n_unparsed, figure.n_excluded)
        rows.append(
            [
                figure.name,
                figure.group or "all",
                figure.rule,
                *("-" if number is None else f"{number:.2f}" for number in numbers),
                *map(str, counts),
                figure.note,
            ]
        )
    return aligned(rows)


def _frames(knee: Figure) -> str:
    if knee.value is None:
        return "no budget"
    if knee.low is None or knee.high is None:
        return f"{knee.value:g} frames"
    return f"{knee.value:g} frames [{knee.low:g}, {knee.high:g}]"


def _heading(name: str, group: str) -> str:
    """What a column is over, else what it is: "perception" for accuracy over track=perception."""
    return group.rsplit("=", 1)[-1] if group else name


def _cell(figure: Figure | None, notes: list[str]) -> str:
    if figure is None:
        return "-"
    mark = f" {_mark(figure.note, notes)}" if figure.note else ""
    if figure.value is None:
        return f"- n={figure.n}{mark}"
    bounds = ""
    if figure.low is not None and figure.high is not None:
        bounds = f" [{figure.low:.1f}, {figure.high:.1f}]"
    return f"{figure.value:.2f}{bounds} n={figure.n}{mark}"


def _mark(note: str, notes: list[str]) -> str:
    """The number of a footnote, which is added when it is new."""
    if note not in notes:
        notes.append(note)
    return f"[{notes.index(note) + 1}]"
