"""How often a model's map has distances as they are, and what a map does to its answers."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from edgeval import tally
from edgeval.analyses.cognitive_map import CognitiveMap
from edgeval.errors import ArgumentError
from edgeval.figures import Figure, Reference
from edgeval.types import Record

NAME = "map accuracy"
# A distance is right within one unit of the grid. Source: arXiv 2412.14171.
RULE = "within 1 of the grid"
TOLERANCE = 1.0
# Its eight bins of true distance, in grid units: equal parts of 1 to 10, which it prints rounded.
BINS = ("1.0-2.1", "2.1-3.3", "3.3-4.4", "4.4-5.5", "5.5-6.6", "6.6-7.8", "7.8-8.9", "8.9-10.0")
_EDGES = tuple(1 + 9 * i / len(BINS) for i in range(len(BINS) + 1))

_SOURCE = "arXiv 2412.14171, figure of map accuracy; on VSI-Bench's scenes, scaled another way"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two categories of one scene. ``own`` is None where the model's map lacks one of them."""

    scene: str
    true: float
    own: float | None

    @property
    def right(self) -> bool:
        """Whether the model's distance is the true one within the tolerance."""
        return self.own is not None and abs(self.own - self.true) <= TOLERANCE


def pairs(scene: str, own: CognitiveMap | None, true: CognitiveMap) -> tuple[Pair, ...]:
    """Every two categories of the true map, by the closest of their instances.

    ``own``: None for an answer that held no map. Raises ArgumentError for maps of unlike grids.
    """
    if own is not None and own.grid != true.grid:
        raise ArgumentError(f"maps: got grids of {own.grid} and {true.grid}; wants the same")
    found = []
    for one, other in itertools.combinations(sorted(true.places), 2):
        gap = true.gap(one, other)
        if gap is not None:
            said = own.gap(one, other) if own is not None else None
            found.append(Pair(scene=scene, true=gap, own=said))
    return tuple(found)


def bin_of(distance: float) -> str | None:
    """The paper's bin of a true distance, closed above; None below 1 and above 10."""
    for name, low, high in zip(BINS, _EDGES, _EDGES[1:], strict=False):
        if low < distance <= high or distance == low == _EDGES[0]:
            return name
    return None


def figures(found: Sequence[Pair]) -> tuple[Figure, ...]:
    """The share of right distances in each bin, then in all pairs; intervals resample scenes.

    A pair that the model's map lacks is wrong and stays in n (ours: the paper does not say), and is
    counted in ``n_unparsed``. Pairs that are in no bin are in the last figure alone.
    """
    groups = {f"distance={name}": [p for p in found if bin_of(p.true) == name] for name in BINS}
    return tuple(_figure(group, part) for group, part in (*groups.items(), ("", list(found))))


def _figure(group: str, found: Sequence[Pair]) -> Figure:
    if not found:
        return Figure(name=NAME, rule=RULE, group=group, value=None, n=0, note=tally.NOTHING)
    columns = np.array([[float(pair.right), 1.0] for pair in found])
    bounds = tally.share_interval(columns, [pair.scene for pair in found])
    return Figure(
        name=NAME,
        rule=RULE,
        group=group,
        value=100 * float(columns[:, 0].mean()),
        n=len(found),
        low=bounds[0] if bounds else None,
        high=bounds[1] if bounds else None,
        n_unparsed=sum(pair.own is None for pair in found),
    )


def compared(asked: Mapping[str, Sequence[Record]], rule: str) -> tuple[Figure, ...]:
    """Accuracy of each way of asking ("no map", "own map", "true map"), over the same questions.

    Only questions asked in every way count: what one way left out would tilt the others. Raises
    ArgumentError where there are none.
    """
    ids = [{record.question.row_id for record in records} for records in asked.values()]
    common = set.intersection(*ids) if ids else set()
    if not common:
        raise ArgumentError("maps: got no question that was asked in every way; ask the same ones")
    found = []
    for way, records in asked.items():
        cells = tally.cells([r for r in records if r.question.row_id in common], rule)
        found.append(tally.accuracy(("accuracy", rule, f"map={way}"), cells, tally.mean(cells)))
    return tuple(found)


def _row(name: str, *shares: float) -> Reference:
    values = {f"distance={bin_}": 100 * x for bin_, x in zip(BINS, shares, strict=True)}
    return Reference(name=name, values=values, source=_SOURCE)


PUBLISHED = (
    _row("Gemini-1.5-Pro", 0.64, 0.48, 0.35, 0.35, 0.28, 0.12, 0.06, 0.00),
    _row("LLaVA-Video-72B", 0.59, 0.45, 0.42, 0.30, 0.15, 0.23, 0.16, 0.00),
    _row("LLaVA-Video-7B", 0.50, 0.43, 0.34, 0.29, 0.19, 0.18, 0.14, 0.00),
)
# Relative-distance accuracy by the map at hand, in the paper.
WITH_MAPS = (
    Reference(
        name="Paper, 10x10",
        values={"map=no map": 46.0, "map=own map": 56.0, "map=true map": 66.0},
        source="arXiv 2412.14171, relative distance with maps; on its own questions",
    ),
    Reference(
        name="Paper, 20x20",
        values={"map=no map": 46.0, "map=own map": 54.0, "map=true map": 78.0},
        source="arXiv 2412.14171, relative distance with maps; on its own questions",
    ),
)
