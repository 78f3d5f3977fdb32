"""Weights in 8 bits with one scale a column; and activations too, by a scale of the whole call.

The second is onnxruntime's ``quantize_dynamic`` with ``per_channel`` (1.31), weight by weight:
DynamicQuantizeLinear, MatMulInteger, and the scales of both sides after it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper

from edgeval.export.late import Late
from edgeval.export.product import Floats, Product, Replacement, dequantised


def column_int8(product: Product, bits: int) -> Replacement:
    """Activations as they are."""
    del bits
    return dequantised(product, _weights(product), {"axis": 1})


def dynamic_int8(product: Product, bits: int) -> Replacement:
    """Activations from 0 to 255 between the least and the largest of the call.

    Products of one input name its rounded form alike, so that it need be there only once.
    """
    del bits
    weights = _weights(product)
    _, width = product.size
    zeros = Late(
        name=f"{product.name}.zeros",
        data_type=TensorProto.INT8,
        dims=(width,),
        make=lambda: np.zeros(width, np.int8),
    )
    given, made = product.node.input[0], product.node.output[0]
    rounded = [f"{given}.{part}" for part in ("8bit", "scale", "zero")]
    steps: Sequence[tuple[str, list[str], str, dict[str, int]]] = (
        ("MatMulInteger", [rounded[0], weights[0].name, rounded[2], zeros.name], "whole", {}),
        ("Cast", [f"{made}.whole"], "cast", {"to": TensorProto.FLOAT}),
        ("Mul", [rounded[1], weights[1].name], "scale", {}),
    )
    nodes: list[onnx.NodeProto] = [
        helper.make_node("DynamicQuantizeLinear", [given], rounded, name=f"{given}.quantise"),
        *(
            helper.make_node(op, inputs, [f"{made}.{name}"], name=f"{made}.{name}", **attributes)
            for op, inputs, name, attributes in steps
        ),
        helper.make_node("Mul", [f"{made}.cast", f"{made}.scale"], [made], name=product.node.name),
    ]
    return Replacement(nodes=tuple(nodes), weights=(*weights, zeros))


def _weights(product: Product) -> tuple[Late, Late]:
    """Numbers [K, N] from -127, and scales [N]."""

    def scales() -> Floats:
        largest = (np.abs(product.weight()).max(axis=0) / np.float32(127)).astype(np.float32)
        return np.asarray(np.where(largest == 0, np.float32(1), largest), np.float32)

    def numbers() -> NDArray[np.int8]:
        return np.asarray(np.rint(product.weight() / scales()), np.int8)

    depth, width = product.size
    return (
        Late(
            name=f"{product.name}.8bit",
            data_type=TensorProto.INT8,
            dims=(depth, width),
            make=numbers,
        ),
        Late(
            name=f"{product.name}.scales",
            data_type=TensorProto.FLOAT,
            dims=(width,),
            make=scales,
        ),
    )
