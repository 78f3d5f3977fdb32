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

from edgeval.engines.trt.graphfile import GRAPH, INPUT, NODE, OUTPUT, GraphFile, Port
from edgeval.errors import EngineError
from edgeval.modelfolder import onnxfile, wire

PAST, PRESENT = "past_key_values.", "present."
PAST_ROWS, ROWS = "past_rows.", "rows."
KINDS = {name: kind for kind, name in onnxfile.DTYPES.items()}
INTS = 7  # AttributeProto.AttributeType


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
    with (
        graph.path.open("rb") as file,
        mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as view,
    ):
        model = []
        for field, value in wire.fields(view, (0, len(view))):
            if field == GRAPH and isinstance(value, tuple):
                model.append(_field(GRAPH, b"".join(_graph(view, value, graph))))
            else:
                model.append(_same(view, field, value))
        return b"".join(model)


def _graph(view: mmap.mmap, span: wire.Span, graph: GraphFile) -> Iterator[bytes]:
    inputs, outputs = ports(graph)
    found = caches(graph)
    for cache in found:
        yield _field(NODE, _heads_and_rows_swapped(cache.past_rows, PAST + cache.name))
    for field, value in wire.fields(view, span):
        if not (field in (INPUT, OUTPUT) and isinstance(value, tuple) and _is_cache(view, value)):
            yield _same(view, field, value)
    for cache in found:
        yield _field(NODE, _heads_and_rows_swapped(cache.new, cache.rows))
    for cache in found:
        yield _field(INPUT, _value_info(cache.past_rows, inputs[cache.past_rows]))
        yield _field(OUTPUT, _value_info(cache.rows, outputs[cache.rows]))


def _is_cache(view: mmap.mmap, span: wire.Span) -> bool:
    return wire.strings(view, span, 1)[0].startswith((PAST, PRESENT))


def _heads_and_rows_swapped(source: str, target: str) -> bytes:
    """NodeProto: Transpose with perm 0, 2, 1, 3."""
    axes = b"".join(_number(8, axis) for axis in (0, 2, 1, 3))
    perm = _field(1, b"perm") + axes + _number(20, INTS)
    return b"".join(
        _field(number, text)
        for number, text in (
            (1, source.encode()),
            (2, target.encode()),
            (3, f"{target}/turned".encode()),
            (4, b"Transpose"),
            (5, perm),
        )
    )


def _value_info(name: str, port: Port) -> bytes:
    dims = b"".join(
        _field(1, _number(1, size) if isinstance(size, int) else _field(2, size.encode()))
        for size in port.shape
    )
    tensor = _number(1, KINDS[port.dtype]) + _field(2, dims)
    return _field(1, name.encode()) + _field(2, _field(1, tensor))


def _same(view: mmap.mmap, field: int, value: int | wire.Span) -> bytes:
    if isinstance(value, int):
        return _number(field, value)
    return _field(field, view[value[0] : value[1]])


def _field(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | wire.BYTES) + _varint(len(content)) + content


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3 | wire.VARINT) + _varint(value)


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
