"""Records of Video-R1's evaluation to its figures, one headline a benchmark."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

from edgeval import tally
from edgeval.answers.video_r1 import is_think_then_answer
from edgeval.benchmarks.video_r1.rules import OFFICIAL, REGRESSION, RULES
from edgeval.figures import Figure, Reference, Report
from edgeval.tally import Cell
from edgeval.types import Record

SCORE, ACCURACY, MRA = "score", "mean_acc", "mean_mra"
REWARD, FORMAT = "mean reward", "format reward"


def report(records: Sequence[Record]) -> Report:
    """Each benchmark's score: its mean_acc; for VSI-Bench the mean of mean_acc and mean_mra.

    Under the rule of rewards, the mean accuracy reward. Source: issue 121, its author's answer.
    """
    figures = tuple(
        figure
        for suffix, asked in tally.by_setting(records, "video")
        for rule in RULES
        for figure in _figures(suffix, rule, asked)
    )
    main = [figure for figure in figures if figure.name.startswith(SCORE)]
    return Report(
        benchmark="video-r1",
        figures=figures,
        headline=tuple((figure.name, figure.rule, figure.group) for figure in main),
        references=PUBLISHED,
        notes=tuple(_notes(records)),
    )


def _figures(suffix: str, rule: str, records: Sequence[Record]) -> Iterator[Figure]:
    for task, cells in tally.by_tag(tally.cells(records, rule), "task").items():
        over = f"task={task}"
        if rule == OFFICIAL:
            yield from _official_figures(suffix, task, cells)
        else:
            total = tally.accuracy((SCORE + suffix, rule, over), cells, tally.mean(cells))
            yield dataclasses.replace(total, note="the mean accuracy reward")
            for kind, part in tally.by_tag(cells, "problem_type").items():
                key = (REWARD + suffix, rule, f"{over},problem_type={kind}")
                yield tally.accuracy(key, part, tally.mean(part))
            said = [record.answer for record in records if record.question.tags["task"] == task]
            value = 100 * sum(map(is_think_then_answer, said)) / len(said)
            yield tally.figure((FORMAT + suffix, rule, over), cells, value=value, n=len(said))


def _official_figures(suffix: str, task: str, cells: Sequence[Cell]) -> Iterator[Figure]:
    over = f"task={task}"
    types = tally.by_tag(cells, "problem_type")
    parts = {
        ACCURACY: [cell for cell in cells if cell.question.tags["problem_type"] != REGRESSION],
        MRA: types.get(REGRESSION, ()),
    }
    for name, part in parts.items():
        if part:
            yield tally.accuracy((name + suffix, OFFICIAL, over), part, tally.mean(part))
    key = (SCORE + suffix, OFFICIAL, over)
    if task == "vsibench":
        have = {name: part for name, part in parts.items() if part}
        note = "" if len(have) == 2 else f"{', '.join(have)} only"
        yield tally.macro(key, have, note=note)
    else:
        yield tally.accuracy(key, parts[ACCURACY], tally.mean(parts[ACCURACY]))


def _notes(records: Sequence[Record]) -> Iterator[str]:
    yield from tally.notes(records)
    tasks = {record.question.task for record in records}
    if "videommmu" in tasks:
        yield "videommmu: the authors' file shows the question's image only (issue 69)"
    if "mvbench" in tasks:
        yield "mvbench: whole videos, not the parts that MVBench asks about (issue 94)"


def _row(name: str, values: tuple[float | None, ...]) -> Reference:
    """``values``: VSI-Bench, Video-MMMU, MMVU (choices), MVBench, TempCompass, Video-MME."""
    order = ("vsibench", "videommmu", "mmvu", "mvbench", "tempcompass", "videomme")
    known = {f"task={x}": y for x, y in zip(order, values, strict=True) if y is not None}
    source = "Video-R1 README at 59d65c34, images/performance.png, on the six benchmarks' own data"
    return Reference(name=name, values=known, source=source)


PUBLISHED = (
    _row("GPT-4o", (34.0, 61.2, 75.4, None, None, 71.9)),
    _row("Video-R1-7B, 32 frames", (35.8, 52.3, 63.8, 63.9, 73.2, 59.3)),
    _row("Video-R1-7B, 16 frames", (34.6, 49.8, 64.2, 62.7, 72.6, 57.4)),
    _row("Qwen2.5-VL-7B SFT, 16 frames", (31.8, 47.4, 61.3, 59.4, 69.2, 52.8)),
    _row("Qwen2.5-VL-7B CoT, 32 frames", (30.1, 48.1, 60.0, 59.0, 72.6, 56.6)),
    _row("Qwen2.5-VL-7B CoT, 16 frames", (27.7, 47.8, 59.2, 57.4, 72.2, 53.1)),
    _row("LLaVA-OneVision-7B", (32.4, 33.8, 49.2, 56.7, None, 58.2)),
)
