"""What a kind of hardware tells while a run goes on: one protocol, one file a kind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

# One value a rail; None where it could not be read this time.
Values = tuple[float | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rail:
    """One supply line. ``total``: it is part of the headline joules; the others lie inside one."""

    name: str
    total: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterCard:
    """What measures power here. A joule is never told without it.

    ``source``: sensor and interface; ``covers``: what hangs on the rails of the total, in words;
    ``total_kind``: one rail that everything flows through, or several that are added; ``unit``:
    what a read gives, watts now or joules since the meter was opened.
    """

    source: str
    covers: str
    total_kind: Literal["input", "sum_of_rails"]
    unit: Literal["watts", "joules"]
    rails: tuple[Rail, ...]

    def total(self, values: Values) -> float | None:
        """The sum over the rails of the total; None where one of them is missing."""
        parts = [value for value, rail in zip(values, self.rails, strict=True) if rail.total]
        known = [value for value in parts if value is not None]
        return sum(known) if len(known) == len(parts) > 0 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the hardware is, once a session.

    ``kind``: "jetson", "nvidia", "x86" or "none"; ``power_mode``: the setting that decides speed
    and power by its own name, "" where unknown; ``details``: whatever else is worth keeping.
    """

    kind: str
    name: str
    power_mode: str = ""
    details: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """How the hardware fares now.

    ``clock_mhz``, ``temperature_c``: by name; ``load``: share of full use in [0, 1] by name;
    ``events``: counts that only rise (throttling so far); ``throttled``: what holds it back now.
    """

    clock_mhz: Mapping[str, float] = field(default_factory=dict)
    temperature_c: Mapping[str, float] = field(default_factory=dict)
    load: Mapping[str, float] = field(default_factory=dict)
    events: Mapping[str, int] = field(default_factory=dict)
    throttled: tuple[str, ...] = ()


class Source(Protocol):
    """One kind of hardware. Nothing raises: what cannot be read is None, missing, or a note."""

    @property
    def facts(self) -> Facts:
        """What it is."""

    @property
    def meter(self) -> MeterCard | None:
        """What measures its power; None where nothing does."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What could not be read, and what to do about it."""

    def read(self) -> Values:
        """The meter now; empty without one."""

    def memory(self) -> Mapping[str, int]:
        """Bytes in use now: "device" on a card of its own, "unified" where all share one memory."""

    def state(self) -> State:
        """Clocks, temperatures, throttling."""

    def close(self) -> None:
        """Let go of every file and library."""
