"""Rewards: each by itself, and groups of them against slow twins in numpy."""

from __future__ import annotations

import numpy as np
import pytest

from edgeval import rewards
from edgeval.errors import ArgumentError

GROUPS = 5_000


def tagged(*texts: str) -> list[str]:
    return [f"<think>hm</think><answer>{text}</answer>" for text in texts]


def advantages_twin(reward: np.ndarray) -> np.ndarray:
    mean = reward.mean(axis=1, keepdims=True)
    return (reward - mean) / (reward.std(axis=1, ddof=1, keepdims=True) + 1e-4)


def temporal_twin(ordered: np.ndarray, shuffled: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    granted = ordered.mean(axis=1) >= 0.8 * shuffled.mean(axis=1)
    return np.where(granted[:, None] & (ordered > 0.1), 0.3, 0.0), granted.astype(np.float64)


@pytest.fixture(scope="module", params=[2, 4, 7, 8, 9, 16, 100])
def groups(request: pytest.FixtureRequest) -> tuple[np.ndarray, np.ndarray]:
    """Accuracies as they come: mostly 0 and 1, some between, some groups all alike."""
    rng = np.random.default_rng(request.param)
    ordered = rng.integers(0, 2, (GROUPS, request.param)).astype(np.float64)
    ordered[::3] = rng.random(ordered[::3].shape)
    ordered[::7] = 0.1
    return ordered, rng.integers(0, 2, (GROUPS, max(1, request.param // 2))).astype(np.float64)


def test_advantages_equal_their_twin(groups: tuple[np.ndarray, np.ndarray]) -> None:
    reward, _ = groups
    np.testing.assert_allclose(
        rewards.advantages(reward), advantages_twin(reward), rtol=0, atol=1e-12
    )


def test_temporal_rewards_equal_their_twin(groups: tuple[np.ndarray, np.ndarray]) -> None:
    earned = rewards.temporal(*groups)
    bonus, granted = temporal_twin(*groups)
    np.testing.assert_array_equal(earned.bonus, bonus)
    np.testing.assert_array_equal(earned.granted, granted)


def test_t_grpo_equals_its_twin(groups: tuple[np.ndarray, np.ndarray]) -> None:
    ordered, shuffled = groups
    rng = np.random.default_rng(1)
    forms = rng.integers(0, 2, ordered.shape).astype(np.float64)
    n_tokens = rng.integers(200, 600, ordered.shape)
    got = rewards.t_grpo(ordered, forms, shuffled=shuffled, n_tokens=n_tokens)
    bonus, granted = temporal_twin(ordered, shuffled)
    tried = ordered > 0.1
    fits = tried & (n_tokens >= 320) & (n_tokens <= 512) & (tried.sum(1) > 1)[:, None]
    total = ordered + bonus + forms + 0.2 * fits  # In the source's order: the last bit counts.
    np.testing.assert_allclose(got.rewards, total, rtol=0, atol=1e-12)
    np.testing.assert_allclose(got.advantages, advantages_twin(total), rtol=0, atol=1e-12)
    np.testing.assert_array_equal(got.granted, granted)


def test_images_earn_no_temporal_reward() -> None:
    got = rewards.t_grpo(np.array([[1.0, 0.0]]), np.array([[1.0, 1.0]]))
    assert got.rewards.tolist() == [[2.0, 1.0]]
    assert got.granted.tolist() == [0.5]


def test_the_length_reward_wants_two_good_answers_of_the_right_length() -> None:
    accuracies = np.array([[1.0, 1.0, 1.0, 0.1], [1.0, 0.0, 0.0, 0.0]])
    n_tokens = np.array([[319, 320, 513, 400], [400, 400, 400, 400]])
    assert rewards.length(accuracies, n_tokens).tolist() == [[0, 0.2, 0, 0], [0, 0, 0, 0]]
    assert rewards.length(accuracies[:1], np.full((1, 4), 512))[0].tolist() == [0.2, 0.2, 0.2, 0]


def test_groups_all_alike_teach_nothing() -> None:
    assert np.abs(rewards.advantages(np.full((3, 8), 1.3))).max() < 1e-11


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: rewards.advantages(np.ones((3, 1))), "groups of 1; wants at least 2"),
        (lambda: rewards.advantages(np.ones(3)), r"got float64\(3,\); wants shape \(_, _\)"),
        (lambda: rewards.temporal(np.ones((3, 8)), np.ones((2, 4))), r"wants shape \(3, _\)"),
        (lambda: rewards.temporal(np.ones((3, 8)), np.ones((3, 0))), "groups of 0"),
        (lambda: rewards.length(np.ones((1, 2)), np.ones((2, 2), np.int64)), "wants the same"),
        (
            lambda: rewards.t_grpo(np.ones((1, 2)), np.ones((1, 3))),
            r"form: .* \(1, 2\)",
        ),
        (lambda: rewards.ocr(["a"], []), "lists of 1 and 0"),
        (lambda: rewards.accuracy(["a"], ["a"], []), "lists of 1 and 1 and 0"),
    ],
)
def test_what_does_not_fit_is_told(call: object, said: str) -> None:
    with pytest.raises(ArgumentError, match=said):
        call()  # type: ignore[operator]


def test_integers_are_not_cast_silently() -> None:
    with pytest.raises(TypeError, match="wants float64"):
        rewards.advantages(np.ones((2, 2), np.int64))  # type: ignore[arg-type]


def test_each_answer_earns_by_its_own_type() -> None:
    kinds = ["multiple choice", "numerical", "OCR", "free-form", "regression", "math"]
    earned = rewards.accuracy(
        tagged("B", "3.10", "a b", "runs", "5", "x"),
        tagged("B", "3.1", "a c", "run", "4", "x"),
        kinds,
    )
    assert earned.tolist() == pytest.approx([1, 1, 0.5, 2 / 3, 0.75, 0], abs=1e-9)


def test_no_answers_earn_nothing() -> None:
    assert rewards.accuracy([], [], []).shape == (0,)
    assert rewards.ocr([], []).shape == (0,)
    assert rewards.form([]).shape == (0,)
    assert rewards.regression([], []).shape == (0,)
    assert rewards.advantages(np.ones((0, 8))).shape == (0, 8)


@pytest.mark.parametrize(
    ("text", "earned"),
    [
        ("<think>a</think><answer>b</answer>", 1),
        ("<think>a\n</think>\n \n<answer>b\n</answer>", 1),
        ("<think></think><answer></answer>", 1),
        ("<think>a</think>x</think><answer>b</answer></answer>", 1),
        ("<think>a</think><answer>b</answer>\n", 0),
        (" <think>a</think><answer>b</answer>", 0),
        ("<think>a</think> so <answer>b</answer>", 0),
        ("<think>a<answer>b</answer>", 0),
        ("<think>a</think><answer></answer", 0),
        ("<think>a</think><answer>", 0),
        ("<think></answer>", 0),
        ("", 0),
    ],
)
def test_form(text: str, earned: float) -> None:
    assert rewards.form([text]).tolist() == [earned]


def test_hostile_texts_cost_no_more_than_their_length() -> None:
    blanks = " " * 200_000
    texts = [f"<answer>{blanks}", f"<think>{'</think>' * 50_000}{blanks}", "<answer>" * 100_000]
    assert rewards.form(texts).tolist() == [0, 0, 0]
    assert rewards.multiple_choice(texts, tagged("A", "A", "A")).tolist() == [0, 0, 0]
    assert rewards.ocr(tagged("a " * 400_000), tagged("a")).tolist() == [0]
    assert rewards.free_form(tagged("a " * 400_000), tagged("a"))[0] < 1e-5


def test_reward_kernels_release_the_gil(releases_gil) -> None:
    texts = tagged(*(" ".join(f"w{i * k % 997}" for i in range(3_000)) for k in range(1, 30)))
    held = [text.removeprefix("<think>hm</think>") for text in texts]
    assert releases_gil(lambda: rewards.free_form(texts, held))
    many = np.random.default_rng(0).random((400_000, 8))
    assert releases_gil(lambda: rewards.advantages(many))
