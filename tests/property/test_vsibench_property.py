"""VSI-Bench is total: any answer is scored, any set of answers reported, any text searched."""

from __future__ import annotations

import json
import math

from hypothesis import given
from hypothesis import strategies as st

from edgeval.analyses.cognitive_map import asking
from edgeval.benchmarks.vsibench import BENCHMARK, data
from edgeval.types import Record

ROW: dict[str, object] = {"id": 1, "dataset": "made", "scene_name": "x", "question": "?"}
# Pieces that the rules look for, so that their branches are reached.
PIECES = st.sampled_from(
    [
        *("<answer>", "</answer>", "<think>", "</think>", "A", "b", "F", "J", " ", "\n", "(", ")"),
        *("[", "]", "{", "}", ":", ",", "'", '"', "1", "9", "-", ".", "e5", "_", "nan", "inf"),
        *("seven", "hundred", "thousand", "and", "the answer is", "\ud800", "\0", "\u200b"),
        *("\u0663", "\u212a", "{'a2', 1}", "option A:"),
    ]
)
TEXTS = st.one_of(st.text(), st.lists(PIECES, max_size=14).map("".join))


def _row(kind: str) -> dict[str, object]:
    if kind in data.NUMBERS:
        return {**ROW, "question_type": kind, "ground_truth": "4"}
    options = ["A. a", "B. b", "C. c"]
    return {**ROW, "question_type": kind, "ground_truth": "B", "options": options}


def _answered(number: int, kind: str, said: str) -> Record:
    question = BENCHMARK.question({**_row(kind), "id": number})
    scores = {score.rule: score for score in BENCHMARK.score(question, said)}
    return Record(question=question, setting="full", scores=scores)


@given(TEXTS, st.sampled_from((*data.TYPES, "object_color")))
def test_any_answer_is_scored(response: str, kind: str) -> None:
    scores = BENCHMARK.score(BENCHMARK.question(_row(kind)), response)
    assert tuple(score.rule for score in scores) == BENCHMARK.rules
    assert all(score.value is None or 0 <= score.value <= 1 for score in scores)
    json.dumps([score.parsed for score in scores], allow_nan=False)


@given(st.lists(st.tuples(st.sampled_from(data.TYPES), st.sampled_from(["4", "5", "B", "x"]))))
def test_any_set_of_answers_is_reported(answers: list[tuple[str, str]]) -> None:
    records = [_answered(i, kind, said) for i, (kind, said) in enumerate(answers)]
    told = BENCHMARK.report(records)
    for figure in told.figures:
        assert figure.value is None or 0 <= figure.value <= 100 + 1e-9
        assert figure.value is not None or figure.note
    micro = {figure.rule: figure.n for figure in told.figures if figure.name == "overall, micro"}
    assert set(micro.values()) <= {len(records)}


@given(TEXTS)
def test_any_text_is_searched_for_a_map(response: str) -> None:
    found = asking.read_map(response, ("a", "b"))
    if found is not None:
        assert set(found.places) <= {"a", "b"}
        assert all(map(math.isfinite, (n for at in found.places.values() for p in at for n in p)))
