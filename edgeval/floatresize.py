"""Bicubic resize of uint8 pictures in float32, as torchvision's older functions do it.

``torchvision.transforms.functional.resize`` (which qwen-vl-utils calls) turns uint8 into float32
before it interpolates and rounds afterwards; its v2 namesake (which transformers calls) stays in
integers: ``edgeval.pixels.resize``. On eight frames of 336 x 592 made 336 x 588, one value in
1,400 differs, by one step of 255. Weights are made here, pictures in C++ with the GIL released.

Bit-equal to torch 2.13 on x86 with FMA. Every tap after the first is added in turn; in groups of
four with a rounded product, the rest with a fused one, because that is how its loop is compiled.
Source: pytorch@v2.13 aten/src/ATen/native/cpu/UpSampleKernel.cpp (aa_filter of cubic, a = -0.5).
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from edgeval import _core

Floats = NDArray[np.float32]
# Of every output: its first input, how many there are, and [n_out, most] weights.
Taps = tuple[NDArray[np.int64], NDArray[np.int64], Floats]
F = np.float32
A = F(-0.5)
REACH = 2  # pixels of the output's size to either side


def resize(
    image: NDArray[np.uint8], *, height: int, width: int, kernel: str = "auto"
) -> NDArray[np.uint8]:
    """uint8 [H, W, 3] -> uint8 [height, width, 3], antialiased: along rows, then along columns.

    ``kernel``: 'auto', 'scalar', 'avx2' or 'neon'; all give the same bits. Raises TypeError for
    another dtype, ArgumentError for another shape or a kernel that this machine cannot run.
    """
    if image.shape[:2] == (height, width):
        return image
    out = np.empty((height, width, 3), np.uint8)
    across, down = _taps(image.shape[1], width), _taps(image.shape[0], height)
    _core.float_resize(np.ascontiguousarray(image), across, down, out, kernel)
    return out


@lru_cache(maxsize=16)
def _taps(n_in: int, n_out: int) -> Taps:
    if n_in == n_out:
        return np.arange(n_out), np.ones(n_out, np.int64), np.ones((n_out, 1), np.float32)
    scale = F(n_in) / F(n_out)
    support = F(REACH) * scale if scale >= 1 else F(REACH)
    inverse = F(1) / scale if scale >= 1 else F(1)
    centre = (np.float64(scale) * (np.arange(n_out) + 0.5)).astype(np.float32)
    low = np.maximum((centre - support + 0.5).astype(np.int64), 0)
    high = np.minimum((centre + support + 0.5).astype(np.int64), n_in)
    count = high - low
    place = np.arange(count.max())[:, None]
    there = place < count
    distance = ((low + place).astype(np.float32) - centre).astype(np.float64) + 0.5
    weight = np.where(there, _cubic((distance * inverse).astype(np.float32)), F(0))
    total = np.zeros(n_out, np.float32)
    for row in weight:
        total = total + row
    return low, count, np.ascontiguousarray((weight / total).T, np.float32)


def _cubic(x: Floats) -> Floats:
    """The cubic of a = -0.5, with the fused steps that the compiler makes of it."""
    x = np.abs(x)
    inner = _stepped(np.full_like(x, A + F(2)), x, -(A + F(3)))
    inner = _stepped(inner * x, x, F(1))
    outer = _stepped(np.full_like(x, A), x, -F(5) * A)
    outer = _stepped(_stepped(outer, x, F(8) * A), x, -F(4) * A)
    return np.where(x < 1, inner, np.where(x < REACH, outer, F(0))).astype(np.float32)


def _stepped(factor: Floats, x: Floats, added: np.float32) -> Floats:
    return np.asarray(factor.astype(np.float64) * x + np.float64(added), np.float32)
