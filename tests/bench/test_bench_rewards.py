"""Reward kernels beside numpy, jiwer and rouge-score on 100,000 pairs.

Off unless ``--benchmark-enable``; jiwer and rouge-score come with the extra "bench".
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from edgeval import metrics, rewards

N_PAIRS = 100_000
ORDERED, SHUFFLED = 8, 4  # Video-R1's groups.
Groups = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]
Pairs = tuple[list[str], list[str]]


@pytest.fixture(scope="module")
def pairs() -> Pairs:
    """Solutions of 3 to 20 words, and answers with a fifth of them changed or left out."""
    rng = np.random.default_rng(4)
    stems = ("walk", "jump", "station", "quick", "relation", "happi", "connect", "traffic")
    ends = ("", "s", "ing", "ed", "ly", "ness", "ational", "er")
    words = np.array([*(s + e for s in stems for e in ends), *(f"w{i}" for i in range(200))])
    lengths = rng.integers(3, 21, N_PAIRS)
    want = [rng.choice(words, n) for n in lengths]
    got = [
        np.where(rng.random(n) < 0.15, rng.choice(words, n), w)
        for n, w in zip(lengths, want, strict=True)
    ]
    got = [side[rng.random(len(side)) > 0.05] for side in got]
    return [" ".join(side) for side in got], [" ".join(side) for side in want]


def _tagged(texts: list[str]) -> list[str]:
    return [f"<answer>{text}</answer>" for text in texts]


OCR = "OCR reward, 100,000 pairs"
FREE_FORM = "free-form reward, 100,000 pairs"
ADVANTAGES = "advantages, 100,000 groups of 8"
TEMPORAL = "temporal reward, 100,000 pairs of groups"
T_GRPO = "T-GRPO rewards and advantages, 100,000 pairs of groups"


@pytest.mark.benchmark(group=OCR)
def test_ocr_core(benchmark: BenchmarkFixture, pairs: Pairs) -> None:
    benchmark(rewards.ocr, *map(_tagged, pairs))


@pytest.mark.benchmark(group=OCR)
def test_ocr_jiwer(benchmark: BenchmarkFixture, pairs: Pairs) -> None:
    jiwer = pytest.importorskip("jiwer")
    got, want = pairs

    def peer() -> list[float]:
        return [max(0.0, 1 - jiwer.wer(w, g)) for g, w in zip(got, want, strict=True)]

    earned = benchmark.pedantic(peer, rounds=1)
    np.testing.assert_allclose(rewards.ocr(*map(_tagged, pairs)), earned, rtol=0, atol=1e-12)


@pytest.mark.benchmark(group=FREE_FORM)
def test_free_form_core(benchmark: BenchmarkFixture, pairs: Pairs) -> None:
    benchmark(rewards.free_form, *map(_tagged, pairs))


@pytest.mark.benchmark(group=FREE_FORM)
def test_free_form_rouge_score(benchmark: BenchmarkFixture, pairs: Pairs) -> None:
    rouge_scorer = pytest.importorskip("rouge_score.rouge_scorer")
    scorer = rouge_scorer.RougeScorer(["rouge1", "rouge2", "rougeL"], use_stemmer=True)
    got, want = pairs

    def peer() -> list[float]:
        found = [scorer.score(w, g) for g, w in zip(got, want, strict=True)]
        return [sum(score.fmeasure for score in scores.values()) / 3 for scores in found]

    earned = benchmark.pedantic(peer, rounds=1)
    np.testing.assert_allclose(rewards.free_form(*map(_tagged, pairs)), earned, rtol=0, atol=1e-12)


@pytest.fixture(scope="module")
def groups() -> Groups:
    """Accuracies, forms, accuracies on shuffled frames, tokens."""
    rng = np.random.default_rng(5)
    accuracies, forms = rng.integers(0, 2, (2, N_PAIRS, ORDERED)).astype(np.float64)
    shuffled = rng.integers(0, 2, (N_PAIRS, SHUFFLED)).astype(np.float64)
    return accuracies, forms, shuffled, rng.integers(100, 700, (N_PAIRS, ORDERED))


def _advantages_numpy(reward: np.ndarray) -> np.ndarray:
    mean = reward.mean(axis=1, keepdims=True)
    return (reward - mean) / (reward.std(axis=1, ddof=1, keepdims=True) + 1e-4)


def _temporal_numpy(ordered: np.ndarray, shuffled: np.ndarray) -> np.ndarray:
    granted = ordered.mean(axis=1) >= 0.8 * shuffled.mean(axis=1)
    return np.where(granted[:, None] & (ordered > 0.1), 0.3, 0.0)


def _t_grpo_numpy(
    accuracies: np.ndarray, forms: np.ndarray, shuffled: np.ndarray, n_tokens: np.ndarray
) -> np.ndarray:
    tried = accuracies > 0.1
    fits = tried & (tried.sum(1) > 1)[:, None] & (n_tokens >= 320) & (n_tokens <= 512)
    total = accuracies + _temporal_numpy(accuracies, shuffled) + forms + np.where(fits, 0.2, 0.0)
    return _advantages_numpy(total)


@pytest.mark.benchmark(group=ADVANTAGES)
def test_advantages_core(benchmark: BenchmarkFixture, groups: Groups) -> None:
    benchmark(rewards.advantages, groups[0])


@pytest.mark.benchmark(group=ADVANTAGES)
def test_advantages_numpy(benchmark: BenchmarkFixture, groups: Groups) -> None:
    got = benchmark(_advantages_numpy, groups[0])
    np.testing.assert_allclose(rewards.advantages(groups[0]), got, rtol=0, atol=1e-12)


@pytest.mark.benchmark(group=TEMPORAL)
def test_temporal_core(benchmark: BenchmarkFixture, groups: Groups) -> None:
    benchmark(rewards.temporal, groups[0], groups[2])


@pytest.mark.benchmark(group=TEMPORAL)
def test_temporal_numpy(benchmark: BenchmarkFixture, groups: Groups) -> None:
    got = benchmark(_temporal_numpy, groups[0], groups[2])
    np.testing.assert_array_equal(rewards.temporal(groups[0], groups[2]).bonus, got)


@pytest.mark.benchmark(group=T_GRPO)
def test_t_grpo_core(benchmark: BenchmarkFixture, groups: Groups) -> None:
    accuracies, forms, shuffled, n_tokens = groups
    benchmark(rewards.t_grpo, accuracies, forms, shuffled=shuffled, n_tokens=n_tokens)


@pytest.mark.benchmark(group=T_GRPO)
def test_t_grpo_numpy(benchmark: BenchmarkFixture, groups: Groups) -> None:
    accuracies, forms, shuffled, n_tokens = groups
    got = benchmark(_t_grpo_numpy, *groups)
    told = rewards.t_grpo(accuracies, forms, shuffled=shuffled, n_tokens=n_tokens)
    np.testing.assert_allclose(told.advantages, got, rtol=0, atol=1e-12)


def _accuracy_numpy(got: np.ndarray, want: np.ndarray) -> np.ndarray:
    tolerances = 1 - np.linspace(0.5, 0.95, 10)
    return (np.abs(got - want) / want <= tolerances[:, None]).mean(axis=0)


def _seconds(*calls: Callable[[], object], rounds: int = 40) -> list[float]:
    """Median of each, taken in turns so that a busy machine slows all alike."""
    took: list[list[float]] = [[] for _ in calls]
    for _ in range(rounds):
        for times, call in zip(took, calls, strict=True):
            start = time.perf_counter()
            call()
            times.append(time.perf_counter() - start)
    return [statistics.median(times) for times in took]


def test_ten_times_numpy(
    request: pytest.FixtureRequest, groups: Groups, at_least: Callable[[str, float, float], None]
) -> None:
    if not request.config.getoption("--benchmark-enable"):
        pytest.skip("a benchmark: --benchmark-enable")
    accuracies, forms, shuffled, n_tokens = groups
    got, want = np.random.default_rng(1).lognormal(2, 1, (2, N_PAIRS))
    sides: dict[str, tuple[Callable[[], object], Callable[[], object]]] = {
        ADVANTAGES: (
            lambda: rewards.advantages(accuracies),
            lambda: _advantages_numpy(accuracies),
        ),
        TEMPORAL: (
            lambda: rewards.temporal(accuracies, shuffled),
            lambda: _temporal_numpy(accuracies, shuffled),
        ),
        T_GRPO: (
            lambda: rewards.t_grpo(accuracies, forms, shuffled=shuffled, n_tokens=n_tokens),
            lambda: _t_grpo_numpy(*groups),
        ),
        "mean relative accuracy, 100,000 pairs": (
            lambda: metrics.mean_relative_accuracies(got, want),
            lambda: _accuracy_numpy(got, want),
        ),
    }
    for what, (ours, peer) in sides.items():
        fast, slow = _seconds(ours, peer)
        at_least(f"{what}: {1e3 * fast:.3f} ms, numpy {1e3 * slow:.2f} ms, times", slow / fast, 10)
