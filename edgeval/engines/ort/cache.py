"""The decoder and its key-value cache, in memory that onnxruntime writes to directly.

A decoder with GroupQueryAttention gets one buffer a layer for past and present, bound once; any
other gives a new cache with every call. Both go on from a prefix without copying it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import ref

import numpy as np

from edgeval.engines import Array, Floats, Ints
from edgeval.engines.ort.place import Place
from edgeval.engines.ort.session import Session
from edgeval.errors import ArgumentError, ManifestError
from edgeval.modelfolder import onnxfile

if TYPE_CHECKING:
    import onnxruntime

    from edgeval.engines.ort.embedding import Embedding

PAST, PRESENT = "past_key_values.", "present."
DEEP = "deepstack_embeds"
BRANCH = "use_cache_branch"
STEP_INPUTS = (
    *("inputs_embeds", "attention_mask", "position_ids", "num_logits_to_keep", DEEP, BRANCH),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """Tokens to append. ``start``: how many are there; the rest as Context.extend has it.

    ``place``: the position of the first token where ``places`` is None.
    """

    embeds: Floats
    start: int
    place: int
    places: Ints | None = None
    deep: Floats | None = None

    @property
    def next_place(self) -> int:
        """The position of the token behind, as generate() of transformers 5.23 counts on.

        Behind the last token, not the largest position: a long video's times may lie further on.
        """
        if self.places is None:
            return self.place + len(self.embeds)
        return int(self.places[:, -1].max()) + 1


class Decoder:
    """The decoder's session, and what its ports say about the cache."""

    def __init__(self, path: Path, embedding: Embedding, place: Place) -> None:
        session = Session(path, place)
        past = [name for name in session.inputs if name.startswith(PAST)]
        known = {*STEP_INPUTS, *past}
        if strange := [name for name in session.inputs if name not in known]:
            raise ManifestError(
                f"graph {path}: takes {strange[0]}, which no engine gives; wants "
                f"{', '.join(STEP_INPUTS)} and {PAST}N.key and .value at most"
            )
        if not past or "inputs_embeds" not in session.inputs or "logits" not in session.outputs:
            raise ManifestError(f"graph {path}: not a decoder with a key-value cache")
        self.session = session
        self.embedding = embedding
        self.pairs = [(name, PRESENT + name.removeprefix(PAST)) for name in past]
        self.sizes = [(session.fixed(name, 1), session.fixed(name, 3)) for name in past]
        operators = {node.op for node in onnxfile.read(path).nodes}
        self.shares_buffer = "GroupQueryAttention" in operators
        self._keeps_last = "num_logits_to_keep" in session.inputs
        self._one = np.ones((), session.inputs.get("num_logits_to_keep", np.int64))
        self._embed_kind = session.inputs["inputs_embeds"]
        self._seen, self._places = self._rulers(1024)
        self._flat = len(session.shapes.get("position_ids", ())) < 3
        self._deep = session.fixed(DEEP, 0) if DEEP in session.inputs else 0
        self._deep_kind = session.inputs.get(DEEP, np.float32)
        width = session.fixed("inputs_embeds", 2) if self._deep else 0
        self._no_deep = np.zeros((self._deep, 1, 1, width), self._deep_kind)

    def caches(self, n_tokens: int, n: int = 1) -> list[Array]:
        """Empty arrays [n, heads, n_tokens, width] for the keys and values of every layer."""
        kinds = [self.session.inputs[past] for past, _ in self.pairs]
        return [
            np.zeros((n, heads, n_tokens, width), kind)
            for (heads, width), kind in zip(self.sizes, kinds, strict=True)
        ]

    def bind_tokens(self, binding: onnxruntime.IOBinding, chunk: Chunk) -> None:
        """Bind what the tokens of a chunk feed besides the cache."""
        end = chunk.start + chunk.embeds.shape[0]
        if max(end, chunk.next_place) > self._seen.shape[1]:
            self._seen, self._places = self._rulers(2 * max(end, chunk.next_place))
        inputs = self.session.inputs
        embeds = chunk.embeds[None].astype(self._embed_kind, copy=False)
        binding.bind_cpu_input("inputs_embeds", embeds)
        if "attention_mask" in inputs:
            binding.bind_cpu_input("attention_mask", self._seen[:, :end])
        if "position_ids" in inputs:
            binding.bind_cpu_input("position_ids", self._position_ids(chunk))
        if self._keeps_last:
            binding.bind_cpu_input("num_logits_to_keep", self._one)
        if BRANCH in inputs:
            # Two decoders behind an If: one for an empty cache, one that goes on from another.
            binding.bind_cpu_input(BRANCH, np.array([chunk.start > 0]))
        if self._deep:
            binding.bind_cpu_input(DEEP, self._deep_embeds(chunk))

    def _position_ids(self, chunk: Chunk) -> Array:
        """[1, S], or [axes, 1, S] where the graph has an axis for each of M-RoPE's."""
        n_tokens = chunk.embeds.shape[0]
        kind = self.session.inputs["position_ids"]
        given = chunk.places
        if given is None:
            flat = self._places[:, chunk.place : chunk.place + n_tokens]
            return flat if self._flat else np.repeat(flat[None], self._axes(), axis=0)
        if self._flat:
            if given.shape[0] != 1:
                raise ManifestError(
                    f"graph {self.session.path}: takes one position a token and the family gives "
                    f"{given.shape[0]}; export it again"
                )
            return np.ascontiguousarray(given, kind)
        return np.ascontiguousarray(given[:, None], kind)

    def _axes(self) -> int:
        return self.session.fixed("position_ids", 0)

    def _deep_embeds(self, chunk: Chunk) -> Array:
        """[layers, 1, S, hidden]."""
        if chunk.deep is not None:
            return np.ascontiguousarray(chunk.deep[:, None], self._deep_kind)
        n_tokens = chunk.embeds.shape[0]
        return self._no_deep if n_tokens == 1 else np.repeat(self._no_deep, n_tokens, axis=2)

    def logits(self) -> Array | None:
        """An array [1, 1, V] to bind for the logits; None when a call gives one for each."""
        size = self.session.shapes["logits"][-1]
        if not self._keeps_last or not isinstance(size, int):
            return None
        return np.zeros((1, 1, size), self.session.outputs["logits"])

    def _rulers(self, n_tokens: int) -> tuple[Array, Array]:
        """All-seeing mask and positions, of which every call takes a part."""
        inputs = self.session.inputs
        seen = np.ones((1, n_tokens), inputs.get("attention_mask", np.int64))
        places = np.arange(n_tokens, dtype=inputs.get("position_ids", np.int64))[None]
        return seen, places


class GrowingContext:
    """Every call makes a new cache, so a fork is a second reference to the old one."""

    def __init__(self, decoder: Decoder) -> None:
        self._decoder = decoder
        self.length = self._place = 0
        self._empty = decoder.caches(0)
        self._past = [decoder.session.value(array) for array in self._empty]

    def extend(
        self, embeds: Floats, *, places: Ints | None = None, deep: Floats | None = None
    ) -> Floats:
        """See Context."""
        decoder = self._decoder
        binding = decoder.session.bind()
        chunk = Chunk(embeds=embeds, start=self.length, place=self._place, places=places, deep=deep)
        decoder.bind_tokens(binding, chunk)
        binding.bind_output("logits", "cpu")
        for (past, present), cache in zip(decoder.pairs, self._past, strict=True):
            binding.bind_ortvalue_input(past, cache)
            binding.bind_output(present, decoder.session.place.memory)
        decoder.session.run_bound(binding)
        logits, *self._past = binding.get_outputs()
        self.length += embeds.shape[0]
        self._place = chunk.next_place
        return np.asarray(logits.numpy()[0, -1], np.float32)

    def step(self, token_id: int) -> Floats:
        """See Context."""
        return self.extend(self._decoder.embedding.rows((token_id,)))

    def fork(self) -> GrowingContext:
        """See Context."""
        child = GrowingContext.__new__(GrowingContext)
        child._decoder, child._empty = self._decoder, self._empty
        child.length, child._place, child._past = self.length, self._place, self._past
        return child


class BufferContext:
    """One buffer for past and present; a fork writes on behind the tokens that it ``inherited``."""

    def __init__(self, decoder: Decoder, capacity: int) -> None:
        self._decoder = decoder
        self.length = self._place = self.inherited = 0
        self._overtaken = False
        self._buffers = Buffers(decoder, decoder.caches(max(1, capacity)))
        self._buffers.writer = ref(self)

    def extend(
        self, embeds: Floats, *, places: Ints | None = None, deep: Floats | None = None
    ) -> Floats:
        """See Context."""
        end = self.length + embeds.shape[0]
        self._claim(end)
        buffers = self._buffers
        chunk = Chunk(embeds=embeds, start=self.length, place=self._place, places=places, deep=deep)
        self._decoder.bind_tokens(buffers.binding, chunk)
        self._decoder.session.run_bound(buffers.binding)
        self.length, self._place = end, chunk.next_place
        return buffers.last_logits()

    def step(self, token_id: int) -> Floats:
        """See Context."""
        return self.extend(self._decoder.embedding.rows((token_id,)))

    def fork(self) -> BufferContext:
        """See Context."""
        if self._overtaken:
            raise ArgumentError("context: a later fork wrote over this one; fork the parent again")
        child = BufferContext.__new__(BufferContext)
        child._decoder, child._buffers = self._decoder, self._buffers
        child.length = child.inherited = self.length
        child._place, child._overtaken = self._place, False
        writer = self._buffers.writer()
        if writer is not None and writer is not self:
            writer._overtaken = True
        self._buffers.writer = ref(child)
        return child

    def let_go(self) -> tuple[Buffers, int]:
        """Its keys and values, which it has no longer, and the position of its next token."""
        held, self._overtaken = vars(self).pop("_buffers"), True
        return held, self._place

    def _claim(self, end: int) -> None:
        """Make the buffer ours and long enough for ``end`` tokens."""
        if self._overtaken:
            raise ArgumentError("context: a later fork wrote over this one; fork the parent again")
        if self._buffers.writer() is not self or end > self._buffers.capacity:
            capacity = max(self._buffers.capacity, end + end // 4)
            self._buffers = self._buffers.copied(self.length, capacity)
            self._buffers.writer = ref(self)


class Buffers:
    """The arrays of all layers, bound once as inputs and as outputs. ``writer`` may append.

    It is not held: the two would hold each other, and the memory until the next garbage collection.
    """

    writer: ref[BufferContext]

    def __init__(self, decoder: Decoder, arrays: list[Array]) -> None:
        self.capacity = arrays[0].shape[2]
        self._decoder = decoder
        # Of a device the values are copies, and the arrays are not needed any more.
        self._arrays = arrays if decoder.session.place.is_host else []
        self._values = [decoder.session.value(array) for array in arrays]
        self.binding = decoder.session.bind()
        for (past, present), value in zip(decoder.pairs, self._values, strict=True):
            self.binding.bind_ortvalue_input(past, value)
            self.binding.bind_ortvalue_output(present, value)
        self._logits = decoder.logits()
        if self._logits is None:
            self.binding.bind_output("logits", "cpu")
        else:
            self._kept = decoder.session.on_host(self._logits)
            self.binding.bind_ortvalue_output("logits", self._kept)

    def last_logits(self) -> Floats:
        """Logits [V] of the last token of the last run, valid until the next."""
        logits = self._logits
        if logits is None:
            logits = self.binding.get_outputs()[-1].numpy()
        return np.asarray(logits[0, -1], np.float32)

    def copied(self, length: int, capacity: int) -> Buffers:
        """The first ``length`` tokens in new arrays. Those of a device take the way by the host."""
        arrays = self._decoder.caches(capacity)
        self.copy_into(arrays, slice(length))
        return Buffers(self._decoder, arrays)

    def copy_into(self, arrays: Sequence[Array], part: slice) -> None:
        """Write these tokens into arrays [1, heads, capacity, width]."""
        for target, source in zip(arrays, self._arrays or self._from_device(), strict=True):
            target[:, :, part] = source[:, :, part]

    def _from_device(self) -> Iterator[Array]:
        return (value.numpy() for value in self._values)
