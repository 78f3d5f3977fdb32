"""The cache of the decoder's keys and values, on the device, in one of two forms.

Rows one behind the other: a decoder's new rows are written where those of the past end, so a token
costs no copy of the past. TensorRT wants addresses that are multiples of 256 bytes; where a row is
not, new rows go to a piece of memory of their own and are copied behind the past, they alone.

In place: the decoder itself writes new rows into memory of one length. Rows that were never written
are multiplied by nothing, which is only nothing if they are numbers: they begin as zeros.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from edgeval.engines.trt.memory import Memory
from edgeval.engines.trt.profiles import Sizes
from edgeval.engines.trt.rows import Cache

ALIGNED = 256


class Held(Protocol):
    """The keys and values of a sequence of tokens, in all layers.

    ``writer`` gives who may append, weakly: that one holds this.
    """

    writer: Callable[[], object]

    def fits(self, n_tokens: int, context: int) -> bool:
        """Whether so many tokens can be in it, for an engine of a context."""

    def n_keys(self, n_tokens: int) -> int:
        """How long attention is over so many tokens."""

    def shapes(self, n_past: int) -> Mapping[str, Sizes]:
        """Of the past's ports."""

    def addresses(self, n_past: int) -> Mapping[str, int]:
        """Of the past's ports and of those of what is new."""

    def settle(self, n_past: int, n_new: int) -> None:
        """After a run."""

    def copied(self, n_rows: int, capacity: int) -> Held:
        """The first tokens in new memory."""


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
    """See Held. The rows of all layers, with room for ``capacity`` tokens."""

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

    def fits(self, n_tokens: int, context: int) -> bool:
        """See Held."""
        del context  # an engine takes as many rows as there are
        return n_tokens <= self.capacity

    def n_keys(self, n_tokens: int) -> int:
        """See Held."""
        return n_tokens

    def shapes(self, n_past: int) -> Mapping[str, Sizes]:
        """See Held."""
        return {
            lane.cache.past_rows: (1, n_past, lane.cache.heads, lane.cache.width)
            for lane in self._lanes
        }

    def addresses(self, n_past: int) -> Mapping[str, int]:
        """See Held."""
        found = {lane.cache.past_rows: lane.base for lane in self._lanes}
        found |= {lane.cache.rows: lane.beside or lane.end(n_past) for lane in self._lanes}
        return found

    def settle(self, n_past: int, n_new: int) -> None:
        """See Held: bring new rows that lie beside behind the past."""
        for lane in self._lanes:
            if lane.beside:
                self._memory.copy(lane.end(n_past), lane.beside, n_new * lane.row_bytes)

    def copied(self, n_rows: int, capacity: int) -> Rows:
        """See Held."""
        caches = [lane.cache for lane in self._lanes]
        new = Rows(caches, self._memory, capacity, self._most)
        for target, source in zip(new._lanes, self._lanes, strict=True):
            if n_rows:
                self._memory.copy(target.base, source.base, n_rows * source.row_bytes)
        return new


class InPlace:
    """See Held. Memory of ``capacity`` rows a head, which is the engine's context."""

    writer: Callable[[], object]

    def __init__(self, caches: Sequence[Cache], memory: Memory, capacity: int, most: int) -> None:
        self.capacity = capacity
        self._memory = memory
        self._most = most
        self._bases: dict[Cache, int] = {}
        for cache in caches:
            n_bytes = cache.heads * self._head_bytes(cache)
            self._bases[cache] = base = memory.allocate(n_bytes)
            memory.clear(base, n_bytes)
            # With the last context that stands on this memory, it goes back.
            weakref.finalize(self, memory.free, base)

    def fits(self, n_tokens: int, context: int) -> bool:
        """See Held."""
        return n_tokens <= self.capacity == context

    def n_keys(self, n_tokens: int) -> int:
        """See Held: all there is room for."""
        del n_tokens
        return self.capacity

    def shapes(self, n_past: int) -> Mapping[str, Sizes]:
        """See Held."""
        del n_past
        return {cache.past: (1, cache.heads, self.capacity, cache.width) for cache in self._bases}

    def addresses(self, n_past: int) -> Mapping[str, int]:
        """See Held: what is new has the past's."""
        del n_past
        found = {cache.past: base for cache, base in self._bases.items()}
        return found | {cache.present: base for cache, base in self._bases.items()}

    def settle(self, n_past: int, n_new: int) -> None:
        """See Held: the engine wrote it."""

    def copied(self, n_rows: int, capacity: int) -> InPlace:
        """See Held."""
        new = InPlace(tuple(self._bases), self._memory, capacity, self._most)
        for cache, source in self._bases.items():
            for head in range(cache.heads if n_rows else 0):
                self._memory.copy(
                    new._bases[cache] + head * new._head_bytes(cache),
                    source + head * self._head_bytes(cache),
                    n_rows * cache.width * np.dtype(cache.dtype).itemsize,
                )
        return new

    def _head_bytes(self, cache: Cache) -> int:
        return self.capacity * cache.width * np.dtype(cache.dtype).itemsize
