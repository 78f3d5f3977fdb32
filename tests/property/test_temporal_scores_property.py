"""No answer, however hostile, breaks the rules of MVBench, Video-MME and TempCompass."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeval import benchmarks
from edgeval.types import Question

ROWS: tuple[tuple[str, dict[str, object]], ...] = (
    (
        "mvbench",
        {"video": "x.mp4", "question": "?", "candidates": ["a", "b", "c"], "answer": "b"},
    ),
    ("videomme", {"question": "?", "options": ["A. a", "B. b", "C. c", "D. d"], "answer": "D"}),
    *(
        ("tempcompass", {"video_id": "1", "dim": "order", "task": task, **row})
        for task, row in (
            ("multi-choice", {"question": "?\nA. a\nB. b", "answer": "B. b"}),
            ("yes_no", {"question": "?", "answer": "no"}),
            (
                "caption_matching",
                {"question": "?\nOption 1: x: y\nOption 2: ", "answer": "Option 2: "},
            ),
            ("captioning", {"question": "?", "answer": "B. b"}),
        )
    ),
)
PIECES = ("A", "B", "(", ")", ".", ": ", ") ", " ", "\n", "</s>", "<think>", "</think>", "1,000")
ANSWERS = st.one_of(
    st.text(), st.lists(st.sampled_from((*PIECES, "Option 2", "no", "yes", "x"))).map("".join)
)


def _question(index: int) -> Question:
    name, row = ROWS[index]
    return benchmarks.load(name).question(row)


@pytest.mark.parametrize("index", range(len(ROWS)))
@given(answer=ANSWERS)
def test_every_rule_scores_every_answer(index: int, answer: str) -> None:
    benchmark = benchmarks.load(ROWS[index][0])
    scores = benchmark.score(_question(index), answer)
    assert tuple(score.rule for score in scores) == benchmark.rules
    assert all(score.value in (None, 0.0, 1.0) for score in scores)
    json.dumps([score.parsed for score in scores], allow_nan=False)


@pytest.mark.parametrize("index", range(len(ROWS)))
@pytest.mark.parametrize("piece", ["A. ", "(", " \n", "</s>", "<think>", "1,000.", ") ", "yes "])
def test_a_long_answer_costs_no_more_than_reading_it(index: int, piece: str) -> None:
    # What takes the square of the length would take hours for these million characters.
    answer = piece * (1_000_000 // len(piece))
    assert benchmarks.load(ROWS[index][0]).score(_question(index), answer)
