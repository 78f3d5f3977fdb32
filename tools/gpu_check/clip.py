"""The clip that is asked about: blocks that move over a gradient, encoded here."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeval import frames
from edgeval.media.encode import encode
from edgeval.media.probe import probe
from edgeval.types import FramePlan, FrameRule

FPS, SECONDS = 8, 16
COLOURS = ((200, 40, 40), (40, 180, 60), (50, 70, 210), (230, 200, 40))


def make(folder: Path, height: int, width: int) -> Path:
    """An mp4 of that size, made once: the same bytes from the same encoder."""
    path = folder / f"clip-{width}x{height}.mp4"
    if not path.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        encode(path, _images(height, width), fps=FPS, crf=20, gop=4 * FPS)
    return path


def plan(path: Path, n_frames: int) -> FramePlan:
    """So many frames, spread over all of it."""
    info = probe(path)
    last = info.n_frames - 1
    indices = tuple(round(at * last / (n_frames - 1)) for at in range(n_frames))
    return frames.plan(info, FrameRule(how="indices", indices=indices))


def _images(height: int, width: int) -> Iterator[NDArray[np.uint8]]:
    rows, columns = np.mgrid[:height, :width]
    ground = np.stack(
        [rows * 255 // height, columns * 255 // width, (rows + columns) % 256], axis=-1
    ).astype(np.uint8)
    side = max(2, height // 5)
    for number in range(FPS * SECONDS):
        image = ground.copy()
        for at, colour in enumerate(COLOURS):
            top = (at * height // 4 + number * (at + 1)) % (height - side)
            left = (at * width // 4 + number * 2 * (4 - at)) % (width - side)
            image[top : top + side, left : left + side] = colour
        yield image
