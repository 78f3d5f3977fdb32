"""Contexts of a decoder that take a token each in one call: a row of larger buffers for each.

The call reads every weight once for all rows. Only with GroupQueryAttention, which is told how long
each row is and looks no further; a prompt it reads for one row at a time only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, TypeAlias
from weakref import ref

import numpy as np

from edgeval.engines import Array, Context, Floats
from edgeval.engines.ort.cache import BRANCH, DEEP, BufferContext, Buffers, Decoder
from edgeval.errors import EngineError
from edgeval.modelfolder.dynamic import dynamic_operators

if TYPE_CHECKING:
    import onnxruntime

Beginning: TypeAlias = tuple[Callable[[], Buffers | None], int]
NOTHING: Beginning = (lambda: None, 0)
# What the proof reads and says: any tokens will do, and every vocabulary has these.
PROMPTS = ((0, 1), (1, 0, 1))
OPTION = "--batch-questions"


class BufferRows:
    """See edgeval.generate.Rows; holds copies, so that a context's own buffer may be written on."""

    def __init__(self, decoder: Decoder, n: int) -> None:
        self._decoder = decoder
        self._most = n
        self._lengths: list[int] = []
        self._places: list[int] = []
        self._arrays: list[Array] = []
        # Of every row, also one let go: whose tokens it begins with, and how many they are.
        self._begins: list[Beginning] = [NOTHING] * n
        self._bound: tuple[int, onnxruntime.IOBinding, Array] | None = None

    def add(self, context: Context) -> None:
        """See Rows."""
        assert isinstance(context, BufferContext)  # of the same graphs
        buffers, place = context.let_go()
        self._make_room(buffers.capacity)
        row, begins = len(self._lengths), (ref(buffers), context.inherited)
        part = slice(self._same(row, begins), context.length)
        buffers.copy_into([array[row : row + 1] for array in self._arrays], part)
        self._begins[row] = begins
        self._lengths.append(context.length)
        self._places.append(place)

    def step(self, token_ids: Sequence[int]) -> Sequence[Floats]:
        """See Rows."""
        if (end := max(self._lengths) + 1) > self._capacity:
            self._make_room(end + end // 4)
        n = len(token_ids)
        if self._bound is None or self._bound[0] != n:
            self._bound = (n, *self._bind(n))
        _, binding, logits = self._bound
        inputs = self._decoder.session.inputs
        for name, value in self._feeds(token_ids):
            if name in inputs:
                binding.bind_cpu_input(name, np.ascontiguousarray(value, inputs[name]))
        self._decoder.session.run_bound(binding)
        self._lengths = [length + 1 for length in self._lengths]
        self._places = [place + 1 for place in self._places]
        return [np.asarray(row[0], np.float32) for row in logits]

    def drop(self, row: int) -> None:
        """See Rows."""
        length, place = self._lengths.pop(), self._places.pop()
        if row < (last := len(self._lengths)):
            part = slice(self._same(row, self._begins[last]), length)
            for array in self._arrays:
                array[row, :, part] = array[last, :, part]
            self._lengths[row], self._places[row] = length, place
            self._begins[row] = self._begins[last]

    def _same(self, row: int, begins: Beginning) -> int:
        """Tokens that a row has already of one that begins so: forks of a prefix share its own."""
        (held, n_held), (wanted, n_wanted) = self._begins[row], begins
        return min(n_held, n_wanted) if held() is wanted() is not None else 0

    @property
    def _capacity(self) -> int:
        return self._arrays[0].shape[2] if self._arrays else 0

    def _make_room(self, capacity: int) -> None:
        """Buffers for rows of ``capacity`` tokens, with what is in the rows that are there."""
        if capacity <= self._capacity:
            return
        arrays = self._decoder.caches(capacity, self._most)
        for old, new in zip(self._arrays, arrays, strict=False):
            for row, length in enumerate(self._lengths):
                new[row, :, :length] = old[row, :, :length]
        live = len(self._lengths)
        self._begins[live:] = [NOTHING] * (self._most - live)
        self._arrays, self._bound = arrays, None

    def _bind(self, n: int) -> tuple[onnxruntime.IOBinding, Array]:
        """The first ``n`` rows, and [n, 1, V] for their logits."""
        session = self._decoder.session
        binding = session.bind()
        for (past, present), array in zip(self._decoder.pairs, self._arrays, strict=True):
            value = session.value(array[:n])
            binding.bind_ortvalue_input(past, value)
            binding.bind_ortvalue_output(present, value)
        logits = np.zeros((n, 1, session.fixed("logits", 2)), session.outputs["logits"])
        binding.bind_ortvalue_output("logits", session.on_host(logits))
        return binding, logits

    def _feeds(self, token_ids: Sequence[int]) -> Iterator[tuple[str, Array]]:
        """What a decoder may take for a token a row; the rulers end at the longest row's."""
        session = self._decoder.session
        n, ends = len(token_ids), np.array(self._lengths) + 1
        places = np.array(self._places)[:, None]
        yield "inputs_embeds", self._decoder.embedding.rows(token_ids)[:, None]
        yield "attention_mask", np.arange(ends.max()) < ends[:, None]
        if len(session.shapes.get("position_ids", ())) == 3:
            places = np.repeat(places[None], session.fixed("position_ids", 0), axis=0)
        yield "position_ids", places
        yield "num_logits_to_keep", np.ones(())
        yield BRANCH, np.array([True])
        if DEEP in session.inputs:
            sizes = session.fixed(DEEP, 0), session.fixed("inputs_embeds", 2)
            yield DEEP, np.zeros((sizes[0], n, 1, sizes[1]))


def check_rows(decoder: Decoder) -> None:
    """EngineError where contexts cannot share a call: by their device, attention, or numbers."""
    place, path = decoder.session.place, decoder.session.path
    if not place.is_host:
        raise EngineError(
            f"{OPTION}: engine {place.engine} was never seen to give the bits of one question at a "
            "time; leave the option out, or use --engine cpu"
        )
    if dynamic := dynamic_operators(path):
        raise EngineError(
            f"{OPTION}: {path.name} rounds activations by scales of the whole call "
            f"({', '.join(dynamic)}), so that an answer would depend on those beside it; leave the "
            "option out"
        )
    if not decoder.shares_buffer:
        raise EngineError(
            f"{OPTION}: {path.name} has no GroupQueryAttention, which answers of different lengths "
            "need; leave the option out, or use a precision that was exported with --flavour ort"
        )


def prove_rows(decoder: Decoder, n: int) -> None:
    """EngineError unless up to ``n`` rows get the bits here that each gets alone.

    How a product adds up is the choice of a processor's kernels, by the number of rows among other
    things: two short contexts take turns in the rows, and one row less takes part in every step.
    """
    alone = []
    for prompt in PROMPTS:
        context = _read(decoder, prompt)
        alone.append([context.step(step % 2).tobytes() for step in range(n - 1)])
    rows = BufferRows(decoder, n)
    for row in range(n):
        rows.add(_read(decoder, PROMPTS[row % 2]))
    for step in range(n - 1):
        left = n - step
        for row, logits in enumerate(rows.step([step % 2] * left)):
            if logits.tobytes() != alone[row % 2][step]:
                raise EngineError(
                    f"{OPTION}: with {left} questions at a time {decoder.session.path.name} gives "
                    "other bits on this machine than with one; use fewer, or leave the option out"
                )
        rows.drop(left - 1)


def _read(decoder: Decoder, prompt: Sequence[int]) -> BufferContext:
    context = BufferContext(decoder, len(prompt))
    context.extend(decoder.embedding.rows(prompt))
    return context
