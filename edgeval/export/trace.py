"""A traced graph as clean, repeatable ONNX: no stack traces, no paths, no clock.

External data when it is large.
"""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import onnx
import torch

if TYPE_CHECKING:
    from edgeval.export.graphspec import GraphSpec

OPSET = 18
# protobuf stops at 2 GiB a message; weights go to a file beside the graph well before.
MAX_INLINE_BYTES = 1_500_000_000


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep the exporter's progress lines and version warnings out of the command's output."""
    level = logging.getLogger("torch.onnx").level
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.getLogger("torch.onnx").setLevel(level)


def trace(spec: GraphSpec) -> onnx.ModelProto:
    """Trace one module with torch.export and give it as a ModelProto with its weights inside."""
    dynamic = [dict.fromkeys(axes, torch.export.Dim.DYNAMIC) or None for axes in spec.input_axes]
    head = len(dynamic) - spec.n_variadic
    shapes = (*dynamic[:head], tuple(dynamic[head:])) if spec.n_variadic else tuple(dynamic)
    with _quiet(), torch.no_grad():
        program = torch.onnx.export(
            spec.module,
            spec.arguments,
            input_names=list(spec.inputs),
            output_names=list(spec.outputs),
            dynamic_shapes=shapes,
            opset_version=OPSET,
            dynamo=True,
            verbose=False,
            optimize=True,
        )
    assert program is not None  # only None when a file name is given to the old exporter
    model: onnx.ModelProto = program.model_proto
    for ports, axes in (
        (model.graph.input, spec.input_axes),
        (model.graph.output, spec.output_axes),
    ):
        _name_axes(ports, axes)
    return clean(model)


def _name_axes(ports: Sequence[onnx.ValueInfoProto], axes: Sequence[Mapping[int, str]]) -> None:
    """Give free axes the names of the onnx-community convention in the place of the tracer's."""
    for port, names in zip(ports, axes, strict=True):
        for axis, name in names.items():
            port.type.tensor_type.shape.dim[axis].dim_param = name


def clean(model: onnx.ModelProto) -> onnx.ModelProto:
    """Drop what names the machine the graph was made on; keeps the same model's bytes the same."""
    model.producer_name, model.producer_version, model.doc_string = "edgeval", "", ""
    del model.metadata_props[:]
    graph = model.graph
    graph.name, graph.doc_string = "graph", ""
    for values in (
        graph.node,
        graph.input,
        graph.output,
        graph.value_info,
        graph.initializer,
        [graph],
    ):
        for value in values:
            value.doc_string = ""
            del value.metadata_props[:]
    del graph.value_info[:]
    return model


def save(model: onnx.ModelProto, path: Path) -> tuple[Path, ...]:
    """Write a graph, and its weights beside it when they are too large for one file.

    All paths written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    data = path.with_name(path.name + "_data")
    path.unlink(missing_ok=True)
    data.unlink(missing_ok=True)
    if sum(len(tensor.raw_data) for tensor in model.graph.initializer) < MAX_INLINE_BYTES:
        onnx.checker.check_model(model)
        path.write_bytes(model.SerializeToString(deterministic=True))
        return (path,)
    onnx.save_model(model, str(path), save_as_external_data=True, location=data.name)
    return (path, data)
