"""No answer, however hostile, stops the rules of MMVU, LongVideoBench and SEED-Bench-R1."""

from __future__ import annotations

import json
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeval import benchmarks
from edgeval.types import Question

CHOICES = dict(zip("ABCDE", ("a red brick", "the sea", "", "to", "O(n)"), strict=True))
MMVU = {"id": "v", "question": "?", "choices": CHOICES, "video": "videos/Art/0.mp4"}
ROWS = MappingProxyType(
    {
        "choice": ("mmvu", MMVU | {"question_type": "multiple-choice", "answer": "A"}),
        "open": ("mmvu", MMVU | {"question_type": "open-ended", "answer": "O(n²) in 12.5 km"}),
        "letters": (
            "longvideobench",
            {"question": "?", "candidates": ["x", "y"], "correct_choice": 1},
        ),
        "tags": ("seedbench-r1", {"golden_choice_idx": "D"}),
    }
)
PIECES = st.sampled_from(
    [
        *("<think>", "</think>", "<answer>", "</answer>", "A", "b", "C.", "(D)", "E:", "O(", ")"),
        *("n²", "12.5", ".", "\u0661", "\ud800", "\0", "\n", " ", "Best answer:", "The answer is"),
        *("red", "brick", "nan", "1e999", "9" * 400, "\u0130", "\uff21"),
    ]
)
ANSWERS = st.text(max_size=80) | st.lists(PIECES, max_size=12).map("".join)


@pytest.mark.parametrize("name", ROWS)
@given(answer=ANSWERS)
def test_any_answer_has_a_score_under_every_rule(name: str, answer: str) -> None:
    benchmark, question = _asked(name)
    scores = benchmarks.load(benchmark).score(question, answer)
    assert tuple(score.rule for score in scores) == benchmarks.load(benchmark).rules
    for score in scores:
        assert json.dumps([score.value, score.parsed], allow_nan=False)
        assert (score.value is None) == (score.status == "needs_judge")
        assert score.value is None or 0 <= score.value <= 1


def _asked(name: str) -> tuple[str, Question]:
    benchmark, row = ROWS[name]
    return benchmark, benchmarks.load(benchmark).question(row)
