"""The cache of the decoder's keys and values, on the device: rows one behind the other.

A decoder's new rows are written where those of the past end, so a token costs no copy of the past.
TensorRT wants addresses that are multiples of 256 bytes; where a row is not, new rows go to a piece
of memory of their own and are copied behind the past, they alone.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from edgeval.engines.trt.memory import Memory
from edgeval.engines.trt.profiles import Sizes
from edgeval.engines.trt.rows import Cache

ALIGNED = 256


@dataclass(frozen=True, slots=True)
class Lane:
    """One cache's memory. ``beside``: where new rows go first, 0 when straight behind the past."""

    cache: Cache
    base: int
    beside: int
    row_bytes: int

    def end(self, n_rows: int) -> int:
        """The address behind so many rows."""
        return self.base + n_rows * self.row_bytes


class Rows:
    """The rows of all layers, with room for ``capacity`` tokens.

    ``writer`` gives who may append, weakly: that one holds these rows.
    """

    writer: Callable[[], object]

    def __init__(self, caches: Sequence[Cache], memory: Memory, capacity: int, most: int) -> None:
        self.capacity = capacity
        self._memory = memory
        self._most = most
        self._lanes = []
        for cache in caches:
            row_bytes = cache.heads * cache.width * np.dtype(cache.dtype).itemsize
            beside = memory.allocate(most * row_bytes) if row_bytes % ALIGNED else 0
            base = memory.allocate(capacity * row_bytes)
            self._lanes.append(Lane(cache, base, beside, row_bytes))
            # With the last context that stands on these rows, their memory goes back.
            for address in filter(None, (base, beside)):
                weakref.finalize(self, memory.free, address)

    def shapes(self, n_past: int) -> Mapping[str, Sizes]:
        """Of the past's ports."""
        return {
            lane.cache.past_rows: (1, n_past, lane.cache.heads, lane.cache.width)
            for lane in self._lanes
        }

    def addresses(self, n_past: int) -> Mapping[str, int]:
        """Of the past's ports and of the new rows'."""
        found = {lane.cache.past_rows: lane.base for lane in self._lanes}
        found |= {lane.cache.rows: lane.beside or lane.end(n_past) for lane in self._lanes}
        return found

    def settle(self, n_past: int, n_new: int) -> None:
        """After a run: bring new rows that lie beside behind the past."""
        for lane in self._lanes:
            if lane.beside:
                self._memory.copy(lane.end(n_past), lane.beside, n_new * lane.row_bytes)

    def copied(self, n_rows: int, capacity: int) -> Rows:
        """The first rows in new memory."""
        caches = [lane.cache for lane in self._lanes]
        new = Rows(caches, self._memory, capacity, self._most)
        for target, source in zip(new._lanes, self._lanes, strict=True):
            if n_rows:
                self._memory.copy(target.base, source.base, n_rows * source.row_bytes)
        return new
