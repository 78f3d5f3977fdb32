"""Messages of ONNX in protobuf's wire format, written: what graphs are edited with.

Field numbers are those of onnx/onnx.proto3 of onnx 1.23.
"""

from __future__ import annotations

import mmap
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from edgeval.engines.trt.graphfile import GRAPH, OPSET_IMPORT, Port
from edgeval.modelfolder import onnxfile, wire

KINDS = {name: kind for kind, name in onnxfile.DTYPES.items()}
INT, INTS = 2, 7  # AttributeProto.AttributeType

Inside = Callable[[mmap.mmap, wire.Span], Iterable[bytes]]


def edited(path: Path, inside: Inside, version: int | None = None) -> bytes:
    """A model with another graph, of the standard operators of ``version`` unless None.

    ``inside``: the fields of the new graph, from those of the old one.
    """
    model = []
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as view:
        for place, value in wire.fields(view, (0, len(view))):
            if place == GRAPH and isinstance(value, tuple):
                model.append(field(GRAPH, b"".join(inside(view, value))))
            elif place == OPSET_IMPORT and version is not None:
                model.append(field(OPSET_IMPORT, opset(version)))
            else:
                model.append(same(view, place, value))
    return b"".join(model)


def node(op: str, inputs: Sequence[str], output: str, *attributes: bytes) -> bytes:
    """A NodeProto with one output, named after it."""
    parts = [(1, name.encode()) for name in inputs]
    parts += [(2, output.encode()), (3, f"{output}/{op}".encode()), (4, op.encode())]
    parts += [(5, attribute) for attribute in attributes]
    return b"".join(field(number, content) for number, content in parts)


def whole(name: str, value: int) -> bytes:
    """An AttributeProto of one whole number, none below zero."""
    return field(1, name.encode()) + number(3, value) + number(20, INT)


def wholes(name: str, values: Sequence[int]) -> bytes:
    """An AttributeProto of whole numbers, none below zero."""
    return field(1, name.encode()) + b"".join(number(8, n) for n in values) + number(20, INTS)


def value_info(name: str, port: Port) -> bytes:
    """A ValueInfoProto of a tensor."""
    dims = b"".join(
        field(1, number(1, size) if isinstance(size, int) else field(2, size.encode()))
        for size in port.shape
    )
    tensor = number(1, KINDS[port.dtype]) + field(2, dims)
    return field(1, name.encode()) + field(2, field(1, tensor))


def opset(version: int) -> bytes:
    """An OperatorSetIdProto of the standard operators."""
    return field(1, b"") + number(2, version)


def same(view: mmap.mmap, place: int, value: int | wire.Span) -> bytes:
    """A field as it is read."""
    if isinstance(value, int):
        return number(place, value)
    return field(place, view[value[0] : value[1]])


def field(place: int, content: bytes) -> bytes:
    """A field with a length."""
    return _varint(place << 3 | wire.BYTES) + _varint(len(content)) + content


def number(place: int, value: int) -> bytes:
    """A field that is a number, not below zero."""
    return _varint(place << 3 | wire.VARINT) + _varint(value)


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
