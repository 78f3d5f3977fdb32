"""Views and lines as arrays: many lines behind one video, each blind to the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.view import Line, View
from training.words import GROUP_NAMES, TOKENS_A_FRAME

Ints = NDArray[np.int64]
PADDING = -1
UNTAUGHT = -100


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """``pixels`` uint8 [n, S, S, 3] of all rows in turn and their ``slots`` [n, tokens, groups].

    ``ids``, ``segments`` (0 the prefix, then a number a line, PADDING), ``places`` and ``labels``
    (UNTAUGHT, or the token to be said next): int64 [rows, length].
    """

    pixels: NDArray[np.uint8]
    slots: Ints
    ids: Ints
    segments: Ints
    places: Ints
    labels: Ints


def packed(rows: Sequence[tuple[View, Sequence[Line]]]) -> Batch:
    """Rows padded to the longest, in steps of sixteen."""
    longest = max(len(view.prefix) + sum(len(one.ids) for one in lines) for view, lines in rows)
    shape = (len(rows), -(-longest // 16) * 16)
    ids, places = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    segments, labels = np.full(shape, PADDING), np.full(shape, UNTAUGHT)
    for row, (view, lines) in enumerate(rows):
        at = len(view.prefix)
        ids[row, :at], segments[row, :at], places[row, :at] = view.prefix, 0, np.arange(at)
        begin = at
        for number, line in enumerate(lines, 1):
            end = at + len(line.ids)
            ids[row, at:end], segments[row, at:end] = line.ids, number
            places[row, at:end] = begin + np.arange(len(line.ids))
            said = np.where(line.taught, line.ids, UNTAUGHT)
            labels[row, at : end - 1] = said[1:]
            at = end
    shown = [view for view, _ in rows if len(view.pixels)]
    return Batch(
        pixels=_joined([view.pixels for view in shown], np.zeros((0, 1, 1, 3), np.uint8)),
        slots=_joined(
            [view.slots for view in shown],
            np.zeros((0, TOKENS_A_FRAME, len(GROUP_NAMES)), np.int64),
        ),
        ids=ids,
        segments=segments,
        places=places,
        labels=labels,
    )


def _joined(arrays: Sequence[NDArray[np.generic]], none: NDArray[np.generic]) -> NDArray:  # type: ignore[type-arg]
    return np.concatenate(arrays) if arrays else none
