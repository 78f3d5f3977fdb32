"""Rewards on any text and any groups."""

from __future__ import annotations

import re

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from edgeval import rewards
from edgeval.answers.video_r1 import final_answer, is_think_then_answer

PIECES = (
    "<think>",
    "</think>",
    "<answer>",
    "</answer>",
    " ",
    "\n",
    "B",
    "3.0",
    "1,000",
    "nan",
    "\x85",
)
texts = st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=3)), max_size=12).map("".join)
unit = st.floats(0, 1, allow_subnormal=False)


@given(text=texts)
def test_tags_are_read_as_the_original_patterns_read_them(text: str) -> None:
    found = re.search(r"<answer>\s*(.*?)\s*</answer>", text, re.DOTALL)
    assert final_answer(text) == (found.group(1).strip() if found else "")
    form = re.fullmatch(r"<think>.*?</think>\s*<answer>.*?</answer>", text, re.DOTALL)
    assert is_think_then_answer(text) == (form is not None)


@given(text=texts, solution=texts)
def test_every_type_earns_between_0_and_1(text: str, solution: str) -> None:
    kinds = [*rewards.ACCURACY, "unknown"]
    earned = rewards.accuracy([text] * len(kinds), [solution] * len(kinds), kinds)
    assert ((earned >= 0) & (earned <= 1)).all()


@given(
    ordered=arrays.arrays(
        np.float64, st.tuples(st.integers(1, 6), st.integers(2, 40)), elements=unit
    )
)
def test_advantages_equal_a_float64_twin(ordered: np.ndarray) -> None:
    mean = ordered.mean(axis=1, keepdims=True)
    twin = (ordered - mean) / (ordered.std(axis=1, ddof=1, keepdims=True) + 1e-4)
    np.testing.assert_allclose(rewards.advantages(ordered), twin, rtol=0, atol=1e-12)
