"""Metric kernels beside the same in numpy; off unless ``--benchmark-enable``."""

from __future__ import annotations

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from edgeval import metrics

N_ANSWERS = 100_000
N_CLUSTERS, N_RESAMPLES = 300, 2_000


@pytest.fixture(scope="module")
def answers() -> tuple[np.ndarray, np.ndarray]:
    got, want = np.random.default_rng(1).lognormal(2, 1, (2, N_ANSWERS))
    return got, want


@pytest.mark.benchmark(group="mean relative accuracy, 100,000 answers")
def test_accuracy_core(benchmark: BenchmarkFixture, answers: tuple[np.ndarray, np.ndarray]) -> None:
    benchmark(metrics.mean_relative_accuracies, *answers, definition="float64")


@pytest.mark.benchmark(group="mean relative accuracy, 100,000 answers")
def test_accuracy_numpy(
    benchmark: BenchmarkFixture, answers: tuple[np.ndarray, np.ndarray]
) -> None:
    def in_numpy(got: np.ndarray, want: np.ndarray) -> np.ndarray:
        tolerances = 1 - np.linspace(0.5, 0.95, 10)
        return (np.abs(got - want) / want <= tolerances[:, None]).mean(axis=0)

    earned = benchmark(in_numpy, *answers)
    np.testing.assert_array_equal(metrics.mean_relative_accuracies(*answers), earned)


@pytest.fixture(scope="module")
def cluster_sums() -> np.ndarray:
    return np.random.default_rng(2).integers(0, 4, (N_CLUSTERS, 4)).astype(np.float64)


@pytest.mark.benchmark(group="bootstrap, 300 clusters, 4 columns, 2,000 resamples")
def test_bootstrap_core(benchmark: BenchmarkFixture, cluster_sums: np.ndarray) -> None:
    benchmark(metrics.bootstrap_sums, cluster_sums, resamples=N_RESAMPLES, seed=0)


@pytest.mark.benchmark(group="bootstrap, 300 clusters, 4 columns, 2,000 resamples")
def test_bootstrap_numpy(benchmark: BenchmarkFixture, cluster_sums: np.ndarray) -> None:
    def in_numpy(sums: np.ndarray) -> np.ndarray:
        picks = np.random.default_rng(0).integers(0, len(sums), (N_RESAMPLES, len(sums)))
        return sums[picks].sum(axis=1)

    benchmark(in_numpy, cluster_sums)


@pytest.fixture(scope="module")
def texts() -> tuple[list[str], list[str]]:
    words = np.random.default_rng(3).integers(0, 200, (2, 100, 120))
    got, want = ([" ".join(f"w{i}" for i in row) for row in side] for side in words)
    return got, want


def edit_rate_numpy(got: list[str], want: list[str]) -> float:
    """One row of the table at a time; insertions by a running minimum."""
    said = np.array(got)
    row = np.arange(len(said) + 1)
    steps = np.arange(len(said) + 1)
    for i, word in enumerate(want, 1):
        best = np.minimum(row[1:] + 1, row[:-1] + (said != word))
        row = np.minimum.accumulate(np.concatenate([[i], best]) - steps) + steps
    return float(row[-1]) / max(1, len(want))


@pytest.mark.benchmark(group="word error rate, 100 pairs of 120 words")
def test_word_errors_core(benchmark: BenchmarkFixture, texts: tuple[list[str], list[str]]) -> None:
    benchmark(metrics.word_error_rates, *texts)


@pytest.mark.benchmark(group="word error rate, 100 pairs of 120 words")
def test_word_errors_numpy(benchmark: BenchmarkFixture, texts: tuple[list[str], list[str]]) -> None:
    pairs = [(got.split(), want.split()) for got, want in zip(*texts, strict=True)]
    rates = benchmark(lambda: [edit_rate_numpy(got, want) for got, want in pairs])
    assert rates == metrics.word_error_rates(*texts).tolist()


@pytest.mark.benchmark(group="ROUGE-L with stems, 100 pairs of 120 words")
def test_rouge_l_core(benchmark: BenchmarkFixture, texts: tuple[list[str], list[str]]) -> None:
    benchmark(metrics.rouge_l_rows, *texts)
