"""The pictures of the page: frames as encoded, squares as seen, and each change as a strip."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeval import pixels
from edgeval.analyses.contactsheet import contact_sheet

Image = NDArray[np.uint8]
COLUMNS, ZOOM, GAP = 4, 2, 8
A_LINE, SMALL = 16, 32


def encoded(video: Path, indices: Sequence[int]) -> Image:
    """The frames in full, as `edgeval show` lays them out, at half the size."""
    sheet = contact_sheet(video, indices)
    height, width = sheet.shape[0] // 2, sheet.shape[1] // 2
    return pixels.resize(sheet, height=height, width=width, resample="bilinear")


def seen(squares: Sequence[Image], tokens: int) -> Image:
    """The squares pixel by pixel, twice as large, a gap where one token's part meets the next's."""
    return _laid([_parted(square, round(tokens**0.5)) for square in squares], COLUMNS, GAP)


def strip(squares: Sequence[Image]) -> Image:
    """The squares in the order shown, small, sixteen a line."""
    small = [
        pixels.resize(square, height=SMALL, width=SMALL, resample="bilinear") for square in squares
    ]
    return _laid(small, min(A_LINE, len(small)), 2)


def _parted(square: Image, sides: int) -> Image:
    """``sides`` x ``sides`` parts, enlarged, two white pixels between them."""
    side = square.shape[0] // sides
    parts = [
        square[y * side : (y + 1) * side, x * side : (x + 1) * side].repeat(ZOOM, 0).repeat(ZOOM, 1)
        for y in range(sides)
        for x in range(sides)
    ]
    return _laid(parts, sides, 2)


def _laid(images: Sequence[Image], columns: int, gap: int) -> Image:
    """Images of one size row by row on white, ``gap`` pixels apart."""
    height, width = images[0].shape[:2]
    rows = -(-len(images) // columns)
    shape = (rows * (height + gap) - gap, columns * (width + gap) - gap, 3)
    sheet = np.full(shape, 255, np.uint8)
    for i, image in enumerate(images):
        top, left = (i // columns) * (height + gap), (i % columns) * (width + gap)
        sheet[top : top + height, left : left + width] = image
    return sheet
