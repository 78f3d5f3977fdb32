"""Every benchmark's rules are total: whatever a model says has a score under every rule.

Sixty strings a kind of question by default; ``--hypothesis-profile long`` takes 1,000,000.
"""

from __future__ import annotations

import functools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeval import benchmarks
from edgeval.types import Question

PIECES = st.sampled_from(
    [
        *("A", "B.", "(C)", "D)", "the answer is ", "Answer: ", "yes", "no", "3", "1e9", "-.5"),
        *("<think>", "</think>", "<answer>", "</answer>", "\n", " ", "[", "\\boxed{", "}", "%"),
        *("nan", "inf", "\u0660", "\x00", "\u202e", "'", '"', ".", ",", ":"),
    ]
)
SAID = st.text(max_size=200) | st.lists(PIECES, max_size=30).map("".join)
STATUSES = {"scored", "excluded", "unparsed", "needs_judge", "error"}


@functools.cache
def questions(name: str) -> tuple[Question, ...]:
    """One question of every kind and task that the embedded data has."""
    bench = benchmarks.load(name)
    assert bench.embedded is not None
    found: dict[tuple[str, str], Question] = {}
    for clip in bench.clips(bench.embedded, bench.settings, ()):
        for question in clip.questions:
            found.setdefault((question.kind, question.task), question)
    return tuple(found.values())


@pytest.mark.parametrize("name", benchmarks.names())
@given(said=SAID)
def test_every_answer_has_a_score_under_every_rule(name: str, said: str) -> None:
    rules = benchmarks.load(name).rules
    for question in questions(name):
        scores = benchmarks.load(name).score(question, said)
        assert tuple(score.rule for score in scores) == rules
        for score in scores:
            assert score.status in STATUSES
            assert score.value is None or -1 <= score.value <= 1
