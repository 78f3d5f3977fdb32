"""Change points: levels put in are levels found, noise is none, and each phase gets its name."""

from __future__ import annotations

import numpy as np
import pytest

from edgeval.costs.phases import WINDOW_S, Stretch, named, stretches, windows

HOUR = int(3600 / WINDOW_S)


def rates(seed: int, levels: dict[int, float], n: int = HOUR) -> np.ndarray:
    """Windows of a rate: each level from its window on, with noise and two slow windows in 100."""
    rng = np.random.default_rng(seed)
    level = np.ones(n)
    for at, value in levels.items():
        level[at:] = value
    noisy = level * np.exp(rng.normal(0, 0.015, n))
    noisy[rng.random(n) < 0.02] *= 0.5
    return noisy


def test_an_hour_without_a_change_has_none() -> None:
    """Fewer than one false change in 60 hours; heavy tails are what a busy machine adds."""
    rng = np.random.default_rng(0)
    false = sum(len(stretches(np.exp(0.02 * rng.standard_t(3, HOUR)))) - 1 for _ in range(60))
    assert false <= 1


@pytest.mark.parametrize("fall", [0.05, 0.1, 0.3])
def test_a_fall_is_found_where_it_is(fall: float) -> None:
    for seed in range(20):
        at = 60 + 25 * seed
        found = stretches(rates(seed, {at: 1 - fall}))
        assert len(found) == 2
        assert abs(found[1].first - at) <= 2
        assert found[1].level / found[0].level == pytest.approx(1 - fall, abs=0.01)


def test_a_thermal_staircase_is_three_levels() -> None:
    found = stretches(rates(1, {120: 0.8, 400: 0.65}))
    assert [round(stretch.level, 1) for stretch in found] == [1.0, 0.8, 0.7]
    assert (found[0].first, found[-1].end) == (0, HOUR)


def test_a_change_below_three_percent_is_none() -> None:
    assert len(stretches(rates(2, {300: 0.98}))) == 1


@pytest.mark.parametrize("n", [1, 2, 3, 7])
def test_a_short_soak_is_one_stretch(n: int) -> None:
    assert stretches(np.ones(n)) == (Stretch(first=0, end=n, level=1.0),)


def test_windows_are_medians_and_gaps_are_left_out() -> None:
    at_s = [1, 2, 3, 4, 21, 22, 23]
    ends, found = windows(at_s, [1, 1, 9, 1, 2, 2, 2])
    assert list(ends) == [4, 23] or list(ends) == [4, 21, 23]
    assert found[0] == 1.0
    assert set(found[1:]) == {0.5}


def test_work_longer_than_a_window_is_a_window_of_its_own() -> None:
    ends, found = windows([20, 40, 60], [20, 20, 20])
    assert list(ends) == [20, 40, 60]
    np.testing.assert_allclose(found, 0.05)


def test_phases_are_named_by_level_and_by_what_the_hardware_told() -> None:
    levels = [0.97, 1.0, 0.8, 0.99, 0.7]
    found = [Stretch(first=10 * i, end=10 * i + 10, level=x) for i, x in enumerate(levels)]
    names = [name for name, _ in named(found, lambda stretch: stretch.first == 20)]
    assert names == ["cold", "steady", "throttled", "steady", "slower"]
    assert [name for name, _ in named(found[:1], lambda _: False)] == ["steady"]
