"""The example answers on the pages of benchmarks are worth what the pages say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from edgeval import benchmarks
from edgeval.types import Score

VSIBENCH = {"id": 1, "dataset": "scannet", "scene_name": "x", "question": "?"}
TEMPCOMPASS = {"video_id": "1", "dim": "action"}
# Each "<!-- answers: NAME -->" and the benchmark and row that its answers are to.
ASKED: dict[str, tuple[str, dict[str, object]]] = {
    "mvbench, B of three": (
        "mvbench",
        {
            "video": "x.mp4",
            "question": "?",
            "candidates": ["a cat", "a dog", "no"],
            "answer": "a dog",
        },
    ),
    "videomme, D of four": (
        "videomme",
        {"question": "?", "options": ["A. a", "B. b", "C. c", "D. d"], "answer": "D"},
    ),
    "vsibench, 4": (
        "vsibench",
        {**VSIBENCH, "question_type": "object_counting", "ground_truth": "4"},
    ),
    "vsibench, B of two": (
        "vsibench",
        {
            **VSIBENCH,
            "question_type": "object_rel_distance",
            "options": ["A. bed", "B. lamp"],
            "ground_truth": "B",
        },
    ),
    "tempcompass multi-choice, B of two": (
        "tempcompass",
        {
            **TEMPCOMPASS,
            "task": "multi-choice",
            "question": "?\nA. a cat\nB. a dog",
            "answer": "B. a dog",
        },
    ),
    "tempcompass yes_no, yes": (
        "tempcompass",
        {**TEMPCOMPASS, "task": "yes_no", "question": "?", "answer": "yes"},
    ),
    "tempcompass caption_matching, Option 2 of two": (
        "tempcompass",
        {
            **TEMPCOMPASS,
            "task": "caption_matching",
            "question": "?\nOption 1: a cat\nOption 2: a dog",
            "answer": "Option 2: a dog",
        },
    ),
}


def _told(score: Score) -> str:
    if score.status in ("excluded", "needs_judge"):
        return {"excluded": "left out", "needs_judge": "judge"}[score.status]
    words = {1.0: "right", 0.0: "wrong", None: "wrong"}
    return words.get(score.value) or f"{score.value:g}"


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]


@pytest.mark.parametrize("heading", ASKED)
def test_every_example_answer_is_worth_what_its_page_says(repo: Path, heading: str) -> None:
    name, row = ASKED[heading]
    page = (repo / "docs" / "benchmarks" / f"{name}.md").read_text(encoding="utf-8")
    table = page.split(f"<!-- answers: {heading} -->\n", maxsplit=1)[1].split("\n\n", maxsplit=1)[0]
    header, _, *lines = table.splitlines()
    benchmark = benchmarks.load(name)
    rules = [cell.strip("`") for cell in _cells(header)[1:]]
    assert tuple(rules) == benchmark.rules
    question = benchmark.question(row)
    for answer, *said in map(_cells, lines):
        response = "" if answer == "empty" else answer.strip("`")
        got = [_told(score) for score in benchmark.score(question, response)]
        assert got == said, answer


def test_every_marked_table_is_checked(repo: Path) -> None:
    pages = (repo / "docs" / "benchmarks").glob("*.md")
    marks = [re.findall("<!-- answers: (.*?) -->", page.read_text("utf-8")) for page in pages]
    assert {mark for found in marks for mark in found} == set(ASKED)
