"""A graph whose large weights are made only when they are written, one at a time.

A checkpoint of gigabytes becomes graphs in the memory of its largest layer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

# protobuf stops at 2 GiB a message; weights go to a file beside the graph well before.
MAX_INLINE_BYTES = 1_500_000_000
# Smaller weights stay in the graph; larger ones begin at a page, so that they can be mapped.
MIN_EXTERNAL_BYTES, PAGE = 1024, 4096
BITS = {TensorProto.INT4: 4, TensorProto.FLOAT: 32, TensorProto.FLOAT16: 16}


@dataclass(frozen=True, slots=True, kw_only=True)
class Late:
    """A weight to come: its ONNX type and shape, and what makes its numbers.

    INT4 is made as bytes of two numbers each. ``layer``: what the checkpoint calls the layer.
    """

    name: str
    data_type: int
    dims: tuple[int, ...]
    make: Callable[[], NDArray[np.generic]]
    layer: str = ""

    @property
    def n_bytes(self) -> int:
        """Bytes when it is written."""
        bits = (
            BITS.get(self.data_type) or 8 * helper.tensor_dtype_to_np_dtype(self.data_type).itemsize
        )
        return (int(np.prod(self.dims, dtype=np.int64)) * bits + 7) // 8

    def header(self) -> TensorProto:
        """The initializer without its bytes."""
        return TensorProto(name=self.name, data_type=self.data_type, dims=self.dims)

    def raw(self) -> bytes:
        """Its bytes."""
        return np.ascontiguousarray(self.make()).tobytes()


@dataclass(frozen=True, slots=True, kw_only=True)
class Traced:
    """A graph, and those of its initializers that have no bytes yet, by name."""

    model: Any
    late: dict[str, Late]

    @classmethod
    def of(cls, model: onnx.ModelProto) -> Traced:
        """A whole graph, whose matrices of floats count as late."""
        late = {}
        for tensor in model.graph.initializer:
            if tensor.data_type == TensorProto.FLOAT and len(tensor.dims) == 2:
                array = numpy_helper.to_array(tensor)
                late[tensor.name] = Late(
                    name=tensor.name,
                    data_type=tensor.data_type,
                    dims=tuple(tensor.dims),
                    make=lambda array=array: array,  # type: ignore[misc]
                )
        return cls(model=model, late=late)

    def with_weights(self, weights: Iterator[TensorProto | Late]) -> Traced:
        """The same graph with other initializers; those that no node reads are left out."""
        graph = self.model.graph
        # A weight may be an output as it is (LLaVA-OneVision's newline).
        used = {name for node in graph.node for name in node.input}
        used |= {port.name for port in graph.output}
        kept = {weight.name: weight for weight in weights if weight.name in used}
        late = {name: weight for name, weight in kept.items() if isinstance(weight, Late)}
        del graph.initializer[:]
        graph.initializer.extend(
            weight.header() if isinstance(weight, Late) else weight for weight in kept.values()
        )
        return Traced(model=self.model, late=late)

    def weights(self) -> Iterator[TensorProto | Late]:
        """Every initializer in order."""
        for tensor in list(self.model.graph.initializer):
            yield self.late.get(tensor.name, tensor)

    def whole(self) -> onnx.ModelProto:
        """The graph with all bytes inside."""
        model = onnx.ModelProto()
        model.CopyFrom(self.model)
        for tensor in model.graph.initializer:
            if tensor.name in self.late:
                tensor.raw_data = self.late[tensor.name].raw()
        return model


def save(traced: Traced, path: Path) -> tuple[Path, ...]:
    """Write a graph, and its weights beside it when they are too large for one file.

    All paths written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    data = path.with_name(path.name + "_data")
    path.unlink(missing_ok=True)
    data.unlink(missing_ok=True)
    if sum(weight.n_bytes for weight in traced.late.values()) < MAX_INLINE_BYTES:
        model = traced.whole()
        onnx.checker.check_model(model)
        path.write_bytes(model.SerializeToString(deterministic=True))
        return (path,)
    model = onnx.ModelProto()
    model.CopyFrom(traced.model)
    with data.open("wb") as file:
        for tensor in model.graph.initializer:
            weight = traced.late.get(tensor.name)
            if weight is None:
                continue
            if weight.n_bytes < MIN_EXTERNAL_BYTES:
                tensor.raw_data = weight.raw()
                continue
            file.write(b"\0" * (-file.tell() % PAGE))
            offset, raw = file.tell(), weight.raw()
            file.write(raw)
            _point(tensor, location=data.name, offset=offset, length=len(raw))
    path.write_bytes(model.SerializeToString(deterministic=True))
    onnx.checker.check_model(str(path))
    return (path, data)


def _point(tensor: TensorProto, **where: str | int) -> None:
    """Say where the bytes of an initializer lie."""
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in where.items():
        tensor.external_data.append(onnx.StringStringEntryProto(key=key, value=str(value)))
