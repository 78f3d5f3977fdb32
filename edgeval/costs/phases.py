"""How a rate held up over time: stretches of one level, found by change points, and named.

Rates are taken over short windows as medians, so that one slow answer is no change. Levels are
those of optimal partitioning (Jackson et al. 2005, "An algorithm for optimal partitioning of data
on an interval") on their logarithms: a slow-down by a tenth counts alike at any speed.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

WINDOW_S = 5.0
# Ours. A stretch lasts 30 s at least; levels closer than 3 % are one, since a clock step of any
# board is larger; below the noise of the windows nothing is a change.
SHORTEST = 6
SMALLEST_CHANGE = 0.03
PENALTY = 12.0
_CLIP_AT = 3.0
_NORMAL = 1.4826  # Of the median absolute deviation to a standard deviation.


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """A stretch of one level, in windows [first, end)."""

    first: int
    end: int
    level: float


def windows(at_s: Sequence[float], seconds: Sequence[float]) -> tuple[Floats, Floats]:
    """Ends in seconds and rates a second of windows of equal work-time, both float64 [n].

    ``at_s``: when each piece of work ended; ``seconds``: what it took. A window holds the pieces
    that ended in it; one in which none ended is left out.
    """
    ends = np.asarray(at_s, np.float64)
    took = np.asarray(seconds, np.float64)
    # A piece may be longer than a window: then it is a window of its own.
    place = np.floor(ends / max(WINDOW_S, float(np.median(took)))).astype(np.int64)
    keys = np.unique(place)
    rates = [1.0 / float(np.median(took[place == key])) for key in keys]
    return np.array([ends[place == key].max() for key in keys]), np.array(rates)


def stretches(rates: Floats) -> tuple[Stretch, ...]:
    """The levels of positive ``rates`` float64 [n], in order; one where nothing changed."""
    values = np.log(rates)
    noise = _noise(values)
    cuts = [0, *_partition(_without_outliers(values, noise), noise), len(values)]
    found = [_stretch(rates, first, end) for first, end in itertools.pairwise(cuts)]
    while len(found) > 1:
        gaps = [abs(np.log(b.level / a.level)) for a, b in itertools.pairwise(found)]
        at = int(np.argmin(gaps))
        if gaps[at] >= SMALLEST_CHANGE:
            break
        found[at : at + 2] = [_stretch(rates, found[at].first, found[at + 1].end)]
    return tuple(found)


def _stretch(rates: Floats, first: int, end: int) -> Stretch:
    return Stretch(first=first, end=end, level=float(np.median(rates[first:end])))


def _noise(values: Floats) -> float:
    """Standard deviation of what differs from one window to the next; levels do not add to it."""
    if len(values) < 3:
        return SMALLEST_CHANGE
    steps = np.diff(values)
    spread = _NORMAL * float(np.median(np.abs(steps - np.median(steps)))) / math.sqrt(2)
    return max(spread, SMALLEST_CHANGE / 10)


def _without_outliers(values: Floats, noise: float) -> Floats:
    """Each value held within three deviations of the median of its nine neighbours."""
    near = np.array([np.median(values[max(0, i - 4) : i + 5]) for i in range(len(values))])
    held: Floats = near + np.clip(values - near, -_CLIP_AT * noise, _CLIP_AT * noise)
    return held


def _partition(values: Floats, noise: float) -> list[int]:
    """Where new levels begin: the least squares with a price on every change. O(n^2)."""
    n = len(values)
    price = PENALTY * noise**2 * np.log(max(n, 2))
    sums = np.concatenate([[0.0], np.cumsum(values)])
    squares = np.concatenate([[0.0], np.cumsum(values**2)])
    best = np.full(n + 1, np.inf)
    best[0] = -price
    came_from = np.zeros(n + 1, np.int64)
    for end in range(SHORTEST, n + 1):
        starts = np.arange(0, end - SHORTEST + 1)
        counts = end - starts
        rest = squares[end] - squares[starts] - (sums[end] - sums[starts]) ** 2 / counts
        costs = best[starts] + rest + price
        came_from[end] = starts[int(np.argmin(costs))]
        best[end] = costs.min()
    cuts = []
    at = n
    while n >= SHORTEST and (at := int(came_from[at])) > 0:
        cuts.append(at)
    return cuts[::-1]


def named(
    found: Sequence[Stretch], held_back: Callable[[Stretch], bool]
) -> tuple[tuple[str, Stretch], ...]:
    """Each stretch with its name: cold, steady, throttled, or slower.

    ``cold``: the first, where another follows. ``steady``: within 3 % of the fastest.
    ``throttled``: below that while ``held_back`` says that the hardware told of it; ``slower``:
    below that, and nothing told why.
    """
    fastest = max(stretch.level for stretch in found)
    names = []
    for place, stretch in enumerate(found):
        if place == 0 and len(found) > 1:
            names.append("cold")
        elif stretch.level >= fastest * (1 - SMALLEST_CHANGE):
            names.append("steady")
        else:
            names.append("throttled" if held_back(stretch) else "slower")
    return tuple(zip(names, found, strict=True))
