"""The true map of a scene, from its geometry."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from edgeval.analyses.cognitive_map import CognitiveMap, Place
from edgeval.scenes import Scene, corners


def true_map(
    scene: Scene, categories: Iterable[str] | None = None, *, grid: int = 10
) -> CognitiveMap:
    """Where the centres of the objects are. ``categories``: only those; None means all.

    The scaling is ours, because the authors' is not published: the smallest upright square over all
    boxes of the scene, centred on them, is the grid; a place is the cell that the centre falls in,
    0 to grid - 1, x to the right, y up. A map without objects is empty.
    """
    wanted = set(scene.boxes) if categories is None else set(categories)
    every = [corners(box)[:, :2] for boxes in scene.boxes.values() for box in boxes]
    if not every:
        return CognitiveMap(grid=grid, places={})
    outline = np.concatenate(every)
    low, high = outline.min(axis=0), outline.max(axis=0)
    side = float((high - low).max())
    left, bottom = ((low + high - side) / 2).tolist()

    def cell(ground: Place) -> Place:
        x, y = ((ground[0] - left) / side * grid, (ground[1] - bottom) / side * grid)
        return float(min(max(int(x), 0), grid - 1)), float(min(max(int(y), 0), grid - 1))

    places = {
        kind: tuple(cell(box.ground) for box in boxes)
        for kind, boxes in scene.boxes.items()
        if kind in wanted and boxes
    }
    return CognitiveMap(grid=grid, places=places)
