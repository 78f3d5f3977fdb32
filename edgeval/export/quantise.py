"""Quantisation: MatMul weights in 8 or 4 bits, everything else float32.

Flavour ``plain`` (standard operators): int8 is a DequantizeLinear with one scale a column (opset
18); q4 is a DequantizeLinear of int4 blocks, which is opset 21. Flavour ``ort``: MatMulNBits, which
multiplies without unpacking; products of one input are joined. Rounding is to the nearest; every
scale puts the largest weight of its block on the end of the range, and there is no zero point.
Asked for, int8 of either flavour rounds activations too (edgeval/export/columns.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain
from typing import Literal

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper

from edgeval.export.columns import column_int8, dynamic_int8
from edgeval.export.joined import joined
from edgeval.export.late import Late, Traced
from edgeval.export.product import (
    DEFAULT,
    Floats,
    Product,
    Replacement,
    Settings,
    dequantised,
)
from edgeval.export.rounding import to_blocks

OPSET_INT4 = 21
CONTRIB = "com.microsoft"
# The output layer decides between near-equal tokens and keeps 8 bits under q4 unless asked.
HEAD = "logits"


def quantise(
    traced: Traced,
    *,
    precision: Literal["fp32", "int8", "q4"],
    flavour: Literal["plain", "ort"],
    settings: Settings = DEFAULT,
) -> Traced:
    """The graph with its MatMul weights in fewer bits; fp32 is returned as it is."""
    if precision == "fp32":
        return traced
    if flavour == "ort":
        traced = joined(traced)
    graph = traced.model.graph
    replaced: dict[str, Replacement] = {}
    for product in _products(traced, settings):
        bits = 8 if precision == "int8" else 4
        if product.node.output[0] == HEAD:
            bits = max(bits, settings.head)
        build = _chosen(bits, flavour, product)
        replaced[product.node.output[0]] = build(product, bits)
    nodes = list(_replaced(graph.node, replaced))
    del graph.node[:]
    graph.node.extend(nodes)
    _declare(traced.model, nodes)
    added = [weight for new in replaced.values() for weight in new.weights]
    return traced.with_weights(chain(traced.weights(), added))


def _products(traced: Traced, settings: Settings) -> Iterator[Product]:
    for node in traced.model.graph.node:
        if node.op_type == "MatMul" and node.input[1] in traced.late:
            yield Product(node=node, late=traced.late[node.input[1]], settings=settings)


def _replaced(
    nodes: Iterable[onnx.NodeProto], replaced: Mapping[str, Replacement]
) -> Iterator[onnx.NodeProto]:
    """Nodes in order; what several replacements share is there once, before the first of them."""
    made: set[str] = set()
    for node in nodes:
        found = replaced.get(node.output[0])
        for one in found.nodes if found else (node,):
            if one.output[0] not in made:
                yield one
            made.add(one.output[0])


def _chosen(
    bits: int, flavour: Literal["plain", "ort"], product: Product
) -> Callable[[Product, int], Replacement]:
    if bits == 8 and product.settings.dynamic:
        return dynamic_int8
    if flavour == "ort":
        return _matmul_nbits
    # Blocks of int4 must fill the weight; one that they do not fill keeps 8 bits.
    fills = product.size[0] % product.settings.block == 0
    return _blocked_int4 if bits == 4 and fills else column_int8


class Blocks:
    """Numbers and scales of a weight, worked out together and given away one after the other."""

    def __init__(self, product: Product, bits: int) -> None:
        self._product, self._bits = product, bits
        self._scales: Floats | None = None

    def numbers(self) -> NDArray[np.int8]:
        """See to_blocks."""
        numbers, self._scales = self._both()
        return numbers

    def scales(self) -> Floats:
        """See to_blocks."""
        scales, self._scales = self._scales, None
        return self._both()[1] if scales is None else scales

    def _both(self) -> tuple[NDArray[np.int8], Floats]:
        product, settings = self._product, self._product.settings
        squares = settings.squares.get(product.late.layer) if self._bits == 4 else None
        return to_blocks(product.weight(), self._bits, settings.block, squares)


def _matmul_nbits(product: Product, bits: int) -> Replacement:
    """Source: onnxruntime 1.31, docs/ContribOperators.md, com.microsoft.MatMulNBits."""
    depth, width = product.size
    block = product.settings.block
    n_blocks = -(-depth // block)
    blocks = Blocks(product, bits)

    def stored() -> NDArray[np.uint8]:
        numbers: NDArray[np.uint8] = (blocks.numbers().astype(np.int16) + 2 ** (bits - 1)).astype(
            np.uint8
        )
        if bits == 4:
            numbers = np.asarray(numbers[..., ::2] | (numbers[..., 1::2] << 4), np.uint8)
        return numbers

    weights = (
        Late(
            name=f"{product.name}.{bits}bit",
            data_type=TensorProto.UINT8,
            dims=(width, n_blocks, block * bits // 8),
            make=stored,
        ),
        Late(
            name=f"{product.name}.scales",
            data_type=TensorProto.FLOAT,
            dims=(width * n_blocks,),
            make=lambda: blocks.scales().reshape(-1),
        ),
    )
    node = helper.make_node(
        "MatMulNBits",
        [product.node.input[0], *(weight.name for weight in weights)],
        list(product.node.output),
        name=product.node.name,
        domain=CONTRIB,
        K=depth,
        N=width,
        bits=bits,
        block_size=block,
        accuracy_level=product.settings.accuracy,
    )
    return Replacement(nodes=(node,), weights=weights)


def _blocked_int4(product: Product, bits: int) -> Replacement:
    """One scale for every block of a column."""
    depth, width = product.size
    block = product.settings.block
    blocks = Blocks(product, bits)

    def packed() -> NDArray[np.uint8]:
        flat = blocks.numbers().reshape(width, depth).T.reshape(-1).astype(np.uint8) & 0xF
        whole = np.append(flat, np.zeros(flat.size % 2, np.uint8))
        return np.asarray(whole[::2] | (whole[1::2] << 4), np.uint8)

    weights = (
        Late(
            name=f"{product.name}.4bit",
            data_type=TensorProto.INT4,
            dims=(depth, width),
            make=packed,
        ),
        Late(
            name=f"{product.name}.scales",
            data_type=TensorProto.FLOAT,
            dims=(depth // block, width),
            make=lambda: blocks.scales().T,
        ),
    )
    return dequantised(product, weights, {"axis": 0, "block_size": block})


def _declare(model: onnx.ModelProto, nodes: list[onnx.NodeProto]) -> None:
    """Name the operator sets that the new nodes need."""
    operators = {node.op_type for node in nodes}
    domains = {entry.domain for entry in model.opset_import}
    if "MatMulNBits" in operators and CONTRIB not in domains:
        model.opset_import.append(helper.make_opsetid(CONTRIB, 1))
    if any(a.name == "block_size" for n in nodes if n.domain == "" for a in n.attribute):
        for entry in model.opset_import:
            if entry.domain == "":
                entry.version = max(entry.version, OPSET_INT4)
        model.ir_version = max(model.ir_version, 10)
