"""Modules to trace without their large weights.

While a graph is traced, the weights of linear layers and the table of tokens are NaN that take no
memory: nothing can be computed from them unseen, and the graph names them to be filled in later.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from onnx import TensorProto
from torch import Tensor, nn

from edgeval.export.decoder import Embed
from edgeval.export.late import Late

NAN = 0x7FC00000


class Product(nn.Module):
    """A linear layer with its weight the way round that MatMul takes, [in, out]."""

    def __init__(self, weight: Tensor, bias: Tensor | None) -> None:
        super().__init__()
        self.weight = nn.Parameter(weight, requires_grad=False)
        self.bias = bias

    def forward(self, x: Tensor) -> Tensor:
        """Trace target."""
        # torch.matmul would become a product of two axes between two changes of shape.
        out: Tensor = torch.onnx.ops.symbolic(
            "::MatMul",
            [x, self.weight],
            dtype=x.dtype,
            shape=[*x.shape[:-1], self.weight.shape[1]],
        )
        return out if self.bias is None else out + self.bias


class Table(nn.Module):
    """The table of tokens."""

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        self.weight = nn.Parameter(weight, requires_grad=False)

    def forward(self, ids: Tensor) -> Tensor:
        """Trace target."""
        return nn.functional.embedding(ids, self.weight)


@contextmanager
def hollowed(module: nn.Module, names: Mapping[nn.Module, str]) -> Iterator[dict[str, Late]]:
    """``module`` with hollow weights inside the block; gives those weights by their names there.

    ``names``: what the checkpoint calls its layers. Other weights are small, and graphs compute
    with them.
    """
    replaced: dict[tuple[nn.Module, str], tuple[nn.Module, Late]] = {}
    late: dict[str, Late] = {}
    # A module may hang in two places and goes by either name.
    for path, parent in list(module.named_modules(remove_duplicate=False)):
        for name, child in list(parent.named_children()):
            full = ".".join(part for part in (path, name, "weight") if part)
            if (parent, name) not in replaced:
                hollow = _hollow_twin(child, parent, len(replaced))
                if hollow is None:
                    continue
                weight = _late(child, names.get(child, full.removesuffix(".weight")))
                setattr(parent, name, hollow)
                replaced[parent, name] = child, weight
            late[full] = replace(replaced[parent, name][1], name=full)
    try:
        yield late
    finally:
        for (parent, name), (child, _) in replaced.items():
            setattr(parent, name, child)


def _hollow_twin(child: nn.Module, parent: nn.Module, number: int) -> nn.Module | None:
    """What stands in the place of a layer; None where the layer stays."""
    # NaN of a bit pattern of their own, so that no two weights are taken for the same.
    numbers = torch.tensor([NAN + number], dtype=torch.int32).view(torch.float32)
    if isinstance(child, nn.Linear):
        return Product(numbers.expand(child.in_features, child.out_features), child.bias)
    if isinstance(child, nn.Embedding) and isinstance(parent, Embed):
        return Table(numbers.expand(child.num_embeddings, child.embedding_dim))
    return None


def _late(layer: nn.Module, name: str) -> Late:
    """The weight of a layer, the way round that its twin has it."""
    weight = cast(Tensor, layer.weight)
    turned = isinstance(layer, nn.Linear)

    def make() -> NDArray[np.generic]:
        numbers: NDArray[np.generic] = weight.detach().float().numpy()
        return np.ascontiguousarray(numbers.T if turned else numbers)

    rows, columns = weight.shape
    return Late(
        name="",
        data_type=TensorProto.FLOAT,
        dims=(columns, rows) if turned else (rows, columns),
        make=make,
        layer=name,
    )
