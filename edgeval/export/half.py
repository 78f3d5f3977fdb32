"""A graph in half precision: weights, products and the cache in float16, the rest in float32.

Norms, softmax, rope, activations and the sums between layers stay in float32, where float16 is too
coarse or too small; so do products that saw too large numbers (edgeval/export/ranges.py). Ports are
float32 but for the cache, as in published fp16 exports, and all casts are in the graph, which is
what a strongly typed builder wants.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, helper, numpy_helper

from edgeval.errors import ManifestError
from edgeval.export.late import Late, Traced
from edgeval.export.ranges import Kept

SINGLE, HALF = int(TensorProto.FLOAT), int(TensorProto.FLOAT16)
PRODUCTS = frozenset({"MatMul", "Gemm", "Conv", "GroupQueryAttention"})
# What only moves numbers takes them as they come.
MOVES = frozenset(
    {
        "Concat",
        "Expand",
        "Gather",
        "Identity",
        "Reshape",
        "Slice",
        "Split",
        "Squeeze",
        "Transpose",
        "Unsqueeze",
    }
)
UNFLOATING = frozenset(
    {"Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual", "Shape", "Size"}
)
# Between a product of queries and keys and its softmax.
ON_SCORES = frozenset({"Add", "Div", "Mul", "Where"})
CACHE = ("past_key_values.", "present.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Halved:
    """The graph, and the operators in it that work on float32."""

    traced: Traced
    operators: frozenset[str]


def halve(traced: Traced, kept: Kept) -> Halved:
    """The graph in half precision but for the layers that are ``kept`` in float32."""
    return _Conversion(traced, kept).run()


class _Conversion:
    """One pass over the nodes in order; ``_kinds``: which type every float has by now."""

    def __init__(self, traced: Traced, kept: Kept) -> None:
        self._traced = traced
        graph = traced.model.graph
        self._weights = {weight.name: weight for weight in traced.weights()}
        self._kinds = {
            name: SINGLE for name, weight in self._weights.items() if weight.data_type == SINGLE
        }
        for port in graph.input:
            kind = port.type.tensor_type
            if kind.elem_type == SINGLE:
                kind.elem_type = HALF if port.name.startswith(CACHE) else SINGLE
                self._kinds[port.name] = kind.elem_type
        self._single = set(_in_float32(traced, kept))
        self._nodes: list[NodeProto] = []
        self._cast: dict[tuple[str, int], str] = {}
        self._operators: set[str] = set()

    def run(self) -> Halved:
        graph = self._traced.model.graph
        for node in graph.node:
            self._convert(node)
        for port in graph.output:
            if port.type.tensor_type.elem_type == SINGLE:
                port.type.tensor_type.elem_type = HALF if port.name.startswith(CACHE) else SINGLE
                self._deliver(port.name, port.type.tensor_type.elem_type)
        del graph.node[:]
        graph.node.extend(self._nodes)
        return Halved(
            traced=self._traced.with_weights(iter(self._weights.values())),
            operators=frozenset(self._operators),
        )

    def _convert(self, node: NodeProto) -> None:
        floats = [name for name in node.input if name in self._kinds]
        if node.op_type == "Cast":
            self._nodes.append(node)
            if helper.get_node_attr_value(node, "to") == SINGLE:
                self._kinds[node.output[0]] = SINGLE
            return
        if not floats or node.op_type in ("Shape", "Size"):
            self._nodes.append(node)
            self._note_made(node)
            return
        kind = self._wanted(node, floats)
        if kind == SINGLE and node.op_type not in MOVES:
            self._operators.add(node.op_type)
        for at, name in enumerate(node.input):
            if name in self._kinds:
                node.input[at] = self._as(name, kind)
        self._nodes.append(node)
        data = node.input[1 if node.op_type == "Where" else 0]
        if node.op_type not in UNFLOATING and data in self._kinds:
            self._kinds |= {name: kind for name in node.output if name}

    def _note_made(self, node: NodeProto) -> None:
        """Floats out of nothing."""
        if node.op_type in ("Constant", "ConstantOfShape"):
            values = [a.t for a in node.attribute if a.name == "value"]
            if (values[0].data_type if values else SINGLE) == SINGLE:
                self._kinds[node.output[0]] = SINGLE

    def _wanted(self, node: NodeProto, floats: list[str]) -> int:
        """The type a node works in."""
        if node.op_type in PRODUCTS:
            return SINGLE if node.output[0] in self._single else HALF
        if node.op_type in MOVES:
            # A table of tokens is read by row and stays as small as it is on disk.
            if node.op_type == "Gather" and isinstance(self._weights.get(floats[0]), Late):
                return HALF
            return HALF if any(self._kinds[name] == HALF for name in floats) else SINGLE
        return SINGLE

    def _as(self, name: str, kind: int) -> str:
        """The name under which a float is to be had in a type."""
        weight = self._weights.get(name)
        if isinstance(weight, Late):
            # Weights are float16 on disk, whatever they are multiplied in.
            half = self._halved(weight)
            return half if kind == HALF else self._cast_to(half, SINGLE)
        if self._kinds[name] == kind:
            return name
        if weight is not None and kind == HALF:
            return self._halved(weight)
        return self._cast_to(name, kind)

    def _cast_to(self, name: str, kind: int) -> str:
        if (name, kind) not in self._cast:
            made = f"{name}.{'half' if kind == HALF else 'single'}"
            self._nodes.append(helper.make_node("Cast", [name], [made], name=made, to=kind))
            self._kinds[made] = kind
            self._cast[name, kind] = made
        return self._cast[name, kind]

    def _halved(self, weight: Late | TensorProto) -> str:
        name = f"{weight.name}.half"
        if name not in self._weights:
            made: Late | TensorProto
            if isinstance(weight, Late):
                made = replace(
                    weight, name=name, data_type=HALF, make=lambda: _fitting(weight, weight.make())
                )
            else:
                array = _fitting(weight, numpy_helper.to_array(weight))
                made = numpy_helper.from_array(array, name)
            self._weights[name] = made
            self._kinds[name] = HALF
        return name

    def _deliver(self, name: str, kind: int) -> None:
        """Give a float to a port in its type."""
        if self._kinds[name] == kind:
            return
        inner = f"{name}.inner"
        for node in self._nodes:
            for names in (node.input, node.output):
                for at, one in enumerate(names):
                    if one == name:
                        names[at] = inner
        self._nodes.append(helper.make_node("Cast", [inner], [name], name=f"{name}.cast", to=kind))


def _fitting(weight: Late | TensorProto, array: NDArray[np.generic]) -> NDArray[np.float16]:
    with np.errstate(over="ignore"):
        half = array.astype(np.float16)
    if not np.isfinite(half).all():
        raise ManifestError(
            f"export: {weight.name} holds {float(np.abs(array).max()):.3g}, more than float16 can; "
            "use --precision fp32"
        )
    return half


def _in_float32(traced: Traced, kept: Kept) -> Iterator[str]:
    """First outputs of the products that stay in float32."""
    graph = traced.model.graph
    makers = {name: node for node in graph.node for name in node.output if name}
    for node in graph.node:
        if node.op_type in ("Cos", "Sin"):
            yield from _products_behind(node, makers, through=None)
        elif node.op_type == "Softmax" and kept.scores:
            yield from _products_behind(node, makers, through=ON_SCORES)
        elif node.op_type == "MatMul" and _layer(traced, node) in kept.layers:
            yield node.output[0]


def _layer(traced: Traced, product: NodeProto) -> str:
    weight = traced.late.get(product.input[1])
    return weight.layer if weight else ""


def _products_behind(
    node: NodeProto, makers: dict[str, NodeProto], *, through: frozenset[str] | None
) -> Iterator[str]:
    """First outputs of the nearest products that a node's inputs come from."""
    todo = [node]
    seen: set[str] = set()
    while todo:
        for name in todo.pop().input:
            maker = makers.get(name)
            if maker is None or name in seen:
                continue
            seen.add(name)
            if maker.op_type in PRODUCTS:
                yield maker.output[0]
            elif through is None or maker.op_type in through:
                todo.append(maker)
