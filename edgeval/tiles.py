"""A large picture as views of one size: tiles in a grid near its aspect, then the whole.

Source: transformers 5.23.0, models/got_ocr2/image_processing_got_ocr2.py (InternVL's pictures).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgeval import pixels
from edgeval.types import Picture


@dataclass(frozen=True, slots=True, kw_only=True)
class Tiling:
    """``height`` x ``width`` of a view in pixels; ``least`` to ``most`` tiles a picture."""

    height: int
    width: int
    resample: pixels.Resample
    least: int
    most: int

    def grid(self, height: int, width: int) -> tuple[int, int]:
        """(rows, columns) for a picture of these sides in pixels.

        The nearest aspect; of equally near ones the last whose half the picture would fill.
        """
        sides = range(1, self.most + 1)
        grids = [(r, c) for c in sides for r in sides if self.least <= r * c <= self.most]
        best, nearest = (1, 1), float("inf")
        for rows, columns in sorted(grids, key=lambda grid: grid[0] * grid[1]):
            distance = abs(width / height - columns / rows)
            filled = height * width > 0.5 * self.height * self.width * rows * columns
            if distance < nearest or (distance == nearest and filled):
                best, nearest = (rows, columns), distance
        return best

    def views(self, picture: Picture, *, grid: tuple[int, int]) -> NDArray[np.uint8]:
        """uint8 [n * height, width, 3]: the tiles row by row, then the whole if there are more."""
        rows, columns = grid
        shown = self._resized(picture, rows, columns)
        tiles = shown.reshape(rows, self.height, columns, self.width, 3).swapaxes(1, 2)
        views: NDArray[np.uint8] = tiles.reshape(-1, self.width, 3)
        if rows * columns > 1:
            views = np.concatenate([views, self._resized(picture, 1, 1)])
        return views

    def _resized(self, picture: Picture, rows: int, columns: int) -> NDArray[np.uint8]:
        size = (rows * self.height, columns * self.width)
        recipe = pixels.Recipe(sizes=(size,), resample=self.resample)
        return np.asarray(pixels.see(picture, recipe), np.uint8)
