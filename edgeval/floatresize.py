"""Bicubic resize of uint8 pictures in float32, as torchvision's older functions do it.

``torchvision.transforms.functional.resize`` (which qwen-vl-utils calls) turns uint8 into float32
before it interpolates and rounds afterwards; its v2 namesake (which transformers calls) stays in
integers: ``edgeval.pixels.resize``. On eight frames of 336 x 592 made 336 x 588, one value in
1,400 differs, by one step of 255.

Bit-equal to torch 2.13 on x86 with FMA. Every tap after the first is added in turn; in groups of
four with a rounded product, the rest with a fused one, because that is how its loop is compiled.
Source: pytorch@v2.13 aten/src/ATen/native/cpu/UpSampleKernel.cpp (aa_filter of cubic, a = -0.5).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
F = np.float32
A = F(-0.5)
REACH = 2  # pixels of the output's size to either side
GROUP = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Taps:
    """Which inputs make each output, [k, n_out]; weight 0 where an output has fewer.

    ``fused`` [k, n_out]: the tap's product is not rounded before it is added.
    """

    index: NDArray[np.int64]
    weight: Floats
    fused: NDArray[np.bool_]


def resize(image: NDArray[np.uint8], *, height: int, width: int) -> NDArray[np.uint8]:
    """uint8 [H, W, 3] -> uint8 [height, width, 3], antialiased: along rows, then along columns."""
    if image.shape[:2] == (height, width):
        return image
    # Whole rows are taken, which is several times faster than single pixels.
    turned = np.ascontiguousarray(image.transpose(1, 0, 2), np.float32)
    out = np.ascontiguousarray(_rows(turned, width).transpose(1, 0, 2))
    return np.asarray(np.rint(_rows(out, height).clip(0, 255)), np.uint8)


def _rows(image: Floats, n_out: int) -> Floats:
    """[n_in, ...] -> [n_out, ...]."""
    if image.shape[0] == n_out:
        return image
    taps = _taps(image.shape[0], n_out)
    out = np.asarray(image[taps.index[0]] * taps.weight[0][:, None, None], np.float32)
    for index, weight, fused in zip(taps.index[1:], taps.weight[1:], taps.fused[1:], strict=True):
        values, scales = image[index], weight[:, None, None]
        if fused.all():
            out = _fused(values, scales, out)
            continue
        at = np.flatnonzero(fused)
        part = _fused(values[at], scales[at], out[at])
        values *= scales
        out += values
        out[at] = part
    return out


def _fused(values: Floats, scales: Floats, added: Floats) -> Floats:
    """Values * scales + added, rounded once: the product of two float32 is exact in float64."""
    return np.asarray(values.astype(np.float64) * scales + added, np.float32)


@lru_cache(maxsize=16)
def _taps(n_in: int, n_out: int) -> Taps:
    scale = F(n_in) / F(n_out)
    support = F(REACH) * scale if scale >= 1 else F(REACH)
    inverse = F(1) / scale if scale >= 1 else F(1)
    centre = (np.float64(scale) * (np.arange(n_out) + 0.5)).astype(np.float32)
    low = np.maximum((centre - support + 0.5).astype(np.int64), 0)
    high = np.minimum((centre + support + 0.5).astype(np.int64), n_in)
    count = high - low
    place = np.arange(count.max())[:, None]
    index = np.minimum(low + place, n_in - 1)
    there = place < count
    distance = ((low + place).astype(np.float32) - centre).astype(np.float64) + 0.5
    weight = np.where(there, _cubic((distance * inverse).astype(np.float32)), F(0))
    total = np.zeros(n_out, np.float32)
    for row in weight:
        total = total + row
    grouped = 1 + (count - 1) // GROUP * GROUP
    return Taps(
        index=index, weight=np.asarray(weight / total, np.float32), fused=(place >= grouped) & there
    )


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
