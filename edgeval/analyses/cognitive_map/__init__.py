"""Cognitive maps: where a model believes the objects of a room stand, on a grid seen from above.

After VSI-Bench (arXiv 2412.14171, its part on what models say of space, and the appendix):

    asking.prompt -> the model -> asking.read_map     its own map, or None
    truth.true_map                                    the map of the scene's geometry
    accuracy.figures                                  how often distances on both agree
    asking.with_map, accuracy.compared                questions asked without, with own, with true
    picture.draw                                      the two maps side by side

What the paper does not say is ours, and named so where it stands.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from edgeval.errors import ArgumentError

Place = tuple[float, float]

# The paper's grids; any of two cells or more will do.
GRIDS = (10, 20)


@dataclass(frozen=True, slots=True, kw_only=True)
class CognitiveMap:
    """Category -> where its instances stand, in units of a ``grid`` x ``grid`` square."""

    grid: int
    places: Mapping[str, tuple[Place, ...]]

    def __post_init__(self) -> None:
        """Raise ArgumentError for a grid of less than two cells a side."""
        if self.grid < 2:
            raise ArgumentError(f"map: got a grid of {self.grid}; wants 2 or more")

    def gap(self, one: str, other: str) -> float | None:
        """Distance between the closest instances of two categories, None where one is missing."""
        here, there = self.places.get(one, ()), self.places.get(other, ())
        return min((math.dist(a, b) for a in here for b in there), default=None)

    def nearest(self, anchor: str, choices: tuple[str, ...]) -> str | None:
        """Which of ``choices`` the map has closest to ``anchor``: the first of equals.

        None where the map lacks the anchor or every choice.
        """
        gaps = {choice: gap for choice in choices if (gap := self.gap(anchor, choice)) is not None}
        return min(gaps, key=gaps.__getitem__) if gaps else None
