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


# Tables whose first column holds several answers, told by letter or by worth.
MMVU = {"id": "v1", "question": "?", "video": "videos/Art/1.mp4", "metadata": {"subject": "Art"}}
CHOICES = {"A": "the pan", "B": "cat", "C": "dog", "D": "bird", "E": "fish"}
VIDEO_R1 = {"problem_id": 0, "problem": "?", "data_type": "video", "path": "./Evaluation/x.mp4"}
Cells = list[str]
Row = dict[str, object]


def _of_videommmu(cells: Cells) -> tuple[Row, Cells]:
    options = [f"opt{i} x" for i in range(10)]
    row = {"id": "dev_Math_1", "question": "?", "options": options, "answer": "C"}
    return {**row, "track": "perception", "question_type": "multiple-choice"}, cells


def _of_longvideobench(cells: Cells) -> tuple[Row, Cells]:
    return {"question": "?", "candidates": list("vwxyz"), "correct_choice": 0}, cells


def _of_seedbench(cells: Cells) -> tuple[Row, Cells]:
    return {"golden_choice_idx": "B", "level": "L1"}, cells


def _of_mmvu(cells: Cells) -> tuple[Row, Cells]:
    gold, *worth = cells
    if gold.startswith("`"):
        row = {"question_type": "open-ended", "answer": gold.strip("`")}
    else:
        answer = "E" if gold == "any" else gold
        row = {"question_type": "multiple-choice", "answer": answer, "choices": CHOICES}
    return {**MMVU, **row}, worth


def _of_video_r1(cells: Cells) -> tuple[Row, Cells]:
    kind, gold, *worth = cells
    options = ["A. a", "B. b"] if kind == "multiple choice" else []
    row = {"problem_type": kind, "options": options, "solution": f"<answer>{gold}</answer>"}
    return {**VIDEO_R1, **row}, worth


READ = {
    "videommmu": ("| answer (ten options) |", _of_videommmu),
    "longvideobench": ("| answer (five options) |", _of_longvideobench),
    "seedbench-r1": ("| answer, where B is right |", _of_seedbench),
    "mmvu": ("| answer | gold |", _of_mmvu),
    "video-r1": ("| type, gold | response |", _of_video_r1),
}


def _said(score: Score, cell: str) -> str:
    """The score as a cell of the kind of ``cell``: a worth, else the letter that was read."""
    if score.status in ("excluded", "needs_judge"):
        return {"excluded": "excluded", "needs_judge": "needs a judge"}[score.status]
    assert score.value is not None
    if cell[:1].isdigit():
        return f"{score.value:.2f}".rstrip("0").rstrip(".")
    if score.parsed is not None:
        return str(score.parsed)
    return f"guess: {score.value:g}" if score.value else "unreadable"


@pytest.mark.parametrize("name", READ)
def test_every_answer_of_a_table_is_read_as_its_page_says(repo: Path, name: str) -> None:
    heading, row_of = READ[name]
    page = (repo / "docs" / "benchmarks" / f"{name}.md").read_text(encoding="utf-8")
    lines = page.split(heading, maxsplit=1)[1].split("\n\n", maxsplit=1)[0].splitlines()[2:]
    benchmark = benchmarks.load(name)
    n_seen = 0
    for line in lines:
        told, *cells = _cells(line)
        if name == "video-r1":
            kind, gold = told.split(", ", maxsplit=1)
            told, *cells = cells[0], kind, gold, *cells[1:]
        row, cells = row_of(cells)
        answers = re.findall("`([^`]*)`", told.split(", where ")[0])
        answers += [""] if re.search(r"\bempty\b", told) else []
        wanted = [re.sub(r" \(.*", "", cell.strip("*")) for cell in cells]
        for answer in answers:
            scores = benchmark.score(benchmark.question(row), answer)
            got = [_said(score, cell) for score, cell in zip(scores, wanted, strict=False)]
            assert got == wanted, answer
            n_seen += 1
    assert n_seen > 10
