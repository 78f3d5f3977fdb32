"""VSI-Bench's rules and figures against what the original codes returned."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from edgeval.benchmarks.vsibench import BENCHMARK, data
from edgeval.figures import Report
from edgeval.types import Record, Score

COLUMNS = {"official": "orig", "lmms-eval": "lmms_pipeline", "vlmeval": "vlmeval"}
NUMBER = {
    "id": 1,
    "dataset": "scannet",
    "scene_name": "scene0001_00",
    "question_type": "object_counting",
    "question": "How many chair(s) are in this room?",
    "ground_truth": "4",
    "options": None,
}
LETTER = {
    **NUMBER,
    "question_type": "object_rel_distance",
    "ground_truth": "B",
    "options": ["A. sofa", "B. lamp", "C. bed", "D. door"],
}


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as stream:
        yield from map(json.loads, stream)


def _scores(doc: Mapping[str, object], response: str) -> dict[str, Score]:
    return {one.rule: one for one in BENCHMARK.score(BENCHMARK.question(doc), response)}


def _differs(got: Score, want: Mapping[str, Any]) -> bool:
    if want.get("error"):
        return got.status != "excluded"
    return got.value is None or abs(got.value - want["score"]) > 1e-12


@pytest.mark.parametrize("rule", BENCHMARK.rules)
def test_every_shared_answer_scores_as_the_original_code_scored_it(shared: Path, rule: str) -> None:
    golden = list(_lines(shared / "oracle" / "vsibench.jsonl"))
    wrong = [
        row["uid"]
        for row in golden
        if _differs(_scores(row["doc"], row["response"])[rule], row["oracle"][COLUMNS[rule]])
    ]
    assert golden
    assert not wrong


@pytest.mark.parametrize(
    ("response", "official", "lmms", "vlmeval"),
    [
        ("4", 1.0, 1.0, 1.0),
        ("4.", 1.0, 1.0, 1.0),
        ("There are 4 chairs", 0.0, 1.0, 1.0),
        (" 4", 0.0, 1.0, 1.0),
        ("4\nchairs", 0.0, 1.0, 1.0),
        ("four", 0.0, 1.0, 1.0),
        ("0.4e1", 1.0, 0.0, 1.0),
        ("<think>7</think> 4", 0.0, 1.0, 1.0),
        ("twenty-four of them, no, 4", 0.0, 0.0, 1.0),
        ("[4, 9]", 0.0, 1.0, 1.0),
        ("5", 0.6, 0.6, 0.6),
    ],
)
def test_numbers_by_hand(response: str, official: float, lmms: float, vlmeval: float) -> None:
    got = _scores(NUMBER, response)
    assert [got[rule].value for rule in BENCHMARK.rules] == [official, lmms, vlmeval]


@pytest.mark.parametrize(
    ("response", "official", "lmms", "vlmeval"),
    [
        ("B", "B", "B", "B"),
        ("b. lamp", "B", "B", "B"),
        ("(B)", None, None, "B"),
        (" B", None, "B", "B"),
        ("The answer is B", None, None, "B"),
        ("<think>A or B</think> B", None, "B", "B"),
        ("A\nB", None, None, "B"),
        ("no idea", None, None, None),
    ],
)
def test_letters_by_hand(
    response: str, official: str | None, lmms: str | None, vlmeval: str | None
) -> None:
    got = _scores(LETTER, response)
    assert [got[rule].parsed for rule in BENCHMARK.rules] == [official, lmms, vlmeval]


def test_a_gold_of_zero_is_left_out_where_the_code_divides_by_it() -> None:
    got = _scores({**NUMBER, "ground_truth": "0"}, "0")
    assert [got[rule].status for rule in BENCHMARK.rules] == ["excluded", "excluded", "scored"]


def _records(rule: str, golden: Sequence[Mapping[str, Any]]) -> list[Record]:
    """Records whose worth is what the original code left in a golden row."""
    records = []
    for number, row in enumerate(golden):
        doc = row["doc"]
        letters = [f"{letter}. ?" for letter in "ABCDE"]
        options = None if doc["question_type"] in data.NUMBERS else letters
        question = BENCHMARK.question({**doc, "id": number, "question": "?", "options": options})
        score = Score(rule=rule, value=row["score"], parsed="?", status="scored")
        records.append(Record(question=question, setting="full", scores={rule: score}))
    return records


def _value(told: Report, rule: str, name: str) -> float | None:
    name = name.removesuffix("_accuracy").removesuffix("_MRA:.5:.95:.05")
    group = "" if name == "overall" else f"task={name}"
    names = ("overall",) if name == "overall" else ("MRA", "accuracy")
    (found,) = (f for f in told.figures if (f.rule, f.group) == (rule, group) and f.name in names)
    return found.value


def test_figures_are_those_of_the_original_aggregators(shared: Path) -> None:
    cases = [
        case
        for case in _lines(shared / "oracle" / "aggregates.jsonl")
        if case["benchmark"] == "vsibench"
    ]
    assert cases
    for case in cases:
        rule, percent = ("official", 1) if case["rule"] == "orig" else ("lmms-eval", 100)
        told = BENCHMARK.report(_records(rule, case["rows"]))
        want = case["expected"].get("result")
        if want is None:
            assert _value(told, rule, "overall") is None, case["case"]
            continue
        for name, value in want.items():
            if isinstance(value, float):
                got = _value(told, rule, name)
                assert got == pytest.approx(percent * value, abs=1e-9), (case["case"], name)
