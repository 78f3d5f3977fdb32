"""Views and lines as arrays: many lines behind one video, each blind to the others.

A decoder's places lie in blocks of rows of about one length, so that little of it is padding: first
prefixes, then lines, which see the prefix they stand behind and themselves.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from training.view import BLIND, Line, View
from training.words import GROUP_NAMES, TOKENS_A_FRAME

Ints = NDArray[np.int64]
UNTAUGHT = -100
# What was looked up is known behind so many of a decoder's layers; letters take the others.
EARLY = 4
# Lengths are multiples of it: a matrix product has to be prepared for every shape it has not met.
_STEP = 8
# A row of a block is at least so much of the longest one's length.
_ALIKE = 0.7


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """``n`` rows of ``length`` places each, one row after the other.

    Lines stand ``behind`` a block of prefixes, by number: each behind one of its ``rows``, of which
    ``depths`` places are no padding. None: prefixes, or lines that have none.
    """

    n: int
    length: int
    behind: int | None = None
    rows: tuple[int, ...] = ()
    depths: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """``pixels`` uint8 [n, S, S, 3] of all rows in turn, none where frames are told.

    ``slots`` [n, tokens, groups]: what they say.
    ``ids``, ``places`` (where in its row a token stands) and ``labels`` (UNTAUGHT, or the token to
    be said next): int64 [places], those of the ``blocks`` in turn. ``meant``: int64 [places, 2],
    tokens of what a letter stands for, or UNTAUGHT. ``depth``: how many of a decoder's layers have
    to do, None all.
    """

    pixels: NDArray[np.uint8]
    slots: Ints
    ids: Ints
    places: Ints
    labels: Ints
    meant: Ints
    blocks: tuple[Block, ...]
    depth: int | None = None


Parts = tuple[Batch, ...]


def in_parts(
    rows: Sequence[tuple[View, Sequence[Line]]], parts: int, depth: int | None = None
) -> Parts:
    """Rows dealt out in turn, the longest prefix first, then the most to say: about equal parts."""
    rows = sorted(rows, key=lambda row: (-len(row[0].prefix), -sum(len(x.ids) for x in row[1])))
    return tuple(
        replace(packed(rows[at::parts]), depth=depth) for at in range(min(parts, len(rows)))
    )


def packed(rows: Sequence[tuple[View, Sequence[Line]]]) -> Batch:
    """Rows sorted by prefix, the longest first; lines by length within those of like prefixes."""
    rows = sorted(rows, key=lambda row: -len(row[0].prefix))
    places = _Places()
    behind: list[tuple[int | None, Sequence[tuple[View, Sequence[Line]]]]] = []
    for like in _alike([len(view.prefix) for view, _ in rows]):
        some = rows[like.start : like.stop]
        if not some[0][0].prefix:
            behind.append((None, some))
            continue
        behind.append((len(places.blocks), some))
        places.add([_untaught(view.prefix) for view, _ in some], [0] * len(some))
    for number, some in behind:
        for block in _blocks_of_lines(some):
            places.add(*block, behind=number)
    shown = [view for view, _ in rows if len(view.slots)]
    return Batch(
        pixels=_joined([view.pixels for view in shown], BLIND.pixels),
        slots=_joined(
            [view.slots for view in shown],
            np.zeros((0, TOKENS_A_FRAME, len(GROUP_NAMES)), np.int64),
        ),
        ids=np.concatenate(places.ids),
        places=np.concatenate(places.places),
        labels=np.concatenate(places.labels),
        meant=np.concatenate(places.meant),
        blocks=tuple(places.blocks),
    )


class _Places:
    """Blocks as they are filled."""

    def __init__(self) -> None:
        self.blocks: list[Block] = []
        self.ids: list[Ints] = []
        self.places: list[Ints] = []
        self.labels: list[Ints] = []
        self.meant: list[Ints] = []

    def add(
        self,
        lines: Sequence[Line],
        depths: Sequence[int],
        rows: Sequence[int] = (),
        *,
        behind: int | None = None,
    ) -> None:
        """A block of ``lines`` that begin at place ``depths`` of their row."""
        shape = len(lines), -(-max(len(line.ids) for line in lines) // _STEP) * _STEP
        ids, labels = np.zeros(shape, np.int64), np.full(shape, UNTAUGHT)
        meant = np.full((*shape, 2), UNTAUGHT)
        for row, line in enumerate(lines):
            n = len(line.ids)
            ids[row, :n] = line.ids
            labels[row, : n - 1] = np.where(line.taught, line.ids, UNTAUGHT)[1:]
            for at, token in line.meant:
                meant[row, at - 1] = token
        self.ids.append(ids.ravel())
        self.labels.append(labels.ravel())
        self.meant.append(meant.reshape(-1, 2))
        self.places.append((np.asarray(depths)[:, None] + np.arange(shape[1])).ravel())
        self.blocks.append(
            Block(
                n=shape[0],
                length=shape[1],
                behind=behind,
                rows=() if behind is None else tuple(rows),
                depths=() if behind is None else tuple(depths),
            )
        )


def _untaught(ids: tuple[int, ...]) -> Line:
    return Line(ids=ids, taught=(False,) * len(ids))


def _blocks_of_lines(
    rows: Sequence[tuple[View, Sequence[Line]]],
) -> Iterator[tuple[list[Line], list[int], list[int]]]:
    """Lines, the depth that each begins at and the row it is of, the longest lines first."""
    every = [
        (line, len(view.prefix), row) for row, (view, lines) in enumerate(rows) for line in lines
    ]
    every.sort(key=lambda one: -len(one[0].ids))
    for like in _alike([len(line.ids) for line, _, _ in every]):
        lines, depths, numbers = zip(*every[like.start : like.stop], strict=True)
        yield list(lines), list(depths), list(numbers)


def _alike(lengths: Sequence[int]) -> Iterator[range]:
    """Runs of lengths, falling, that are about the same."""
    first = 0
    for at in range(1, len(lengths) + 1):
        if at == len(lengths) or lengths[at] < _ALIKE * lengths[first]:
            yield range(first, at)
            first = at


def _joined(arrays: Sequence[NDArray[np.generic]], none: NDArray[np.generic]) -> NDArray:  # type: ignore[type-arg]
    return np.concatenate(arrays) if arrays else none
