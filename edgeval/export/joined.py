"""Products of one input in one: queries, keys and values; the two that an MLP begins with.

For a single token a product costs as much to begin as to work out: its input is rounded, its
threads are woken. Joined weights are made when they are written, as all are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from edgeval.export.late import Late, Traced


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A MatMul to be joined: its weight, and the Add and the vector behind it where it has them."""

    node: onnx.NodeProto
    weight: Late
    add: onnx.NodeProto | None = None
    bias: NDArray[np.generic] | None = None


def joined(traced: Traced) -> Traced:
    """The graph with MatMuls of the same input and constant right sides as one, then split.

    Where all of them have a bias, that is joined too.
    """
    graph = traced.model.graph
    firsts: dict[str, list[onnx.NodeProto]] = {}
    gone: set[str] = set()
    added: list[Late | onnx.TensorProto] = []
    for parts in _groups(traced):
        nodes, weights = _as_one(parts)
        firsts[parts[0].node.output[0]] = nodes
        gone |= {node.output[0] for part in parts for node in (part.node, part.add) if node}
        added += weights
    kept: list[onnx.NodeProto] = []
    for node in graph.node:
        kept += firsts.get(node.output[0], []) if node.output[0] in gone else [node]
    del graph.node[:]
    graph.node.extend(kept)
    return traced.with_weights(chain(traced.weights(), added))


def _groups(traced: Traced) -> Iterator[list[Part]]:
    """MatMuls that see the same input, where there are several."""
    graph = traced.model.graph
    vectors = {tensor.name: tensor for tensor in graph.initializer if len(tensor.dims) == 1}
    # Whoever reads an output is no node.
    readers = {port.name: [onnx.NodeProto()] for port in graph.output}
    for node in graph.node:
        for name in node.input:
            readers.setdefault(name, []).append(node)
    for nodes in readers.values():
        parts = []
        for node in nodes:
            if node.op_type != "MatMul" or node.input[1] not in traced.late:
                continue
            after = readers.get(node.output[0], [])
            part = Part(node=node, weight=traced.late[node.input[1]])
            if len(after) == 1 and after[0].op_type == "Add":
                biases = [vectors[name] for name in after[0].input if name in vectors]
                if biases:
                    bias = numpy_helper.to_array(biases[0])
                    part = Part(node=node, weight=part.weight, add=after[0], bias=bias)
            parts.append(part)
        bare = [Part(node=part.node, weight=part.weight) for part in parts]
        if len(parts) > 1:
            yield bare if any(part.bias is None for part in parts) else parts


def _as_one(parts: Sequence[Part]) -> tuple[list[onnx.NodeProto], list[Late | onnx.TensorProto]]:
    weight = _side_by_side([part.weight for part in parts])
    widths = np.array([part.weight.dims[1] for part in parts], np.int64)
    whole = "+".join(part.node.output[0] for part in parts)
    weights = [weight, numpy_helper.from_array(widths, f"{weight.name}.widths")]
    nodes = [helper.make_node("MatMul", [parts[0].node.input[0], weight.name], [whole], name=whole)]
    biases = [part.bias for part in parts if part.bias is not None]
    if biases:
        weights.append(numpy_helper.from_array(np.concatenate(biases), f"{weight.name}.bias"))
        inputs, whole = [whole, f"{weight.name}.bias"], f"{whole}.biased"
        nodes.append(helper.make_node("Add", inputs, [whole], name=whole))
    outputs = [(part.add or part.node).output[0] for part in parts]
    inputs = [whole, f"{weight.name}.widths"]
    nodes.append(helper.make_node("Split", inputs, outputs, name=f"{whole}.split", axis=-1))
    return nodes, weights


def _side_by_side(weights: Sequence[Late]) -> Late:
    """The columns of all, in order. All see the same input, so one layer's name stands for all."""

    def make() -> NDArray[np.generic]:
        return np.concatenate([weight.make() for weight in weights], axis=1)

    return Late(
        name="+".join(weight.name for weight in weights),
        data_type=weights[0].data_type,
        dims=(weights[0].dims[0], sum(weight.dims[1] for weight in weights)),
        make=make,
        layer=weights[0].layer,
    )
