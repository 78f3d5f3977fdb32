"""What of a run's device card this machine can fill, and what would spoil its timings now."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from edgeval.device.memory import GIB, Memory
from edgeval.device.source import Source
from edgeval.device.symptom import Symptom

# An engine build on a board with 8 GB needs more than that for minutes.
TIGHT = 9 * GIB
COUNTERMEASURE = "let it cool, give it a fan, or choose a lower power mode; then start anew"


def symptoms(sources: Sequence[Source], memory: Memory) -> Iterator[Symptom]:
    """Energy, power mode, clocks and throttling, each with what to do."""
    for source in sources:
        yield _energy(source)
        yield from _throttling(source)
        if source.facts.kind == "jetson":
            yield from _board(source, memory)


def _energy(source: Source) -> Symptom:
    meter = source.meter
    if meter is not None:
        return Symptom(subject="energy", severity="ok", found=f"{meter.source}: {meter.covers}")
    return Symptom(
        subject="energy",
        severity="note",
        found=f"runs on {source.facts.name} tell no joules",
        fix="; ".join(source.notes) or "nothing to do",
    )


def _throttling(source: Source) -> Iterator[Symptom]:
    state = source.state()
    if state.throttled:
        yield Symptom(
            subject="throttling",
            severity="warning",
            found=f"{source.facts.name} is held back now: {', '.join(state.throttled)}",
            fix=COUNTERMEASURE,
        )
    if events := [f"{name} {count} times" for name, count in state.events.items() if count]:
        yield Symptom(
            subject="over-current",
            severity="warning",
            found=f"since the start: {', '.join(events)}",
            fix="use the power supply that came with the board, or a lower power mode",
        )


def _board(source: Source, memory: Memory) -> Iterator[Symptom]:
    facts = source.facts
    highest = float(facts.details.get("gpu_max_mhz", 0))
    now = source.state().clock_mhz.get("gpu", highest)
    yield Symptom(
        subject="power mode",
        severity="ok" if facts.power_mode else "note",
        found=facts.power_mode or "unknown, since nvpmodel does not answer here",
        fix="" if facts.power_mode else "sudo nvpmodel -q tells it; outside of a container",
    )
    if now < highest:
        yield Symptom(
            subject="GPU clock",
            severity="note",
            found=f"{now:g} of {highest:g} MHz, governor {facts.details.get('gpu_governor', '?')}",
            fix="for timings: sudo jetson_clocks",
        )
    if memory.total and memory.total < TIGHT and not memory.swap_total:
        yield Symptom(
            subject="swap",
            severity="warning",
            found=f"none, with {memory.total / GIB:.1f} GiB for processor and GPU together",
            fix="for building engines: sudo fallocate -l 8G /swap && sudo chmod 600 /swap && "
            "sudo mkswap /swap && sudo swapon /swap",
        )
