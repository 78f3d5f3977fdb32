"""What a model saw, as one picture."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeval import frames, pixels
from edgeval.media.decode import decode
from edgeval.media.probe import probe
from edgeval.types import FrameRule

THUMB_WIDTH = 320


def contact_sheet(video: Path, indices: Sequence[int]) -> NDArray[np.uint8]:
    """Uint8 [H, W, 3]: the frames in the order they were shown, row by row, 320 pixels wide each.

    Raises VideoError where the video cannot be read any more.
    """
    rule = FrameRule(how="indices", indices=tuple(indices))
    seen = decode(frames.plan(probe(video), rule), shrink=pixels.to_rgb)
    height, width = seen.pixels[0].shape[:2]
    small = max(1, round(height * THUMB_WIDTH / width))
    thumbs = [
        pixels.resize(
            image.astype(np.uint8, copy=False),
            height=small,
            width=THUMB_WIDTH,
            resample="bilinear",
        )
        for image in seen.pixels
    ]
    columns = math.ceil(math.sqrt(len(thumbs)))
    rows = math.ceil(len(thumbs) / columns)
    sheet = np.full((rows * small, columns * THUMB_WIDTH, 3), 255, dtype=np.uint8)
    for i, thumb in enumerate(thumbs):
        top, left = divmod(i, columns)
        area = np.s_[top * small : (top + 1) * small, left * THUMB_WIDTH : (left + 1) * THUMB_WIDTH]
        sheet[area] = thumb
    return sheet
