"""A plain decoder made to keep its cache in place, of one length from the first token to the last.

The plain graph takes past_key_values.N.key [B, heads, P, width] and gives a longer present.N.key.
Here the cache is [1, heads, context, width] throughout, past_length [1] says how many rows of it
are there, and a TensorScatter (opset 24) writes the new ones behind them: present.N.key is the same
memory. What the plain graph reckons from P is reckoned from past_length where it means the place of
a token, and from the context where it means the number of keys; rows beyond the last token are
masked as those of the future are. No shape changes from step to step, so a step can be recorded.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from edgeval.engines.trt import writing
from edgeval.engines.trt.graphfile import INPUT, NODE, OUTPUT, GraphFile, Operation, Port
from edgeval.engines.trt.rows import PAST, PRESENT, Cache, caches
from edgeval.errors import EngineError
from edgeval.modelfolder import wire

LENGTH, SEEN = "past_length", "attention_mask"
CONTEXT = "context"
OPSET = 24
VALUE_INFO = 13
ROWS_AXIS = 2


@dataclass(slots=True)
class Counts:
    """Tensors that count tokens: ``past`` of the cache, ``other`` of anything else."""

    past: set[str] = field(default_factory=set)
    other: set[str] = field(default_factory=set)


def ports(graph: GraphFile) -> tuple[Mapping[str, Port], Mapping[str, Port]]:
    """Inputs and outputs of the graph as ``rewritten`` gives it, the context's size left open."""
    return _ports(graph, caches(graph), CONTEXT)


def _ports(
    graph: GraphFile, found: tuple[Cache, ...], context: int | str
) -> tuple[dict[str, Port], dict[str, Port]]:
    inputs, outputs = dict(graph.inputs), dict(graph.outputs)
    for cache in found:
        port = Port(dtype=cache.dtype, shape=(1, cache.heads, context, cache.width))
        inputs[cache.past] = outputs[cache.present] = port
    if SEEN in inputs:
        seen = inputs[SEEN]
        inputs[SEEN] = Port(dtype=seen.dtype, shape=(*seen.shape[:-1], context))
    inputs[LENGTH] = Port(dtype="int64", shape=(1,))
    return inputs, outputs


def rewritten(graph: GraphFile, context: int) -> bytes:
    """The model as bytes, for ``context`` tokens; weights beside the file are found from its path.

    EngineError for a graph that uses the length of its past in a way that is not known.
    """
    changed = changes(graph)
    return writing.edited(
        graph.path, lambda view, span: _graph(view, span, graph, changed, context), OPSET
    )


def _graph(
    view: mmap.mmap,
    span: wire.Span,
    graph: GraphFile,
    changed: Mapping[int, bytes],
    context: int,
) -> Iterator[bytes]:
    inputs, outputs = _ports(graph, caches(graph), context)
    at = 0
    for place, value in wire.fields(view, span):
        if place == NODE:
            yield (
                writing.field(NODE, changed[at])
                if at in changed
                else writing.same(view, place, value)
            )
            at += 1
        elif place not in (INPUT, OUTPUT, VALUE_INFO):  # what was inferred of shapes is over
            yield writing.same(view, place, value)
    for name, port in inputs.items():
        yield writing.field(INPUT, writing.value_info(name, port))
    for name, port in outputs.items():
        yield writing.field(OUTPUT, writing.value_info(name, port))


def changes(graph: GraphFile) -> Mapping[int, bytes]:
    """The nodes that are other ones, by their number. EngineError as for ``rewritten``."""
    joins = {cache.present: cache for cache in caches(graph)}
    counts, changed = Counts(), {}
    for at, operation in enumerate(graph.operations):
        joined = joins.get(operation.outputs[0])
        if joined is not None:
            changed[at] = writing.node(
                "TensorScatter",
                [joined.past, joined.new, LENGTH],
                joined.present,
                writing.whole("axis", ROWS_AXIS),
            )
        elif not _counted(operation, counts, graph) and counts.past.intersection(operation.inputs):
            changed[at] = _reckoned(operation, counts, graph)
    if not counts.past:
        raise _strange(graph, "nothing is reckoned from the length of the past")
    return changed


def _counted(operation: Operation, counts: Counts, graph: GraphFile) -> bool:
    """Take note of a tensor that counts tokens: a Shape, or one with its axis taken away."""
    (source, *_), (made, *_) = operation.inputs or ("",), operation.outputs
    if operation.op == "Shape":
        first, end = operation.wholes.get("start", 0), operation.wholes.get("end", 0)
        if not source.startswith((PAST, PRESENT)):
            counts.other.add(made)
        elif source.startswith(PAST) and (first, end) == (ROWS_AXIS, ROWS_AXIS + 1):
            counts.past.add(made)
        elif end not in range(1, ROWS_AXIS + 1):  # else its batch or heads, which stay
            raise _strange(graph, f"Shape {made} takes the length of the past among others")
        return True
    if operation.op == "Squeeze":
        for known in (counts.past, counts.other):
            if source in known:
                known.add(made)
    return operation.op == "Squeeze"


def _reckoned(operation: Operation, counts: Counts, graph: GraphFile) -> bytes:
    """A sum with the length of the past: the number of keys, or the places of tokens."""
    made = operation.outputs[0]
    past = next(name for name in operation.inputs if name in counts.past)
    others = [name for name in operation.inputs if name != past]
    if operation.op != "Add" or len(others) != 1:
        raise _strange(graph, f"{operation.op} {made} takes the length of the past")
    if others[0] in counts.other:
        return writing.node("Identity", [past], made)
    return writing.node("Add", [others[0], LENGTH], made)


def _strange(graph: GraphFile, why: str) -> EngineError:
    return EngineError(
        f"engine trt-inplace: the cache of {graph.path.name} cannot be kept in place ({why}); "
        "use --engine trt"
    )
