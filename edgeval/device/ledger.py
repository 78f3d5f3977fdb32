"""What the samples of a session add up to, and the samples themselves until they are written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict

from edgeval.device.energy import Energy
from edgeval.device.source import MeterCard, State, Values


class Peaks:
    """The most bytes of each kind of memory in each phase."""

    def __init__(self) -> None:
        self._most: dict[tuple[str, str], int] = {}

    def add(self, kind: str, phase: str, used: int) -> None:
        """Take one reading."""
        key = kind, phase
        if used > self._most.get(key, 0):
            self._most[key] = used

    def over(self, other: Peaks) -> dict[str, dict[str, int]]:
        """Kind to phase to bytes, the larger of both."""
        found: dict[str, dict[str, int]] = {}
        # A copy: the run's own thread may meet a new phase meanwhile.
        for most in (self._most, dict(other._most)):
            for (kind, phase), used in most.items():
                phases = found.setdefault(kind, {})
                phases[phase] = max(used, phases.get(phase, 0))
        return found


class Ledger:
    """Sums since the session began. Times in seconds since then."""

    def __init__(self, meters: Sequence[MeterCard | None], *, period_s: float) -> None:
        self.energies = [
            None if meter is None else Energy(meter, period_s=period_s) for meter in meters
        ]
        self.peaks = Peaks()
        self._spread: dict[str, dict[str, list[float]]] = {}
        self._events: dict[str, list[int]] = {}
        self._throttled_s: dict[str, float] = {}
        self._state_s = 0.0
        self._n = 0
        self._forget()

    def _forget(self) -> None:
        self._at_ms: list[int] = []
        self._phases: list[str] = []
        self._resident: list[int] = []
        self._milliwatts: list[list[list[int | None]]] = [[] for _ in self.energies]
        self._states: list[dict[str, object]] = []

    def sample(
        self,
        at_s: float,
        phase: str,
        resident: int,
        values: Sequence[Values],
        memory: Sequence[Mapping[str, int]],
    ) -> None:
        """Take one reading of every meter and memory."""
        self._n += 1
        self._at_ms.append(round(1000 * at_s))
        self._phases.append(phase)
        self._resident.append(resident >> 20)
        self.peaks.add("process", phase, resident)
        for used in memory:
            for kind, size in used.items():
                self.peaks.add(kind, phase, size)
        for row, energy, value in zip(self._milliwatts, self.energies, values, strict=True):
            if energy is not None:
                watts = energy.add(at_s, value)
                row.append([None if one is None else round(1000 * one) for one in watts])

    def state(self, at_s: float, states: Sequence[State]) -> None:
        """Take one look at how every source fares."""
        step = at_s - self._state_s
        self._state_s = at_s
        for state in states:
            self._states.append(asdict(state))
            named = (
                ("clock_mhz", state.clock_mhz),
                ("temperature_c", state.temperature_c),
                ("load", state.load),
            )
            for quantity, values in named:
                for name, value in values.items():
                    self._spread_of(quantity, name, value)
            for name, count in state.events.items():
                self._events.setdefault(name, [count, count])[1] = count
            for name in state.throttled:
                self._throttled_s[name] = self._throttled_s.get(name, 0.0) + step

    def _spread_of(self, quantity: str, name: str, value: float) -> None:
        """Least, most, sum and number."""
        spread = self._spread.setdefault(quantity, {}).setdefault(name, [value, value, 0.0, 0])
        spread[0] = min(spread[0], value)
        spread[1] = max(spread[1], value)
        spread[2] += value
        spread[3] += 1

    def line(self, at_s: float, edges: Peaks, more: Mapping[str, object]) -> dict[str, object]:
        """One line of the file: what came since the last one, and the sums with ``more``."""
        samples = {
            "t_ms": self._at_ms,
            "phase": self._phases,
            "process_mib": self._resident,
            "milliwatts": self._milliwatts,
            "states": self._states,
        }
        sums = {
            "seconds": round(at_s, 3),
            "n_samples": self._n,
            "energy": [None if energy is None else _joules(energy) for energy in self.energies],
            "peak_bytes": self.peaks.over(edges),
            "events": {name: last - first for name, (first, last) in self._events.items()},
            "throttled_s": {name: round(s, 1) for name, s in self._throttled_s.items()},
            **{
                quantity: {
                    name: {"min": low, "mean": round(total / n, 3), "max": high}
                    for name, (low, high, total, n) in spreads.items()
                }
                for quantity, spreads in self._spread.items()
            },
            **more,
        }
        self._forget()
        return {"samples": samples, "sums": sums}


def _joules(energy: Energy) -> dict[str, object]:
    def rounded(joules: float | None) -> float | None:
        return None if joules is None else round(joules, 4)

    return {
        "total_j": rounded(energy.total_j),
        "rails_j": [rounded(joules) for joules in energy.rail_j],
        "covered_s": round(energy.covered_s, 3),
        "gap_s": round(energy.gap_s, 3),
    }
