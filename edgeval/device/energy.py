"""Joules out of samples: trapezia under watts, or what a counter has risen."""

from __future__ import annotations

from itertools import repeat

from edgeval.device.source import MeterCard, Values

# A step longer than this many periods is a gap: its trapezium is counted, and told as uncertain.
GAP_PERIODS = 3


class Energy:
    """Joules of one meter since its first sample. Times in seconds of one steady clock."""

    def __init__(self, card: MeterCard, *, period_s: float) -> None:
        self._card = card
        self._longest = GAP_PERIODS * period_s
        self._by_watts = card.unit == "watts"
        self._rails = [_Line() for _ in card.rails]
        self._total = _Line()
        self.covered_s = 0.0
        self.gap_s = 0.0
        self._last_s: float | None = None

    def add(self, at_s: float, values: Values) -> Values:
        """Take a sample in the meter's unit; watts of each rail, over the step where it counts."""
        total = self._card.total(values)
        lines = zip((*self._rails, self._total), (*values, total), repeat(at_s))
        watts = tuple(
            line.power(value, now) if self._by_watts else line.count(value, now)
            for line, value, now in lines
        )
        if total is not None:
            if self._last_s is not None:
                step = at_s - self._last_s
                self.covered_s += step
                self.gap_s += step if step > self._longest else 0.0
            self._last_s = at_s
        return watts[:-1]

    @property
    def total_j(self) -> float | None:
        """Joules of the total; None before two samples."""
        return self._total.joules

    @property
    def rail_j(self) -> tuple[float | None, ...]:
        """Joules of each rail."""
        return tuple(line.joules for line in self._rails)


class _Line:
    """One rail, or the total."""

    def __init__(self) -> None:
        self.joules: float | None = None
        self._last: tuple[float, float] | None = None

    def power(self, watts: float | None, at_s: float) -> float | None:
        if watts is None:
            return None
        if self._last is not None:
            before, was_s = self._last
            self.joules = (self.joules or 0.0) + (watts + before) / 2 * (at_s - was_s)
        self._last = watts, at_s
        return watts

    def count(self, joules: float | None, at_s: float) -> float | None:
        if joules is None:
            return None
        watts = None
        if self._last is not None:
            before, was_s = self._last
            self.joules = (self.joules or 0.0) + joules - before
            watts = (joules - before) / (at_s - was_s) if at_s > was_s else None
        self._last = joules, at_s
        return watts
