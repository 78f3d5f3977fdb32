"""What a score is worth under a deadline: an answer that comes late counts as wrong.

The whole curve comes from one run, because every record keeps the time of each of its steps. A
question waits either from a cold start (its clip is decoded, seen and prefilled first) or on a
clip that has been seen; the two are told apart, since only a clip's first question pays for it.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from types import MappingProxyType
from typing import Literal

from edgeval import tally
from edgeval.errors import ArgumentError
from edgeval.figures import Figure
from edgeval.types import Record

Start = Literal["cold", "seen"]
STARTS = MappingProxyType[Start, str]({"cold": "clip not yet seen", "seen": "clip seen before"})
NO_DEADLINE = math.inf
# Points of the curve (ours): three to a decade, as is usual for what spans decades.
_DECADE = (1, 2, 5)


def latency_s(record: Record, start: Start) -> float:
    """Seconds from the question to the last token of its answer; inf where none came."""
    if record.generation is None:
        return math.inf
    timing = record.generation.timing
    return timing.question_s + (timing.clip_s if start == "cold" else 0.0)


def deadlines(records: Sequence[Record], wanted: Sequence[float] = ()) -> tuple[float, ...]:
    """The deadlines of a curve in seconds, rising, none at all last.

    ``wanted`` among 1-2-5 steps from where nothing is in time to where everything is. Raises
    ArgumentError for one that is not above 0.
    """
    for seconds in wanted:
        if not 0 < seconds < NO_DEADLINE:
            raise ArgumentError(f"deadline: got {seconds:g} seconds; wants a number above 0")
    waits = [latency_s(record, start) for record in records for start in STARTS]
    return (*sorted({*wanted, *_steps([x for x in waits if 0 < x < NO_DEADLINE])}), NO_DEADLINE)


def _steps(waits: Sequence[float]) -> list[float]:
    """1-2-5 steps from the last before every wait to the first past all of them."""
    if not waits:
        return []
    decades = range(math.floor(math.log10(min(waits))), math.ceil(math.log10(max(waits))) + 1)
    steps = [float(f"{digit}e{decade}") for decade in decades for digit in _DECADE]
    before = max(step for step in steps if step <= min(waits))
    after = min(step for step in steps if step >= max(waits))
    return [step for step in steps if before <= step <= after]


def in_time(records: Sequence[Record], rule: str, start: Start, seconds: float) -> Figure:
    """Accuracy under ``rule`` when answers later than ``seconds`` are wrong.

    A late answer stays in n and is worth 0; ``note`` says how many were late.
    """
    late = [latency_s(record, start) > seconds for record in records]
    cells = [
        dataclasses.replace(cell, value=0.0) if is_late and cell.value is not None else cell
        for cell, is_late in zip(tally.cells(records, rule), late, strict=True)
    ]
    group = "no deadline" if seconds == NO_DEADLINE else f"within {seconds:g} s"
    figure = tally.accuracy((f"accuracy, {STARTS[start]}", rule, group), cells, tally.mean(cells))
    return dataclasses.replace(figure, note=figure.note or f"{sum(late)} of {len(late)} late")


def curve(records: Sequence[Record], rule: str, wanted: Sequence[float] = ()) -> tuple[Figure, ...]:
    """Every deadline from both starts, of the true askings only: variants are not what is used.

    Raises ArgumentError where answers were generated together.
    """
    true = [record for record in records if not record.variant]
    if any(one.generation is not None and one.generation.timing.together > 1 for one in true):
        raise ArgumentError(
            "deadline: these answers were generated together (--batch-questions), so how long each "
            "is waited for is not known; run without that option"
        )
    return tuple(
        in_time(true, rule, start, seconds)
        for seconds in deadlines(true, wanted)
        for start in STARTS
    )
