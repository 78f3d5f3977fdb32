"""What an ONNX file says about itself, read without the onnx package.

Ports, operators, where its weights lie.

A reader of the protobuf wire format that skips what it does not need, so a file of gigabytes costs
a page or two. Field numbers: onnx/onnx.proto3 of onnx 1.23.
"""

from __future__ import annotations

import math
import mmap
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeval.dataset import inside
from edgeval.errors import DataError, ManifestError
from edgeval.modelfolder import wire

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
        raise broken(path, error) from error


def broken(path: Path, error: Exception) -> ManifestError:
    """The error for a file that cannot be read as ONNX; what it is instead where that is known."""
    return ManifestError(f"graph {path}: not an ONNX file to use ({_kind(path) or error})")


def beside(path: Path, location: str) -> Path:
    """A file of weights that a graph names. Raises ValueError for one outside the graph's folder.

    By its words and by where links lead; those of a hub's cache into the same cache are followed.
    """
    try:
        return inside(path.parent, location)
    except DataError as error:
        raise ValueError(f"its weights lie outside the folder, in {location[:200]}") from error


def _kind(path: Path) -> str:
    """What a file is instead, by its first bytes."""
    with path.open("rb") as file:
        head = file.read(4)
    if head[:1] == b"\x80":
        return "but a pickle, which can run code when loaded"
    return "but a zip archive, as torch saves pickles in" if head == b"PK\x03\x04" else ""


def lookup_table(path: Path) -> NDArray[np.generic] | None:
    """The table [rows, width] of a graph that is one Gather, mapped and not read.

    A Cast of its rows may follow (fp16 exports). None for any other graph.
    """
    graph = read(path)
    operators = [node.op for node in graph.nodes]
    if operators not in (["Gather"], ["Gather", "Cast"]) or not graph.nodes[0].inputs:
        return None
    weight = graph.weights.get(graph.nodes[0].inputs[0])
    if weight is None or not weight.dtype or len(weight.shape) != 2:
        return None
    if not weight.path.is_file():
        raise ManifestError(f"graph {path}: its weights {weight.path.name} are missing")
    size = weight.path.stat().st_size
    if not 0 <= weight.offset <= size - weight.nbytes:
        raise ManifestError(f"graph {path}: its weights {weight.path.name} are cut off")
    return np.memmap(weight.path, weight.dtype, "r", offset=weight.offset, shape=weight.shape)


def _graph(view: mmap.mmap, path: Path) -> Graph:
    inputs: list[str] = []
    outputs: list[str] = []
    nodes: list[Node] = []
    weights: dict[str, Weight] = {}
    spans = [
        span
        for field, span in wire.fields(view, (0, len(view)))
        if field == GRAPH and isinstance(span, tuple)
    ]
    if len(spans) != 1:
        raise ValueError("no graph in it")
    for field, span in wire.fields(view, spans[0]):
        if not isinstance(span, tuple):
            continue
        if field == NODE:
            nodes.append(_node(view, span))
        elif field == INITIALIZER:
            weight = _weight(view, span, path)
            weights[weight.name] = weight
        elif field in (INPUT, OUTPUT):
            (inputs if field == INPUT else outputs).append(wire.strings(view, span, 1)[0])
    return Graph(
        path=path,
        inputs=tuple(name for name in inputs if name not in weights),
        outputs=tuple(outputs),
        nodes=tuple(nodes),
        weights=weights,
    )


def _node(view: mmap.mmap, span: tuple[int, int]) -> Node:
    return Node(op="".join(wire.strings(view, span, 4)), inputs=tuple(wire.strings(view, span, 1)))


def _weight(view: mmap.mmap, span: tuple[int, int], path: Path) -> Weight:
    shape: list[int] = []
    name, kind, data = "", 0, (0, 0)
    external: dict[str, str] = {}
    for field, value in wire.fields(view, span):
        if field == 1:
            shape += [value] if isinstance(value, int) else wire.packed(view, value)
        elif field == 2 and isinstance(value, int):
            kind = value
        elif isinstance(value, tuple) and field == 8:
            name = wire.text(view, value)
        elif isinstance(value, tuple) and field == 9:
            data = value
        elif isinstance(value, tuple) and field == 13:
            external["".join(wire.strings(view, value, 1))] = "".join(wire.strings(view, value, 2))
    offset, nbytes, file = data[0], data[1] - data[0], path
    if "location" in external:
        file = beside(path, external["location"])
        offset, nbytes = int(external.get("offset", 0)), int(external.get("length", 0))
    dtype = DTYPES.get(kind, "")
    if not dtype or nbytes != math.prod(shape) * np.dtype(dtype).itemsize:
        dtype = ""
    return Weight(
        name=name, dtype=dtype, shape=tuple(shape), path=file, offset=offset, nbytes=nbytes
    )
