"""A plain decoder made to take and give rows of its cache, so that nothing of it is copied.

A plain graph takes past_key_values.N.key [B, heads, P, width] and gives present.N.key with the new
rows behind: a new cache with every token. Here the same graph takes past_rows.N.key
[B, P, heads, width] and gives only rows.N.key [B, S, heads, width]; in memory those lie where the
past ends. The nodes stay as they are; a Transpose is added before and behind each Concat. Edited in
the wire format, so weights beside the file stay there and the onnx package is not needed.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from edgeval.engines.trt import writing
from edgeval.engines.trt.graphfile import INPUT, NODE, OUTPUT, GraphFile, Port
from edgeval.errors import EngineError
from edgeval.modelfolder import wire

PAST, PRESENT = "past_key_values.", "present."
PAST_ROWS, ROWS = "past_rows.", "rows."


@dataclass(frozen=True, slots=True, kw_only=True)
class Cache:
    """The cache of one layer's keys or values. ``new``: the tensor with the new rows."""

    name: str
    heads: int
    width: int
    dtype: str
    new: str

    @property
    def past_rows(self) -> str:
        """Port of the rows that are there."""
        return PAST_ROWS + self.name

    @property
    def rows(self) -> str:
        """Port of the new rows."""
        return ROWS + self.name

    @property
    def past(self) -> str:
        """The plain graph's port of what is there."""
        return PAST + self.name

    @property
    def present(self) -> str:
        """The plain graph's port of what is there and new."""
        return PRESENT + self.name


def caches(graph: GraphFile) -> tuple[Cache, ...]:
    """The caches of a plain decoder, in the order of its ports. EngineError for any other graph."""
    made = {out: operation for operation in graph.operations for out in operation.outputs}
    found = []
    for name, port in graph.inputs.items():
        if not name.startswith(PAST):
            continue
        layer = name.removeprefix(PAST)
        joined = made.get(PRESENT + layer)
        if joined is None or joined.op != "Concat" or joined.inputs[0] != name:
            raise EngineError(
                f"engine trt: {graph.path.name} does not append to {name} as plain decoders do; "
                "export the model with --flavour plain"
            )
        where = f"graph {graph.path}: {name}"
        found.append(
            Cache(
                name=layer,
                heads=port.fixed(1, where),
                width=port.fixed(3, where),
                dtype=port.dtype,
                new=joined.inputs[1],
            )
        )
    if not found or "num_logits_to_keep" not in graph.inputs:
        raise EngineError(
            f"engine trt: {graph.path.name} is no decoder with past_key_values and "
            "num_logits_to_keep; export the model with --flavour plain"
        )
    return tuple(found)


def ports(graph: GraphFile) -> tuple[Mapping[str, Port], Mapping[str, Port]]:
    """Inputs and outputs of the graph as ``rewritten`` gives it."""
    found = caches(graph)
    inputs = {name: port for name, port in graph.inputs.items() if not name.startswith(PAST)}
    outputs = {name: port for name, port in graph.outputs.items() if not name.startswith(PRESENT)}
    for cache in found:
        batch = graph.inputs[PAST + cache.name].shape[0]
        tail = (cache.heads, cache.width)
        inputs[cache.past_rows] = Port(dtype=cache.dtype, shape=(batch, "past_rows", *tail))
        outputs[cache.rows] = Port(dtype=cache.dtype, shape=(batch, "new_rows", *tail))
    return inputs, outputs


def rewritten(graph: GraphFile) -> bytes:
    """The model as bytes. Weights that lie beside the file are found from the file's path."""
    return writing.edited(graph.path, lambda view, span: _graph(view, span, graph))


def _graph(view: mmap.mmap, span: wire.Span, graph: GraphFile) -> Iterator[bytes]:
    inputs, outputs = ports(graph)
    found = caches(graph)
    for cache in found:
        yield writing.field(NODE, _heads_and_rows_swapped(cache.past_rows, PAST + cache.name))
    for field, value in wire.fields(view, span):
        if not (field in (INPUT, OUTPUT) and isinstance(value, tuple) and _is_cache(view, value)):
            yield writing.same(view, field, value)
    for cache in found:
        yield writing.field(NODE, _heads_and_rows_swapped(cache.new, cache.rows))
    for cache in found:
        yield writing.field(INPUT, writing.value_info(cache.past_rows, inputs[cache.past_rows]))
        yield writing.field(OUTPUT, writing.value_info(cache.rows, outputs[cache.rows]))


def _is_cache(view: mmap.mmap, span: wire.Span) -> bool:
    return wire.strings(view, span, 1)[0].startswith((PAST, PRESENT))


def _heads_and_rows_swapped(source: str, target: str) -> bytes:
    return writing.node("Transpose", [source], target, writing.wholes("perm", (0, 2, 1, 3)))
