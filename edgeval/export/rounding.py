"""Weights as whole numbers in blocks with a scale each.

The bits are those of onnxruntime's own quantiser, which holds a whole model in memory; this one
holds a layer (tests/unit/export/test_like_onnxruntime.py).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# Of the scale that keeps the largest weight: what is tried where inputs are known.
SHARES = (0.95, 0.9, 0.85, 0.8, 0.75, 0.7)

Floats = NDArray[np.float32]


def to_blocks(
    weight: Floats, bits: int, block: int = 32, squares: Floats | None = None
) -> tuple[NDArray[np.int8], Floats]:
    """W [K, N] -> whole numbers [N, blocks, block] from -2**(bits-1), and scales [N, blocks].

    The last block is filled with zeros. W is about number * scale. ``squares`` [K]: how large the
    inputs are; the scale is then the one that loses least of the product, of some.
    """
    depth, width = weight.shape
    n_blocks = -(-depth // block)
    filled = np.zeros((width, n_blocks * block), np.float32)
    filled[:, :depth] = weight.T
    blocks = filled.reshape(width, n_blocks, block)
    most, least = blocks.max(-1, keepdims=True), blocks.min(-1, keepdims=True)
    largest = np.where(most > -least, most, least)
    low = -(2 ** (bits - 1))
    scales = (largest / np.float32(low)).astype(np.float32)
    if squares is not None:
        weighed = np.zeros(n_blocks * block, np.float32)
        weighed[:depth] = squares
        scales = _least_lossy(blocks, scales, weighed.reshape(n_blocks, block), low)
    return _rounded(blocks, scales, low), scales[..., 0]


def _rounded(blocks: Floats, scales: Floats, low: int) -> NDArray[np.int8]:
    """Numbers of scales: times the inverse, a half upwards, in float32 as onnxruntime does it."""
    usable = np.abs(scales) > 1 / np.finfo(np.float32).max
    shifted = blocks * np.divide(
        np.float32(1), scales, where=usable, out=np.zeros_like(scales, np.float32)
    )
    shifted -= np.float32(low)
    numbers = np.floor(shifted)
    shifted -= numbers
    numbers += shifted >= 0.5
    numbers += np.float32(low)
    return np.asarray(np.clip(numbers, low, -low - 1, out=numbers), np.int8)


def _least_lossy(blocks: Floats, scales: Floats, weighed: Floats, low: int) -> Floats:
    best, least = scales, np.full(scales.shape, np.inf, np.float32)
    for share in (1.0, *SHARES):
        tried = scales * np.float32(share)
        lost = np.square(blocks - _rounded(blocks, tried, low) * tried)
        loss = np.einsum("wnb,nb->wn", lost, weighed)[..., None]
        best = np.where(loss < least, tried, best)
        least = np.minimum(least, loss)
    return best
