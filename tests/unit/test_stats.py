"""Clustered intervals: calibrated, repeatable, blind to order, honest about what is unknown."""

from __future__ import annotations

import math

import numpy as np
import pytest

from edgeval import metrics, stats
from edgeval.errors import ArgumentError


def mean(sums: np.ndarray) -> np.ndarray:
    return sums[:, 0] / sums[:, 1]


def with_ones(values: np.ndarray) -> np.ndarray:
    return np.column_stack([values, np.ones(len(values))])


def simulated(seed: int, n_clusters: int = 60) -> tuple[np.ndarray, list[str]]:
    """Answers right with a chance of their video's own, 0.6 on average; 1 to 8 per video."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(1, 9, n_clusters)
    chances = np.repeat(rng.beta(0.9, 0.6, n_clusters), sizes)
    names = np.repeat([f"video-{i}" for i in range(n_clusters)], sizes)
    return with_ones((rng.random(len(chances)) < chances).astype(np.float64)), names.tolist()


def coverage(*, clustered: bool, runs: int = 400) -> float:
    inside = 0
    for seed in range(runs):
        columns, names = simulated(seed)
        if not clustered:
            names = [str(i) for i in range(len(names))]
        low, high = stats.clustered_interval(columns, names, mean, resamples=500, seed=seed)
        inside += low <= 0.6 <= high
    return inside / runs


def test_clustered_intervals_hold_the_truth_as_often_as_they_say() -> None:
    assert 0.92 <= coverage(clustered=True) <= 0.98  # 0.95 +- 3 standard errors of 400 runs


def test_without_clusters_they_would_not() -> None:
    assert coverage(clustered=False) < 0.88


def philox_twin(counter: list[int], key: list[int]) -> list[int]:
    for _ in range(10):
        a, b = 0xD2511F53 * counter[0], 0xCD9E8D57 * counter[2]
        counter = [
            b >> 32 ^ counter[1] ^ key[0],
            b & 0xFFFFFFFF,
            a >> 32 ^ counter[3] ^ key[1],
            a & 0xFFFFFFFF,
        ]
        key = [(key[0] + 0x9E3779B9) & 0xFFFFFFFF, (key[1] + 0xBB67AE85) & 0xFFFFFFFF]
    return counter


def bootstrap_twin(sums: np.ndarray, resamples: int, seed: int) -> np.ndarray:
    out = np.zeros((resamples, sums.shape[1]))
    for resample in range(resamples):
        for place in range(len(sums)):
            counter = [place // 2, 2, resample & 0xFFFFFFFF, resample >> 32]
            words = philox_twin(counter, [seed & 0xFFFFFFFF, seed >> 32])
            low, high = words[2 * (place % 2) : 2 * (place % 2) + 2]
            out[resample] += sums[(high << 32 | low) * len(sums) >> 64]
    return out


@pytest.mark.parametrize("n_clusters", [1, 2, 7])
def test_bootstrap_equals_its_twin(n_clusters: int) -> None:
    sums = np.random.default_rng(n_clusters).normal(size=(n_clusters, 3))
    seed = 2**63 + 12_345
    got = metrics.bootstrap_sums(sums, resamples=50, seed=seed)
    np.testing.assert_array_equal(got, bootstrap_twin(sums, 50, seed))


def test_draws_are_uniform() -> None:
    drawn = metrics.bootstrap_sums(np.eye(10), resamples=20_000, seed=1).sum(axis=0)
    assert np.abs(drawn - 20_000).max() < 600  # 4.5 standard deviations


def test_interval_is_pinned() -> None:
    columns, names = simulated(0)
    pinned = (0.47970102470541437, 0.6920289855072463)
    assert stats.clustered_interval(columns, names, mean) == pytest.approx(pinned, abs=1e-12)


def test_order_of_rows_does_not_matter() -> None:
    columns, names = simulated(1)
    columns[:, 0] += np.random.default_rng(1).random(len(columns)) / 3  # sums that round
    shuffle = np.random.default_rng(2).permutation(len(columns))
    forward = stats.clustered_interval(columns, names, mean, seed=9)
    again = stats.clustered_interval(columns[shuffle], [names[i] for i in shuffle], mean, seed=9)
    assert forward == again


def test_names_of_clusters_do_not_matter() -> None:
    columns, names = simulated(3)
    renamed = [name[::-1] for name in names]
    assert stats.clustered_interval(columns, names, mean) == stats.clustered_interval(
        columns, renamed, mean
    )


def test_another_seed_gives_another_interval() -> None:
    columns, names = simulated(4)
    one = stats.clustered_interval(columns, names, mean, seed=1)
    assert one != stats.clustered_interval(columns, names, mean, seed=2)


def test_a_wider_level_is_a_wider_interval() -> None:
    columns, names = simulated(5)
    narrow = stats.clustered_interval(columns, names, mean, level=0.8)
    wide = stats.clustered_interval(columns, names, mean, level=0.99)
    assert wide[0] < narrow[0] < narrow[1] < wide[1]


def test_one_video_says_nothing_about_others() -> None:
    interval = stats.clustered_interval(with_ones(np.array([1.0, 0.0])), ["a", "a"], mean)
    assert all(math.isnan(bound) for bound in interval)


def test_a_statistic_that_is_mostly_undefined_has_no_interval() -> None:
    columns = np.array([[1.0, 1.0], [1.0, 0.0], [0.0, 0.0]])
    interval = stats.clustered_interval(columns, ["a", "b", "c"], mean)
    assert all(math.isnan(bound) for bound in interval)


def test_rare_undefined_resamples_are_left_out() -> None:
    columns = np.column_stack([np.ones(6), np.arange(6) > 1]).astype(np.float64)
    low, high = stats.clustered_interval(columns, list("abcdef"), mean)
    assert 1 <= low <= high < math.inf


@pytest.mark.parametrize(
    ("columns", "names"),
    [
        (np.ones((0, 2)), []),
        (np.ones((2, 0)), ["a", "b"]),
        (np.ones((2, 2)), ["a"]),
        (np.ones(2), ["a", "b"]),
    ],
)
def test_tables_that_do_not_fit_are_refused(columns: np.ndarray, names: list[str]) -> None:
    with pytest.raises(ArgumentError, match=r"columns: got shape"):
        stats.clustered_interval(columns, names, mean)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_numbers_that_are_not_finite_are_refused(bad: float) -> None:
    with pytest.raises(ArgumentError, match="not finite"):
        stats.clustered_interval(np.array([[bad, 1.0], [1.0, 1.0]]), ["a", "b"], mean)


@pytest.mark.parametrize("level", [0.0, 1.0, -1.0, math.nan])
def test_a_level_outside_0_1_is_refused(level: float) -> None:
    with pytest.raises(ArgumentError, match="level: got"):
        stats.clustered_interval(np.ones((2, 2)), ["a", "b"], mean, level=level)


@pytest.mark.parametrize(("resamples", "seed"), [(0, 0), (2**25, 0), (10, -1), (10, 2**64)])
def test_senseless_resampling_is_refused(resamples: int, seed: int) -> None:
    with pytest.raises(ArgumentError, match="bootstrap: got resamples"):
        stats.clustered_interval(np.ones((2, 2)), ["a", "b"], mean, resamples=resamples, seed=seed)


def test_a_statistic_of_the_wrong_shape_is_refused() -> None:
    with pytest.raises(ArgumentError, match=r"statistic: got shape \(10, 2\); wants \(10,\)"):
        stats.clustered_interval(np.ones((2, 2)), ["a", "b"], lambda sums: sums, resamples=10)
