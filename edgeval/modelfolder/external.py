"""Weights outside of the ONNX file that names them: which files, wherever in it they are named.

In the main graph, in the branches of an If or the body of a Loop, in constants and in functions.
onnxruntime opens whatever stands there, so it is looked at first.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from pathlib import Path

from edgeval.errors import ManifestError
from edgeval.modelfolder import onnxfile, wire

# Field numbers: onnx/onnx.proto3 of onnx 1.23.
MODEL = {7: "graph", 25: "function"}
GRAPH = {1: "node", 5: "tensor", 15: "sparse"}
FUNCTION = {7: "node"}
NODE = {5: "attribute"}
ATTRIBUTE = {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"}
SPARSE = {1: "tensor", 2: "tensor"}
TENSOR = {13: "entry"}
INNER = {
    "model": MODEL,
    "graph": GRAPH,
    "function": FUNCTION,
    "node": NODE,
    "attribute": ATTRIBUTE,
    "sparse": SPARSE,
    "tensor": TENSOR,
}
# A graph in a node's attribute is three levels down; merged decoders have one such.
MOST_LEVELS = 64


def data_files(path: Path) -> tuple[Path, ...]:
    """The files that hold weights of an ONNX file, each once, in the order of their names.

    Raises ManifestError for one that lies outside the graph's folder, is missing or cut off, or for
    a file that is no ONNX file.
    """
    ends: dict[str, int] = {}
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as view:
            for name, end in _entries(view, (0, len(view)), "model", 0):
                ends[name] = max(end, ends.get(name, 0))
        found = {onnxfile.beside(path, name): end for name, end in sorted(ends.items())}
    except (ValueError, IndexError, OSError) as error:
        raise onnxfile.broken(path, error) from error
    for data, end in found.items():
        if not data.is_file():
            raise ManifestError(f"graph {path}: its weights {data.name} are missing")
        if data.stat().st_size < end:
            raise ManifestError(f"graph {path}: its weights {data.name} are cut off")
    return tuple(found)


def _entries(view: mmap.mmap, span: wire.Span, kind: str, level: int) -> Iterator[tuple[str, int]]:
    """Location and last byte of every tensor that lies elsewhere."""
    if level > MOST_LEVELS:
        raise ValueError("its parts are nested too deep")
    inner = INNER[kind]
    named: dict[str, str] = {}
    for field, value in wire.fields(view, span):
        part = inner.get(field)
        if part is None or not isinstance(value, tuple):
            continue
        if part == "entry":
            named["".join(wire.strings(view, value, 1))] = "".join(wire.strings(view, value, 2))
        else:
            yield from _entries(view, value, part, level + 1)
    if "location" in named:
        offset, length = (int(named.get(key) or 0) for key in ("offset", "length"))
        if offset < 0 or length < 0:
            raise ValueError(f"weights at byte {offset}, {length} bytes long")
        yield named["location"], offset + length
