"""A traced graph as clean, repeatable ONNX: no stack traces, no paths, no clock."""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import onnx
import onnx_ir
import torch

from edgeval.export.hollow import hollowed
from edgeval.export.late import Late, Traced

if TYPE_CHECKING:
    from torch import nn

    from edgeval.export.graphspec import GraphSpec

OPSET = 18


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


def trace(spec: GraphSpec, names: Mapping[nn.Module, str] | None = None) -> Traced:
    """Trace one module with torch.export; its large weights are made when they are written.

    ``names``: what the checkpoint calls its layers.
    """
    dynamic = [dict.fromkeys(axes, torch.export.Dim.DYNAMIC) or None for axes in spec.input_axes]
    head = len(dynamic) - spec.n_variadic
    shapes = (*dynamic[:head], tuple(dynamic[head:])) if spec.n_variadic else tuple(dynamic)
    with _quiet(), torch.no_grad(), hollowed(spec.module, names or {}) as late:
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
        traced = _without_hollow(program.model, late)
    for ports, axes in (
        (traced.model.graph.input, spec.input_axes),
        (traced.model.graph.output, spec.output_axes),
    ):
        _name_axes(ports, axes)
    clean(traced.model)
    return traced


def _without_hollow(model: onnx_ir.Model, late: dict[str, Late]) -> Traced:
    """The graph with empty places for the weights to come."""
    found = {}
    for name, value in model.graph.initializers.items():
        tensor = value.const_value
        assert tensor is not None  # an initializer has a value
        if name in late:
            value.const_value = onnx_ir.ExternalTensor(
                "later", 0, 0, tensor.dtype, shape=onnx_ir.Shape(late[name].dims), name=name
            )
            found[name] = late[name]
        elif tensor.dtype == onnx_ir.DataType.FLOAT and np.isnan(tensor.numpy()).any():
            raise AssertionError(f"{name} was computed from a weight that is not there yet")
    proto = onnx_ir.to_proto(model)
    for tensor in proto.graph.initializer:
        if tensor.name in found:
            tensor.CopyFrom(found[tensor.name].header())
    return Traced(model=proto, late=found)


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
