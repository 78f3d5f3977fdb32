"""Joules of traces whose integral is known: within one percent, whatever the load looks like."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from edgeval.device import jetson, rapl
from edgeval.device.energy import Energy
from edgeval.device.source import MeterCard, Rail

PERIOD_S = 0.1
Board = Callable[..., Path]


def meter(unit: str = "watts", rails: int = 1) -> MeterCard:
    return MeterCard(
        source="a trace",
        covers="everything",
        total_kind="input",
        unit="joules" if unit == "joules" else "watts",
        rails=tuple(Rail(name=f"rail{i}", total=i == 0) for i in range(rails)),
    )


def times(seconds: float, seed: int = 5) -> Iterator[float]:
    """A thread's samples: ten a second, each late by up to 15 ms."""
    chance = np.random.default_rng(seed)
    for at in np.arange(0.0, seconds, PERIOD_S):
        yield float(at + chance.uniform(0, 0.015))


# Watts at a time, and joules from 0 to a time.
SHAPES: dict[str, tuple[Callable[[float], float], Callable[[float], float]]] = {
    "constant": (lambda _t: 9.25, lambda t: 9.25 * t),
    "ramp": (lambda t: 4 + 0.1 * t, lambda t: 4 * t + 0.05 * t * t),
    "sine": (lambda t: 10 + 4 * math.sin(t), lambda t: 10 * t + 4 * (1 - math.cos(t))),
    "fan, 2 Hz": (
        lambda t: 10 + 2 * math.sin(4 * math.pi * t),
        lambda t: 10 * t + (1 - math.cos(4 * math.pi * t)) / (2 * math.pi),
    ),
}


@pytest.mark.parametrize("name", sorted(SHAPES))
def test_a_formula_has_its_integral(name: str) -> None:
    watts, joules = SHAPES[name]
    energy = Energy(meter(), period_s=PERIOD_S)
    at = list(times(60.0))
    for now in at:
        energy.add(now, (watts(now),))
    assert energy.total_j == pytest.approx(joules(at[-1]) - joules(at[0]), rel=0.01)


def recorded(seconds: float, seed: int) -> NDArray[np.float64]:
    """Watts every millisecond of a run: idle, bursts of vision, plateaus of decoding, noise.

    The monitor chip averages over its conversions, so every value is a mean over 10 ms.
    """
    chance = np.random.default_rng(seed)
    parts: list[NDArray[np.float64]] = []
    n = 0
    while n < 1000 * seconds:
        for watts, least, most in ((5.2, 100, 400), (14.5, 150, 600), (9.8, 800, 4000)):
            length = int(chance.integers(least, most))
            parts.append(np.full(length, watts) + chance.normal(0, 0.4, length))
            n += length
    trace = np.concatenate(parts)[: int(1000 * seconds)]
    return np.convolve(trace, np.full(10, 0.1), mode="same")


class Shown:
    """Files of a board that show other numbers from moment to moment, in place."""

    def __init__(self) -> None:
        self._open: dict[Path, int] = {}

    def __call__(self, path: Path, value: int) -> None:
        if path not in self._open:
            self._open[path] = os.open(path, os.O_WRONLY | os.O_TRUNC)
        os.pwrite(self._open[path], b"%20d\n" % value, 0)

    def close(self) -> None:
        for handle in self._open.values():
            os.close(handle)


@pytest.fixture
def shown() -> Iterator[Shown]:
    shown = Shown()
    yield shown
    shown.close()


def load(root: Path, kind: str) -> Callable[[Shown, float], None]:
    """How a board shows a load in watts: on its input, or spread over rails of 20 and 5 V."""
    monitor = next(root.glob("sys/bus/i2c/drivers/ina3221/1-0040/hwmon/hwmon3"))
    if kind == "thor":
        power = next(root.glob("sys/class/hwmon/*/power1_input"))
        return lambda shown, watts: shown(power, round(1e6 * watts))
    rails = ((5, 1.0),) if kind == "orin-nano" else ((20, 0.5), (20, 0.2), (5, 0.3))

    def spread(shown: Shown, watts: float) -> None:
        for number, (volts, share) in enumerate(rails, 1):
            shown(monitor / f"in{number}_input", 1000 * volts)
            shown(monitor / f"curr{number}_input", round(1000 * share * watts / volts))

    return spread


@pytest.mark.parametrize("kind", ["orin-nano", "agx-orin", "thor"])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_recorded_run_read_through_the_files_of_a_board(
    board: Board, shown: Shown, kind: str, seed: int
) -> None:
    root = board(kind, hwmon=3)
    source = jetson.find(root)
    assert source is not None
    assert source.meter is not None
    trace = recorded(120.0, seed)
    take = load(root, kind)
    energy = Energy(source.meter, period_s=PERIOD_S)
    at = list(times(119.0, seed))
    for now in at:
        take(shown, float(trace[round(1000 * now)]))
        energy.add(now, source.read())
    truth = float(trace[round(1000 * at[0]) : round(1000 * at[-1])].sum()) / 1000
    assert energy.total_j == pytest.approx(truth, rel=0.01)
    assert energy.gap_s == 0


def test_a_counter_is_exact_through_its_wrap(x86: Path, shown: Shown) -> None:
    source, _ = rapl.find(x86)
    assert source is not None
    assert source.meter is not None
    trace = recorded(30.0, 3)
    sums = np.concatenate([[0.0], np.cumsum(trace) / 1000])
    path = x86 / "sys/class/powercap/intel-rapl:0/energy_uj"
    wrap = 262_143_328_850
    energy = Energy(source.meter, period_s=PERIOD_S)
    at = list(times(29.0))
    for now in at:
        shown(path, (wrap - 50_000_000 + round(1e6 * sums[round(1000 * now)])) % wrap)
        energy.add(now, source.read())
    truth = sums[round(1000 * at[-1])] - sums[round(1000 * at[0])]
    assert truth > 50
    assert energy.total_j == pytest.approx(truth, rel=1e-6)


def test_each_rail_has_its_own_joules_and_only_the_total_is_the_headline() -> None:
    energy = Energy(meter(rails=3), period_s=PERIOD_S)
    for now in (0.0, 0.1, 0.2):
        energy.add(now, (10.0, 4.0, None))
    assert energy.rail_j == (pytest.approx(2.0), pytest.approx(0.8), None)
    assert energy.total_j == pytest.approx(2.0)


def test_a_gap_is_counted_and_told() -> None:
    energy = Energy(meter(), period_s=PERIOD_S)
    for now in (0.0, 0.1, 0.2, 1.2, 1.3):
        energy.add(now, (10.0,))
    assert (energy.total_j, energy.gap_s) == (pytest.approx(13.0), pytest.approx(1.0))


def test_samples_that_are_missing_are_a_gap() -> None:
    energy = Energy(meter(), period_s=PERIOD_S)
    for at in range(21):
        energy.add(at / 10, (None if 5 <= at < 15 else 8.0,))
    assert energy.total_j == pytest.approx(16.0)
    assert energy.gap_s == pytest.approx(1.1)


def test_one_sample_is_no_energy() -> None:
    energy = Energy(meter(), period_s=PERIOD_S)
    energy.add(0.0, (10.0,))
    assert energy.total_j is None


def test_watts_of_a_counter_are_over_the_step() -> None:
    energy = Energy(meter("joules"), period_s=PERIOD_S)
    shown = [energy.add(now, (joules,)) for now, joules in ((0.0, 0.0), (0.5, 4.0), (1.0, 5.0))]
    assert shown == [(None,), (8.0,), (2.0,)]
