"""Positions of M-RoPE: a time, a row and a column for every token of a prompt.

What implementations disagree on is a named semantics: how far the text behind a video starts, and
how seconds become positions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgeval.errors import ArgumentError, UnknownName

V5, V4 = "transformers-5.23", "transformers-4.57"
SEMANTICS = (V5, V4)
AXES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """A run of image tokens: ``t`` times ``h`` rows times ``w`` columns.

    ``seconds``: from one time to the next; ``rate``: positions a second. Both None where times are
    counted.
    """

    t: int
    h: int
    w: int
    seconds: float | None = None
    rate: int | None = None


def check(semantics: str) -> str:
    """The name. Raises UnknownName."""
    if semantics not in SEMANTICS:
        raise UnknownName("M-RoPE semantics", semantics, SEMANTICS)
    return semantics


def positions(
    visual: NDArray[np.bool_], grids: Sequence[Grid], semantics: str = V5
) -> NDArray[np.int64]:
    """int64 [3, S] for tokens of which ``visual`` [S] are image tokens, run after run.

    The runs are those of ``grids``, in order. Raises ArgumentError where they do not fill them.
    Source: get_rope_index of modeling_qwen2_vl.py, modeling_qwen2_5_vl.py and modeling_qwen3_vl.py
    in transformers 5.23.0 and 4.57.0.
    """
    out = np.empty((AXES, len(visual)), np.int64)
    edges = np.flatnonzero(np.diff(visual, prepend=False, append=False))
    runs = list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))
    sizes = [end - start for start, end in runs]
    if sizes != [grid.t * grid.h * grid.w for grid in grids]:
        raise ArgumentError(
            f"prompt: got runs of {sizes[:3]} image tokens for grids {list(grids)[:3]}; wants as "
            "many (does the question's text hold an image token?)"
        )
    at = place = 0
    for (start, end), grid in zip(runs, grids, strict=True):
        out[:, at:start] = place + np.arange(start - at)
        place += start - at
        run = _run(grid, semantics)
        out[:, start:end] = place + run
        place += max(grid.h, grid.w) if semantics == V5 else int(run.max()) + 1
        at = end
    out[:, at:] = place + np.arange(len(visual) - at)
    return out


def _run(grid: Grid, semantics: str) -> NDArray[np.int64]:
    """[3, t * h * w], from 0."""
    times = np.arange(grid.t)
    if grid.seconds is not None and grid.rate is not None:
        if semantics == V5:
            # The product is float32 there, and cut.
            step = np.float32(grid.rate) * np.float32(grid.seconds)
            times = (times.astype(np.float32) * step).astype(np.int64)
        else:
            times = times * int(grid.seconds) * grid.rate
    mesh = np.meshgrid(times, np.arange(grid.h), np.arange(grid.w), indexing="ij")
    return np.stack(mesh).reshape(AXES, -1).astype(np.int64)
