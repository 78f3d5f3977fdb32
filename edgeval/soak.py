"""What a soak has found: its phases, how fast each was, and how the hardware fared in it.

Its folder has soak.json, what was asked for, on what, and the phases when it has ended;
rounds.jsonl, one line a round, as it ends; device.jsonl, the hardware, as in a run folder.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from edgeval.costs.phases import Stretch, named, stretches, windows
from edgeval.device import timeline
from edgeval.errors import RunFolderError
from edgeval.runfolder import dumps
from edgeval.workload import Round

SCHEMA = 1
CARD, ROUNDS = "soak.json", "rounds.jsonl"
# A clock this far below the first phase's tells of being held back, as a throttle flag does.
SLOWER_CLOCK = 0.97
QUANTILES = (50, 90, 99)


class Log:
    """A new folder for a soak, and its rounds as they come. Use as a context manager."""

    def __init__(self, folder: Path, card: Mapping[str, object]) -> None:
        """Make the folder. Raises RunFolderError where it is there already or cannot be made."""
        try:
            folder.mkdir(parents=True)
            (folder / CARD).write_text(json.dumps(card, indent=1, sort_keys=True) + "\n")
            self._stream = (folder / ROUNDS).open("a", encoding="utf-8")
        except FileExistsError as error:
            raise RunFolderError(f"{folder}: is there already; name a new one with -o") from error
        except OSError as error:
            raise RunFolderError(
                f"{folder}: cannot be written ({error.strerror}); name another one with -o"
            ) from error
        self.rounds: list[Round] = []

    def append(self, done: Round) -> None:
        """Write one round down. Raises RunFolderError when the disk takes no more."""
        self.rounds.append(done)
        try:
            self._stream.write(dumps(asdict(done)) + "\n")
            self._stream.flush()
        except OSError as error:
            raise RunFolderError(
                f"{ROUNDS}: cannot be written ({error.strerror}); free the disk and start anew"
            ) from error

    def __enter__(self) -> Log:
        """Return self."""
        return self

    def __exit__(self, *_: object) -> None:
        """Let go of the file."""
        self._stream.close()


def phases(
    rounds: Sequence[Round], sessions: Sequence[timeline.Session]
) -> tuple[dict[str, Any], ...]:
    """Every phase in order, as plain JSON values. ``sessions``: of device.jsonl, one or none."""
    if not rounds:
        return ()
    ends, rates = windows([one.at_s for one in rounds], [one.seconds for one in rounds])
    session = sessions[0] if sessions else None

    def fared(stretch: Stretch) -> dict[str, Any]:
        return _hardware(session, *_span(stretch, ends)) if session else {}

    found = stretches(rates)
    first = fared(found[0])

    def held_back(stretch: Stretch) -> bool:
        here = fared(stretch)
        clocks = here.get("clock_mhz", {})
        before = first.get("clock_mhz", {})
        slower = any(clocks[name] < SLOWER_CLOCK * before.get(name, 0.0) for name in clocks)
        return bool(here.get("throttled")) or slower

    return tuple(
        {
            "phase": name,
            "from_s": round(_span(stretch, ends)[0], 1),
            "to_s": round(_span(stretch, ends)[1], 1),
            **_speed([one for one in rounds if _within(one.at_s, *_span(stretch, ends))]),
            **fared(stretch),
        }
        for name, stretch in named(found, held_back)
    )


def _span(stretch: Stretch, ends: np.ndarray[Any, np.dtype[np.float64]]) -> tuple[float, float]:
    first = float(ends[stretch.first - 1]) if stretch.first else 0.0
    return first, float(ends[stretch.end - 1])


def _within(at_s: float, first_s: float, last_s: float) -> bool:
    return first_s < at_s <= last_s


def _speed(rounds: Sequence[Round]) -> dict[str, float]:
    steps = [step for one in rounds for step in one.timing.step_s]
    quantiles = np.percentile(steps or [np.nan], QUANTILES, method="inverted_cdf")
    return {
        "rounds": len(rounds),
        "round_s": round(float(np.median([one.seconds for one in rounds])), 6),
        "tokens_a_second": round(len(steps) / sum(steps), 3) if steps else 0.0,
        **{f"step_p{q}_s": round(float(t), 6) for q, t in zip(QUANTILES, quantiles, strict=True)},
    }


def _hardware(session: timeline.Session, first_s: float, last_s: float) -> dict[str, Any]:
    """Means of power and clocks, the highest temperatures, and what held the hardware back."""
    watts: dict[str, list[float]] = {}
    clocks: dict[str, list[float]] = {}
    heat: dict[str, float] = {}
    throttled: set[str] = set()
    for line in session.samples:
        for name, value in _watts(session, line, first_s, last_s):
            watts.setdefault(name, []).append(value)
        if not line["t_ms"] or not _within(line["t_ms"][-1] / 1000, first_s, last_s):
            continue
        for state in line["states"]:
            for name, value in state["clock_mhz"].items():
                clocks.setdefault(name, []).append(value)
            for name, value in state["temperature_c"].items():
                heat[name] = max(value, heat.get(name, value))
            throttled |= set(state["throttled"])
    return {
        "watts": {name: round(float(np.mean(got)), 3) for name, got in watts.items()},
        "clock_mhz": {name: round(float(np.mean(got)), 1) for name, got in clocks.items()},
        "temperature_c": heat,
        "throttled": sorted(throttled),
    }


def _watts(
    session: timeline.Session, line: Mapping[str, Any], first_s: float, last_s: float
) -> Iterator[tuple[str, float]]:
    """(meter, watts of its total) of every sample in the span whose rails were all read."""
    for source, rows in zip(session.facts["sources"], line["milliwatts"], strict=False):
        if source["meter"] is None:
            continue
        counted = [at for at, rail in enumerate(source["meter"]["rails"]) if rail["total"]]
        for t_ms, row in zip(line["t_ms"], rows, strict=False):
            parts = [row[at] for at in counted]
            if _within(t_ms / 1000, first_s, last_s) and None not in parts:
                yield source["meter"]["source"], sum(parts) / 1000
