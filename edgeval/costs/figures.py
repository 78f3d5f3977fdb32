"""A run's costs as one plain JSON value: times, joules, memory, heat, summed over its sessions.

A session is one stretch of a run, from its start or a resume to its end or a kill. Times come from
the records, so every answer counts once; what the hardware did comes from the sessions.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from edgeval.types import Record, Timing

Session = tuple[Mapping[str, Any], Mapping[str, Any]]
QUANTILES = (50, 90, 99)
UNMETERED = "no energy: nothing on this machine measures its power"


def costs(
    records: Sequence[Record], sessions: Sequence[Session], *, rule: str, shared: bool
) -> dict[str, Any]:
    """Every cost of a run. ``sessions``: facts and sums of each, as edgeval.device tells them.

    ``rule``: what a correct answer is; ``shared``: whether a clip was looked at once for all its
    questions.
    """
    values = [score.value for r in records if (score := r.scores.get(rule)) is not None]
    share = sum(value or 0.0 for value in values) / len(records) if records else 0.0
    energy = _energy(sessions, share)
    return {
        "rule": rule,
        "questions": len(records),
        "stages": _stages(records, shared=shared),
        "first_token_s": _first_token(records, shared=shared),
        "a_second": _rates(records, shared=shared),
        "energy": energy,
        "peak_bytes": _peaks(sessions),
        "clock_mhz": _spread(sessions, "clock_mhz"),
        "temperature_c": _spread(sessions, "temperature_c"),
        "throttling": {
            "events": _summed(sums.get("events", {}) for _, sums in sessions),
            "seconds": _summed(sums.get("throttled_s", {}) for _, sums in sessions),
        },
        "sessions": [_session(facts, sums) for facts, sums in sessions],
        "notes": [*_of_batches(records), *_notes(sessions, energy)],
    }


def _seen(records: Iterable[Record], *, shared: bool) -> Iterator[tuple[Record, Timing]]:
    """One record for each time a clip was looked at, with its times."""
    known = set()
    for record in records:
        key = record.question.clip_id, record.setting, record.variant
        if (
            record.generation is not None
            and record.frame_indices
            and (not shared or key not in known)
        ):
            known.add(key)
            yield record, record.generation.timing


def _stages(records: Sequence[Record], *, shared: bool) -> dict[str, object]:
    looks = [timing for _, timing in _seen(records, shared=shared)]
    decoded = [timing.decode_s for _, timing in _seen(records, shared=True)]
    said = [record.generation.timing for record in records if record.generation is not None]
    found = {
        "decode": ("clip", decoded),
        "preprocess": ("clip", [timing.preprocess_s for timing in looks]),
        "vision": ("clip", [timing.vision_s for timing in looks]),
        "prefill of the clip": (
            "clip",
            [timing.prefix_s for timing in looks if shared and timing.prefix_s],
        ),
        "prefill": ("question", [timing.prefill_s for timing in said]),
        "step": ("token", [step for timing in said for step in timing.step_s]),
    }
    return {
        name: {"per": per, "seconds": round(sum(times), 6), **_quantiles(times)}
        for name, (per, times) in found.items()
        if times
    }


def _quantiles(times: Sequence[float]) -> dict[str, float]:
    """The smallest time that so many percent do not exceed."""
    got = np.percentile(np.asarray(times, np.float64), QUANTILES, method="inverted_cdf")
    return {
        "n": len(times),
        **{f"p{q}_s": round(float(t), 6) for q, t in zip(QUANTILES, got, strict=True)},
    }


def _first_token(records: Sequence[Record], *, shared: bool) -> dict[str, object]:
    """From the question to the first token of its answer, whatever was thought before.

    For a clip never seen before, and for one that was.
    """
    new = [t.clip_s + t.other_turns_s + t.prefill_s for _, t in _seen(records, shared=shared)]
    known = [
        record.generation.timing.other_turns_s + record.generation.timing.prefill_s
        for record in records
        if record.generation is not None and record.frame_indices
    ]
    found = {"clip not seen yet": new, "clip seen already": known if shared else []}
    return {name: _quantiles(times) for name, times in found.items() if times}


def _rates(records: Sequence[Record], *, shared: bool) -> dict[str, float]:
    decoded = list(_seen(records, shared=True))
    looks = list(_seen(records, shared=shared))
    steps = [s for r in records if r.generation is not None for s in r.generation.timing.step_s]
    rates = {
        "tokens": (len(steps), sum(steps)),
        "frames decoded": (
            sum(len(record.frame_indices) for record, _ in decoded),
            sum(timing.decode_s for _, timing in decoded),
        ),
        "frames seen": (
            sum(len(record.frame_indices) for record, _ in looks),
            sum(timing.preprocess_s + timing.vision_s for _, timing in looks),
        ),
    }
    return {name: round(n / seconds, 3) for name, (n, seconds) in rates.items() if seconds > 0}


def _energy(sessions: Sequence[Session], share: float) -> list[dict[str, object]]:
    """One entry a meter: joules of two meters are never added, they cover different things."""
    found: dict[tuple[str, str, str], dict[str, Any]] = {}
    for facts, sums in sessions:
        for source, got in zip(facts["sources"], sums.get("energy", ()), strict=False):
            meter = source["meter"]
            if meter is None or got is None or got["total_j"] is None:
                continue
            key = source["name"], meter["source"], meter["covers"]
            one = found.setdefault(key, _unspent(source))
            one["joules"] += got["total_j"]
            one["seconds"] += got["covered_s"]
            one["gap_s"] += got["gap_s"]
            one["questions"] += sums["questions"]
            if source["idle"] is not None:
                one["idle_watts"].append(source["idle"]["watts"])
            for rail, joules in zip(meter["rails"], got["rails_j"], strict=True):
                rails = one["rails_joules"]
                rails[rail["name"]] = rails.get(rail["name"], 0.0) + (joules or 0.0)
    return [_per_question(one, share) for one in found.values()]


def _unspent(source: Mapping[str, Any]) -> dict[str, Any]:
    meter = source["meter"]
    return {
        "device": source["name"],
        "source": meter["source"],
        "covers": meter["covers"],
        "total_kind": meter["total_kind"],
        "joules": 0.0,
        "seconds": 0.0,
        "gap_s": 0.0,
        "questions": 0,
        "idle_watts": [],
        "rails_joules": {},
    }


def _per_question(one: Mapping[str, Any], share: float) -> dict[str, object]:
    n, joules, idle = one["questions"], one["joules"], one["idle_watts"]
    a_question = joules / n if n else None
    return {
        **one,
        "joules": round(joules, 3),
        "watts": round(joules / one["seconds"], 4) if one["seconds"] else None,
        "idle_watts": round(sum(idle) / len(idle), 4) if idle else None,
        "rails_joules": {name: round(spent, 3) for name, spent in one["rails_joules"].items()},
        "joules_a_question": None if a_question is None else round(a_question, 6),
        "joules_a_correct_answer": (
            None if a_question is None or not share else round(a_question / share, 6)
        ),
    }


def _peaks(sessions: Sequence[Session]) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for _, sums in sessions:
        for kind, phases in sums.get("peak_bytes", {}).items():
            for phase, used in phases.items():
                most = found.setdefault(kind, {})
                most[phase] = max(used, most.get(phase, 0))
        if most_ever := sums.get("process_most"):
            process = found.setdefault("process", {})
            process["whole life"] = max(most_ever, process.get("whole life", 0))
    return found


def _spread(sessions: Sequence[Session], quantity: str) -> dict[str, dict[str, float]]:
    """Least, mean (by the sessions' length) and most of each clock or zone."""
    found: dict[str, list[tuple[float, Mapping[str, float]]]] = {}
    for _, sums in sessions:
        for name, spread in sums.get(quantity, {}).items():
            found.setdefault(name, []).append((max(sums["seconds"], 1e-9), spread))
    return {
        name: {
            "min": min(spread["min"] for _, spread in parts),
            "mean": round(
                sum(s * spread["mean"] for s, spread in parts) / sum(s for s, _ in parts), 3
            ),
            "max": max(spread["max"] for _, spread in parts),
        }
        for name, parts in found.items()
    }


def _summed(parts: Iterable[Mapping[str, float]]) -> dict[str, float]:
    total: dict[str, float] = {}
    for part in parts:
        for name, value in part.items():
            total[name] = round(total.get(name, 0) + value, 1)
    return total


def _session(facts: Mapping[str, Any], sums: Mapping[str, Any]) -> dict[str, object]:
    seconds = sums.get("seconds", 0.0)
    return {
        "started": facts["started"],
        "seconds": seconds,
        "questions": sums.get("questions", 0),
        "sources": [
            {key: source[key] for key in ("kind", "name", "power_mode", "details")}
            for source in facts["sources"]
        ],
        "monitor_core_share": round(sums.get("thread_s", 0.0) / seconds, 5) if seconds else None,
    }


def _of_batches(records: Sequence[Record]) -> Iterator[str]:
    said = [record.generation for record in records if record.generation is not None]
    if (most := max((one.timing.together for one in said), default=1)) > 1:
        yield (
            f"up to {most} answers were generated together: a step is an answer's share of the "
            "batch's, and how long one answer is waited for is not known"
        )


def _notes(sessions: Sequence[Session], energy: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    if not sessions:
        yield "nothing watched the hardware: the device card was off"
        return
    if not energy:
        yield UNMETERED
    yield from dict.fromkeys(
        note for facts, _ in sessions for source in facts["sources"] for note in source["notes"]
    )
    modes = {
        ", ".join(source["power_mode"] or "unknown" for source in facts["sources"])
        for facts, _ in sessions
    }
    if len(modes) > 1:
        yield f"its sessions ran under different power modes: {'; '.join(sorted(modes))}"
    for one in energy:
        if one["gap_s"]:
            yield (
                f"{one['source']}: {one['gap_s']:.1f} of {one['seconds']:.1f} s lie in gaps "
                "between samples, whose joules are interpolated"
            )
