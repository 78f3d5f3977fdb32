"""Rewards on any text and any groups."""

from __future__ import annotations

import re

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from edgeval import metrics, rewards
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


def groups(least: int, most: int) -> st.SearchStrategy[np.ndarray]:
    """Of one size each, some as many as kernels take at once, and some more."""
    shapes = st.tuples(st.integers(1, 20), st.integers(least, most))
    return shapes.flatmap(lambda shape: arrays.arrays(np.float64, shape, elements=unit))


@given(ordered=groups(2, 40))
def test_advantages_equal_a_float64_twin(ordered: np.ndarray) -> None:
    mean = ordered.mean(axis=1, keepdims=True)
    twin = (ordered - mean) / (ordered.std(axis=1, ddof=1, keepdims=True) + 1e-4)
    np.testing.assert_allclose(rewards.advantages(ordered), twin, rtol=0, atol=1e-12)


@given(ordered=groups(1, 20), n_shuffled=st.integers(1, 20), seed=st.integers(0, 2**32 - 1))
def test_temporal_rewards_equal_a_twin(ordered: np.ndarray, n_shuffled: int, seed: int) -> None:
    shuffled = np.random.default_rng(seed).choice([0.0, 0.1, 1.0], (len(ordered), n_shuffled))
    granted = ordered.mean(axis=1) >= 0.8 * shuffled.mean(axis=1)
    told = rewards.temporal(ordered, shuffled)
    np.testing.assert_array_equal(told.granted, granted)
    np.testing.assert_array_equal(
        told.bonus, np.where(granted[:, None] & (ordered > 0.1), 0.3, 0.0)
    )


@given(
    n=st.integers(0, 40),
    seed=st.integers(0, 2**32 - 1),
    near=st.integers(1, 12),
)
def test_mean_relative_accuracies_equal_numpy(n: int, seed: int, near: int) -> None:
    rng = np.random.default_rng(seed)
    want = rng.integers(1, 40, n).astype(np.float64)
    got = want * (1 + rng.choice([-1, 1], n) * near * 0.05)
    tolerances = 1 - np.linspace(0.5, 0.95, 10)
    twin = (np.abs(got - want) / want <= tolerances[:, None]).mean(axis=0)
    np.testing.assert_array_equal(metrics.mean_relative_accuracies(got, want), twin)
