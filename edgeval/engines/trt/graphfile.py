"""Ports and operators of an ONNX file, with types and shapes, read without the onnx package."""

from __future__ import annotations

import mmap
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from edgeval.errors import ManifestError
from edgeval.modelfolder import onnxfile, sha256, wire

# Field numbers of onnx/onnx.proto3 of onnx 1.23.
OPSET_IMPORT, GRAPH, NODE, INITIALIZER, INPUT, OUTPUT = 8, 7, 1, 5, 11, 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Port:
    """An input or output. ``dtype``: a numpy name; ``shape``: a free axis is its name."""

    dtype: str
    shape: tuple[int | str, ...]

    def fixed(self, axis: int, where: str) -> int:
        """Size of an axis; ManifestError when the graph leaves it open."""
        size = self.shape[axis]
        if not isinstance(size, int):
            raise ManifestError(f"{where}: axis {axis} has no fixed size; export the model again")
        return size


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One node. ``wholes``: its attributes as whole numbers, 0 for those that are none."""

    op: str
    domain: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    wholes: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphFile:
    """``opset``: of the standard operators; ``data``: files beside it that hold weights."""

    path: Path
    opset: int
    inputs: Mapping[str, Port]
    outputs: Mapping[str, Port]
    operations: tuple[Operation, ...]
    data: tuple[Path, ...]

    def digests(self) -> dict[str, str]:
        """sha256 of the file and of those with its weights, by name."""
        return {path.name: sha256(path) for path in (self.path, *self.data)}


def read(path: Path) -> GraphFile:
    """Read a graph's outline. ManifestError when it is missing or not an ONNX file."""
    outline = onnxfile.read(path)
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as view:
            graph = _read(view, outline)
    except (ValueError, IndexError, UnicodeDecodeError, OSError) as error:
        raise ManifestError(f"graph {path}: not an ONNX file ({error})") from error
    if missing := [data.name for data in graph.data if not data.is_file()]:
        raise ManifestError(f"graph {path}: its weights {missing[0]} are missing")
    return graph


def _read(view: mmap.mmap, outline: onnxfile.Graph) -> GraphFile:
    opset, ports, operations = 0, {INPUT: {}, OUTPUT: {}}, []  # type: ignore[var-annotated]
    for field, span in wire.fields(view, (0, len(view))):
        if not isinstance(span, tuple):
            continue
        if field == OPSET_IMPORT:
            opset = max(opset, _opset(view, span))
        elif field == GRAPH:
            for inner, part in wire.fields(view, span):
                if isinstance(part, tuple) and inner == NODE:
                    operations.append(_operation(view, part))
                elif isinstance(part, tuple) and inner in ports:
                    name, port = _port(view, part)
                    ports[inner][name] = port
    return GraphFile(
        path=outline.path,
        opset=opset,
        inputs={name: ports[INPUT][name] for name in outline.inputs},
        outputs=ports[OUTPUT],
        operations=tuple(operations),
        data=tuple(sorted({w.path for w in outline.weights.values()} - {outline.path})),
    )


def _opset(view: mmap.mmap, span: wire.Span) -> int:
    """The version of the standard operators, 0 for another set."""
    version = 0
    for field, value in wire.fields(view, span):
        if (
            field == 1
            and isinstance(value, tuple)
            and wire.text(view, value) not in ("", "ai.onnx")
        ):
            return 0
        if field == 2 and isinstance(value, int):
            version = value
    return version


def _operation(view: mmap.mmap, span: wire.Span) -> Operation:
    return Operation(
        op="".join(wire.strings(view, span, 4)),
        domain="".join(wire.strings(view, span, 7)),
        inputs=tuple(wire.strings(view, span, 1)),
        outputs=tuple(wire.strings(view, span, 2)),
        wholes=dict(_whole(view, part) for part in _parts(view, [span], 5)),
    )


def _whole(view: mmap.mmap, attribute: wire.Span) -> tuple[str, int]:
    """AttributeProto: name and i, which is 0 where it has another kind of value."""
    value = 0
    for field, said in wire.fields(view, attribute):
        if field == 3 and isinstance(said, int):
            value = said
    return wire.strings(view, attribute, 1)[0], value


def _port(view: mmap.mmap, span: wire.Span) -> tuple[str, Port]:
    """ValueInfoProto: name, and type.tensor_type's elem_type and shape."""
    kind, shape = 0, []
    for tensor in _parts(view, _parts(view, [span], 2), 1):
        for field, value in wire.fields(view, tensor):
            if field == 1 and isinstance(value, int):
                kind = value
        for dim in _parts(view, _parts(view, [tensor], 2), 1):
            shape.append(_dim(view, dim))
    return wire.strings(view, span, 1)[0], Port(
        dtype=onnxfile.DTYPES.get(kind, ""), shape=tuple(shape)
    )


def _dim(view: mmap.mmap, span: wire.Span) -> int | str:
    for field, value in wire.fields(view, span):
        if field == 1 and isinstance(value, int):
            return value
        if field == 2 and isinstance(value, tuple):
            return wire.text(view, value)
    return "?"


def _parts(view: mmap.mmap, spans: list[wire.Span], wanted: int) -> list[wire.Span]:
    """The messages in a field of each of the messages."""
    return [
        value
        for span in spans
        for field, value in wire.fields(view, span)
        if field == wanted and isinstance(value, tuple)
    ]
