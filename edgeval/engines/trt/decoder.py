"""Contexts: sequences of tokens in the decoder, over a cache that forks share."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from edgeval.engines import Array, Floats, Ints
from edgeval.engines.trt.cache import Held
from edgeval.engines.trt.executing import Runner
from edgeval.engines.trt.graphfile import GraphFile
from edgeval.engines.trt.memory import Memory
from edgeval.engines.trt.profiles import DECODE, MAX_PREFILL, PREFILL, Sizes, context_for
from edgeval.engines.trt.rows import caches
from edgeval.engines.trt.scatter import LENGTH, SEEN
from edgeval.engines.trt.ways import Way
from edgeval.errors import ArgumentError, EngineError

EMBEDS, PLACES, KEEP, DEEP = (
    "inputs_embeds",
    "position_ids",
    "num_logits_to_keep",
    "deepstack_embeds",
)
FED = (EMBEDS, SEEN, PLACES, KEEP, DEEP, LENGTH)
LOGITS = "logits"


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """Tokens of one run: embeds [S, hidden], places [axes, S] (None: ``place`` and on), deep."""

    embeds: Floats
    place: int
    places: Ints | None
    deep: Floats | None

    @property
    def next_place(self) -> int:
        """The position of the token behind, as Context.extend counts on."""
        if self.places is None:
            return self.place + len(self.embeds)
        return int(self.places[:, -1].max()) + 1


class Decoder:
    """The decoder's runs on a cache kept in a ``way``.

    ``opened``: a runner for a context of so many tokens. It is opened when the first context says
    how long it will be, and again for a longer one or after ``close``; caches outlive it.
    """

    def __init__(
        self, graph: GraphFile, way: Way, memory: Memory, opened: Callable[[int], Runner]
    ) -> None:
        self._inputs, outputs = way.ports(graph)
        self.caches = caches(graph)
        ours = {cache.past_rows for cache in self.caches} | {cache.past for cache in self.caches}
        known = {*FED, *ours}
        if strange := [name for name in self._inputs if name not in known]:
            raise EngineError(f"engine trt: the decoder takes {strange[0]}, which nothing gives")
        self._hold = way.hold
        self.memory = memory
        self._opened = opened
        self._runner: Runner | None = None
        self.context = 0
        self._logits = np.zeros((1, 1, outputs[LOGITS].fixed(2, LOGITS)), outputs[LOGITS].dtype)
        self._logits_at = memory.allocate(self._logits.nbytes)
        self._fed: dict[str, int] = {}

    @property
    def most(self) -> int:
        """New tokens that one run takes."""
        return min(self.context, MAX_PREFILL)

    def reach(self, n_tokens: int) -> None:
        """Have a runner for contexts of so many tokens."""
        if self._runner is not None and n_tokens <= self.context:
            return
        self.close()
        self.context = max(self.context, context_for(n_tokens))
        self._runner = self._opened(self.context)
        for name in FED:
            if name in self._inputs and not self._runner.hosted(name):
                self._fed[name] = self.memory.allocate(self._largest(name))
        if SEEN in self._fed:
            seen = np.ones(self.context + self.most, self._inputs[SEEN].dtype)
            self.memory.upload(self._fed[SEEN], seen)

    def held(self) -> Held:
        """A cache for contexts of the present reach."""
        return self._hold(self.caches, self.memory, self.context, self.most)

    def run(self, held: Held, n_past: int, piece: Piece) -> None:
        """Append the piece's tokens to the cache; ``logits`` then has those of the last."""
        n_new = len(piece.embeds)
        self.reach(n_past + n_new)
        runner = self._runner
        assert runner is not None  # reach() opened it
        fed = self._feeds(piece, n_past)
        shapes: dict[str, Sizes] = {
            name: array.shape for name, array in fed.items() if name != KEEP
        }
        if SEEN in self._fed:
            shapes[SEEN] = (1, held.n_keys(n_past + n_new))
        shapes |= held.shapes(n_past)
        profile = DECODE if n_new == 1 and n_past else PREFILL
        hosted = {name: array for name, array in fed.items() if runner.hosted(name)}
        runner.shape(profile, shapes, hosted)
        for name, array in fed.items():
            if name in self._fed:
                self.memory.upload(self._fed[name], array)
        addresses = {**self._fed, **held.addresses(n_past), LOGITS: self._logits_at}
        runner.run(profile, addresses)
        held.settle(n_past, n_new)

    def logits(self) -> Floats:
        """float32 [V] of the last run's last token."""
        self.memory.download(self._logits_at, self._logits)
        return np.array(self._logits[0, -1], np.float32)

    def close(self) -> None:
        """Free the runner and what it is fed from."""
        if self._runner is not None:
            self._runner.close()
            self._runner = None
        for address in self._fed.values():
            self.memory.free(address)
        self._fed.clear()

    def _feeds(self, piece: Piece, n_past: int) -> dict[str, Array]:
        """All inputs besides the past, in the types that the graph wants."""
        n_new = len(piece.embeds)
        made: dict[str, Array] = {
            EMBEDS: piece.embeds[None],
            KEEP: np.ones((), np.int64),
            LENGTH: np.full(1, n_past, np.int64),
        }
        if PLACES in self._inputs:
            made[PLACES] = self._places(piece)
        if DEEP in self._inputs:
            layers, hidden = (self._inputs[DEEP].fixed(axis, DEEP) for axis in (0, 3))
            zeros = np.zeros((layers, 1, n_new, hidden), np.float32)
            made[DEEP] = zeros if piece.deep is None else piece.deep[:, None]
        return {
            name: np.ascontiguousarray(array, self._inputs[name].dtype)
            for name, array in made.items()
            if name in self._inputs
        }

    def _places(self, piece: Piece) -> Array:
        """[1, S], or [axes, 1, S] for a graph with an axis for each of M-RoPE's."""
        shape = self._inputs[PLACES].shape
        places = piece.places
        if places is None:
            places = piece.place + np.arange(len(piece.embeds), dtype=np.int64)[None]
        if len(shape) == 2:
            if len(places) != 1:
                raise EngineError(
                    f"engine trt: the decoder takes one position a token and the family gives "
                    f"{len(places)}; export the model again"
                )
            return places
        axes = self._inputs[PLACES].fixed(0, PLACES)
        return np.broadcast_to(places[:, None], (axes, 1, places.shape[1]))

    def _largest(self, name: str) -> int:
        """Bytes of an input at its longest."""
        port = self._inputs[name]
        tokens = self.context + self.most if name == SEEN else self.most
        fixed = [size for size in port.shape if isinstance(size, int)]
        return int(np.prod([tokens, *fixed])) * np.dtype(port.dtype).itemsize


class RowsContext:
    """See Context. A fork goes on behind its parent's tokens, in the same memory."""

    def __init__(self, decoder: Decoder, embed: Callable[[int], Floats], capacity: int) -> None:
        decoder.reach(capacity)
        self._decoder = decoder
        self._embed = embed
        self.length = self._place = 0
        self._overtaken = False
        self._held = decoder.held()
        self._held.writer = weakref.ref(self)

    def extend(
        self, embeds: Floats, *, places: Ints | None = None, deep: Floats | None = None
    ) -> Floats:
        """See Context. In pieces of the size that the engine was built for."""
        decoder = self._decoder
        self._claim(self.length + len(embeds))
        # Of one size: a last piece of one token would be a run for next to nothing.
        size = -(-len(embeds) // -(-len(embeds) // decoder.most))
        for start in range(0, len(embeds), size):
            part = slice(start, start + size)
            piece = Piece(
                embeds=embeds[part],
                place=self._place,
                places=None if places is None else places[:, part],
                deep=None if deep is None else deep[:, part],
            )
            decoder.run(self._held, self.length, piece)
            self.length += len(piece.embeds)
            self._place = piece.next_place
        return decoder.logits()

    def step(self, token_id: int) -> Floats:
        """See Context."""
        return self.extend(self._embed(token_id))

    def fork(self) -> RowsContext:
        """See Context."""
        self._check()
        child = RowsContext.__new__(RowsContext)
        child._decoder, child._embed, child._held = self._decoder, self._embed, self._held
        child.length, child._place, child._overtaken = self.length, self._place, False
        writer = self._held.writer()
        if writer is not self and isinstance(writer, RowsContext):
            writer._overtaken = True
        self._held.writer = weakref.ref(child)
        return child

    def _check(self) -> None:
        if self._overtaken:
            raise ArgumentError("context: a later fork wrote over this one; fork the parent again")

    def _claim(self, end: int) -> None:
        """Have a cache that is ours to append to and that holds ``end`` tokens."""
        self._check()
        self._decoder.reach(end)
        context = self._decoder.context
        if self._held.writer() is not self or not self._held.fits(end, context):
            self._held = self._held.copied(self.length, context)
            self._held.writer = weakref.ref(self)
