"""Records of TempCompass to its figures: tasks, dimensions, aspects, and what a judge must see."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

from edgeval import tally
from edgeval.benchmarks.tempcompass.data import ENDINGS
from edgeval.benchmarks.tempcompass.rules import RULES
from edgeval.figures import Figure, Reference, Report
from edgeval.tally import Cell
from edgeval.types import Record

_MEAN = "mean of tasks"


def report(records: Sequence[Record]) -> Report:
    """Accuracy of each task, by dimension and aspect, and how much was decided without a judge."""
    figures = tuple(figure for rule in RULES for figure in _figures(records, rule))
    have = {(figure.name, figure.rule, figure.group) for figure in figures}
    keys = [("accuracy", f"task={task}") for task in ENDINGS] + [(_MEAN, "")]
    return Report(
        benchmark="tempcompass",
        figures=figures,
        headline=tuple(
            key for rule in RULES for name, group in keys if (key := (name, rule, group)) in have
        ),
        references=REFERENCES,
        notes=tuple(_notes(records)),
    )


def _figures(records: Sequence[Record], rule: str) -> Iterator[Figure]:
    for suffix, asked in tally.by_setting(records, "video"):
        tasks = tally.by_tag(tally.cells(asked, rule), "task")
        for task, cells in tasks.items():
            name, over = f"accuracy{suffix}", f"task={task}"
            yield from tally.broken_down(name, rule, over, cells, ("dimension", "aspect"))
            shares = [dataclasses.replace(cell, value=_decided(cell)) for cell in cells]
            yield tally.accuracy((f"matched{suffix}", rule, over), shares, tally.mean(shares))
        known = [task for task, cells in tasks.items() if tally.mean(cells) is not None]
        note = f"of {', '.join(known)}" if known else ""
        yield tally.macro((f"{_MEAN}{suffix}", rule, ""), tasks, note=note)


def _decided(cell: Cell) -> float:
    """Whether a rule could match the answer, the authors' "match success"."""
    return float(cell.status == "scored")


def _notes(records: Sequence[Record]) -> Iterator[str]:
    yield from tally.notes(records)
    yield from tally.left_out(records)
    yield "official is the authors' judge-free mode: an answer that no rule matches is worth 0"


_AVERAGE = "of four tasks or all questions, not stated; with a judge; on TempCompass's own videos"
REFERENCES = (
    Reference(
        name="Video-LLaVA",
        values={
            "task=multi-choice": 45.6,
            "task=multi-choice,dimension=action": 76.0,
            "task=multi-choice,dimension=direction": 35.2,
            "task=multi-choice,dimension=speed": 35.6,
            "task=multi-choice,dimension=order": 37.7,
            "task=multi-choice,dimension=attribute_change": 41.0,
        },
        source="TempCompass README, with a judge; on TempCompass's own videos",
    ),
    *(
        Reference(name=name, values={_MEAN: value}, source=f"{source}; {_AVERAGE}")
        for name, value, source in (
            ("GPT-4o", 73.8, "Qwen2.5-VL technical report"),
            ("Qwen2.5-VL-72B", 74.8, "Qwen2.5-VL technical report"),
            ("Qwen2.5-VL-7B", 71.7, "Qwen2.5-VL technical report"),
            ("Qwen2.5-VL-3B", 64.4, "Qwen2.5-VL technical report"),
            ("VideoLLaMA3-2B", 63.4, "VideoLLaMA3, table 7"),
            ("Qwen2-VL-2B", 62.2, "VideoLLaMA3, table 7"),
            ("InternVL2.5-2B", 57.7, "VideoLLaMA3, table 7"),
        )
    ),
    Reference(
        name="Guessing",
        values={"task=multi-choice": 29.84, "task=yes_no": 50.0, "task=caption_matching": 50.0},
        source="computed: one over the options of each of TempCompass's own questions",
    ),
)
