"""What an ONNX file says about itself, read without the onnx package.

Ports, operators, where its weights lie.

A reader of the protobuf wire format that skips what it does not need, so a file of gigabytes costs
a page or two. Field numbers: onnx/onnx.proto3 of onnx 1.23.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeval.errors import ManifestError

DTYPES = {
    1: "float32",
    2: "uint8",
    3: "int8",
    6: "int32",
    7: "int64",
    9: "bool",
    10: "float16",
    11: "float64",
}
GRAPH, NODE, INITIALIZER, INPUT, OUTPUT = 7, 1, 5, 11, 12
VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One operator and the names it reads."""

    op: str
    inputs: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Weight:
    """An initializer: its bytes are file[offset : offset + nbytes].

    ``dtype`` a numpy name or "" when not plain.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    path: Path
    offset: int
    nbytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """Names of inputs (without initializers) and outputs, operators in order, weights by name."""

    path: Path
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    nodes: tuple[Node, ...]
    weights: dict[str, Weight]


def read(path: Path) -> Graph:
    """Read the outline of an ONNX file; ManifestError when it is missing or not one."""
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as view:
            return _graph(view, path)
    except FileNotFoundError as error:
        raise ManifestError(f"graph {path}: no such file") from error
    except (ValueError, IndexError, UnicodeDecodeError, OSError) as error:
        raise ManifestError(f"graph {path}: not an ONNX file ({error})") from error


def lookup_table(path: Path) -> NDArray[np.generic] | None:
    """The table [rows, width] of a graph that is one Gather, mapped and not read.

    None for any other graph.
    """
    graph = read(path)
    lookups = [node for node in graph.nodes if node.op == "Gather"]
    weight = graph.weights.get(lookups[0].inputs[0]) if lookups else None
    if len(graph.nodes) != 1 or weight is None or not weight.dtype or len(weight.shape) != 2:
        return None
    if not weight.path.is_file():
        raise ManifestError(f"graph {path}: its weights {weight.path.name} are missing")
    return np.memmap(weight.path, weight.dtype, "r", offset=weight.offset, shape=weight.shape)


def _graph(view: mmap.mmap, path: Path) -> Graph:
    inputs: list[str] = []
    outputs: list[str] = []
    nodes: list[Node] = []
    weights: dict[str, Weight] = {}
    spans = [
        span
        for field, span in _fields(view, (0, len(view)))
        if field == GRAPH and isinstance(span, tuple)
    ]
    if len(spans) != 1:
        raise ValueError("no graph in it")
    for field, span in _fields(view, spans[0]):
        if not isinstance(span, tuple):
            continue
        if field == NODE:
            nodes.append(_node(view, span))
        elif field == INITIALIZER:
            weight = _weight(view, span, path)
            weights[weight.name] = weight
        elif field in (INPUT, OUTPUT):
            (inputs if field == INPUT else outputs).append(_strings(view, span, 1)[0])
    return Graph(
        path=path,
        inputs=tuple(name for name in inputs if name not in weights),
        outputs=tuple(outputs),
        nodes=tuple(nodes),
        weights=weights,
    )


def _node(view: mmap.mmap, span: tuple[int, int]) -> Node:
    return Node(op="".join(_strings(view, span, 4)), inputs=tuple(_strings(view, span, 1)))


def _weight(view: mmap.mmap, span: tuple[int, int], path: Path) -> Weight:
    shape: list[int] = []
    name, kind, data = "", 0, (0, 0)
    external: dict[str, str] = {}
    for field, value in _fields(view, span):
        if field == 1:
            shape += [value] if isinstance(value, int) else _packed(view, value)
        elif field == 2 and isinstance(value, int):
            kind = value
        elif isinstance(value, tuple) and field == 8:
            name = _text(view, value)
        elif isinstance(value, tuple) and field == 9:
            data = value
        elif isinstance(value, tuple) and field == 13:
            external["".join(_strings(view, value, 1))] = "".join(_strings(view, value, 2))
    offset, nbytes, file = data[0], data[1] - data[0], path
    if "location" in external:
        file = path.parent / external["location"]
        if Path(external["location"]).is_absolute() or ".." in file.relative_to(path.parent).parts:
            raise ValueError(f"its weights lie outside the folder, in {external['location']}")
        offset, nbytes = int(external.get("offset", 0)), int(external.get("length", 0))
    dtype = DTYPES.get(kind, "")
    if not dtype or nbytes != int(np.prod(shape, dtype=np.int64)) * np.dtype(dtype).itemsize:
        dtype = ""
    return Weight(
        name=name, dtype=dtype, shape=tuple(shape), path=file, offset=offset, nbytes=nbytes
    )


def _fields(view: mmap.mmap, span: tuple[int, int]) -> Iterator[tuple[int, int | tuple[int, int]]]:
    """(field number, value) pairs of a message; a length-delimited value is its span."""
    at, end = span
    while at < end:
        key, at = _varint(view, at)
        field, wire = key >> 3, key & 7
        if wire == VARINT:
            value, at = _varint(view, at)
            yield field, value
        elif wire == BYTES:
            length, at = _varint(view, at)
            if length > end - at:
                raise ValueError("cut off")
            yield field, (at, at + length)
            at += length
        elif wire in (FIXED64, FIXED32):
            at += 8 if wire == FIXED64 else 4
        else:
            raise ValueError(f"wire type {wire}")


def _varint(view: mmap.mmap, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = view[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at
        if shift > 63:
            raise ValueError("a number that does not end")


def _packed(view: mmap.mmap, span: tuple[int, int]) -> list[int]:
    at, values = span[0], []
    while at < span[1]:
        value, at = _varint(view, at)
        values.append(value)
    return values


def _text(view: mmap.mmap, span: tuple[int, int]) -> str:
    return view[span[0] : span[1]].decode("utf-8")


def _strings(view: mmap.mmap, span: tuple[int, int], wanted: int) -> list[str]:
    return [
        _text(view, value)
        for field, value in _fields(view, span)
        if field == wanted and isinstance(value, tuple)
    ]
