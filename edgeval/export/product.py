"""A MatMul with a constant right side, how it is to be quantised, and what takes its place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper

from edgeval.export.late import Late

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """``block``: weights a scale; ``accuracy``: of MatMulNBits, what it multiplies in.

    1 float32, 2 float16, 3 bfloat16, 4 int8 (fastest; activations are rounded block by block);
    0 lets the kernel choose. ``squares``: mean squares of the inputs of layers by name; scales of 4
    bits are chosen for those (edgeval/export/calibration.py). ``dynamic``: int8 rounds activations
    too, by one scale of the whole call (edgeval/export/columns.py). ``head``: bits of the output
    layer under q4.
    """

    block: int = 32
    accuracy: int = 4
    squares: Mapping[str, Floats] = field(default_factory=dict)
    dynamic: bool = False
    head: Literal[4, 8] = 8


DEFAULT = Settings()


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """One MatMul with a constant right side, W [K, N]."""

    node: onnx.NodeProto
    late: Late
    settings: Settings

    @property
    def name(self) -> str:
        """Of the weight."""
        return self.late.name

    @property
    def size(self) -> tuple[int, int]:
        """(K, N)."""
        depth, width = self.late.dims
        return depth, width

    def weight(self) -> Floats:
        """W, made anew."""
        return np.asarray(self.late.make(), np.float32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Replacement:
    """What stands in the place of a MatMul and its weight."""

    nodes: tuple[onnx.NodeProto, ...]
    weights: tuple[Late, ...]


def dequantised(
    product: Product, weights: tuple[Late, ...], attributes: dict[str, int]
) -> Replacement:
    """A DequantizeLinear of the weight before the product."""
    unpacked = f"{product.name}.float"
    node = onnx.NodeProto()
    node.CopyFrom(product.node)
    node.input[1] = unpacked
    dequantise = helper.make_node(
        "DequantizeLinear",
        [weight.name for weight in weights],
        [unpacked],
        name=f"{product.node.name}.dequantise",
        **attributes,
    )
    return Replacement(nodes=(dequantise, node), weights=weights)
