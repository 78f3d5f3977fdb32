"""A run's costs as a short section that reads well on a terminal and is Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from edgeval.tables import aligned

TITLE = "What it cost on this machine"
MIB = 1 << 20
STAGES = ("decode", "preprocess", "vision", "prefill of the clip", "prefill", "step")
RATES = ("tokens", "frames decoded", "frames seen")


def section(costs: Mapping[str, Any]) -> str:
    """The stages as a table, then one line a figure, each with its source."""
    rows = [["stage", "p50", "p90", "p99", "total", "n"]]
    for name, stage in _in_order(STAGES, costs["stages"]):
        times = [_time(stage[f"p{q}_s"]) for q in (50, 90, 99)]
        rows.append([f"{name}, a {stage['per']}", *times, _time(stage["seconds"]), str(stage["n"])])
    lines = "\n".join(f"- {line}" for line in _lines(costs))
    return f"{aligned(rows)}\n\n{lines}"


def _in_order(names: Sequence[str], table: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """As the work goes, also out of a card, which JSON has sorted; what is not known last."""
    rest = sorted(name for name in table if name not in names)
    yield from ((name, table[name]) for name in (*names, *rest) if name in table)


def _lines(costs: Mapping[str, Any]) -> Iterator[str]:
    machines = (one["sources"] for one in costs["sessions"])
    for text in dict.fromkeys(_machine(source) for sources in machines for source in sources):
        yield f"on {text}"
    for what, times in costs["first_token_s"].items():
        quantiles = ", ".join(f"p{q} {_time(times[f'p{q}_s'])}" for q in (50, 90, 99))
        yield f"first token, {what}: {quantiles}"
    if costs["a_second"]:
        rates = ", ".join(
            f"{rate:.4g} {name}" for name, rate in _in_order(RATES, costs["a_second"])
        )
        yield f"a second: {rates}"
    for one in costs["energy"]:
        yield _energy(one, costs["rule"])
    for kind, phases in costs["peak_bytes"].items():
        most = ", ".join(f"{phase} {used / MIB:.0f}" for phase, used in phases.items())
        yield f"peak {MEMORY[kind]}, MiB: {most}"
    yield from _heat(costs)
    yield from costs["notes"]


MEMORY = {
    "process": "memory of this process (resident)",
    "device": "memory in use on the card, by everyone",
    "unified": "memory in use on the board, by everyone (CPU and GPU share it)",
}


def _machine(source: Mapping[str, Any]) -> str:
    mode = source["power_mode"] or "no power mode told"
    return f"{source['name']} ({mode})"


def _energy(one: Mapping[str, Any], rule: str) -> str:
    parts = [f"{one['joules']:.4g} J in {one['seconds']:.1f} s"]
    if one["joules_a_question"] is not None:
        parts.append(f"{one['joules_a_question']:.4g} J a question")
    if one["joules_a_correct_answer"] is not None:
        parts.append(f"{one['joules_a_correct_answer']:.4g} J a correct answer (rule {rule})")
    if one["watts"] is not None:
        idle = (
            "" if one["idle_watts"] is None else f", idle before the run {one['idle_watts']:.3g} W"
        )
        parts.append(f"mean {one['watts']:.3g} W{idle}")
    said = "; ".join(parts)
    return f"energy of {one['device']} by {one['source']}: {said}; it covers {one['covers']}"


def _heat(costs: Mapping[str, Any]) -> Iterator[str]:
    for quantity, unit in (("clock_mhz", "MHz"), ("temperature_c", "°C")):
        if costs[quantity]:
            spread = ", ".join(
                f"{name} {one['min']:.0f}..{one['max']:.0f}"
                for name, one in costs[quantity].items()
            )
            yield f"{unit}: {spread}"
    throttling = costs["throttling"]
    held = [f"{name} {n:g} times" for name, n in throttling["events"].items() if n]
    held += [f"{name} {seconds:g} s" for name, seconds in throttling["seconds"].items() if seconds]
    if held:
        yield f"throttled: {', '.join(held)}"


def _time(seconds: float) -> str:
    return f"{seconds:.3g} s" if seconds >= 1 else f"{1000 * seconds:.3g} ms"
