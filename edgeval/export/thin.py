"""A model that computes in float32 and keeps its large weights as its file has them.

Weights of linear layers and the table of tokens stay mapped in their own type, and are float32 only
while their layer computes: the same numbers in half the memory. A model that is small anyway is
made float32 once, which is faster.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

# Of all weights together; twice as much is no matter on a machine that exports.
SMALL_BYTES = 1 << 30


def thin(model: nn.Module, table: nn.Module, *, small: int = SMALL_BYTES) -> None:
    """Make everything in ``model`` float32 but its linear weights and the ``table`` of tokens.

    Those are float32 when they are used. All of it where its weights have at most ``small`` bytes.
    """
    tensors = [*model.parameters(), *model.buffers()]
    large: set[int] = set()
    if sum(tensor.nbytes for tensor in tensors) > small:
        large.add(id(table.weight))
        table.register_forward_hook(_widened)
        for module in model.modules():
            if isinstance(module, nn.Linear):
                large.add(id(module.weight))
                if module.weight.dtype != torch.float32:
                    _widened_in_use(module)
    for tensor in tensors:
        if tensor.is_floating_point() and id(tensor) not in large:
            tensor.data = tensor.data.float()


def emptied(model: nn.Module) -> None:
    """Let go of every weight, whoever still holds the model or a parameter of it.

    The last graph that was traced is held by rules of onnxscript (0.7), and one parameter of it
    keeps a file of gigabytes mapped.
    """
    for tensor in [*model.parameters(), *model.buffers()]:
        tensor.data = tensor.data.new_empty(0)


def _widened(module: nn.Module, inputs: Any, output: Tensor) -> Tensor:
    """Rows of a table in float32."""
    del module, inputs
    return output.float()


def _widened_in_use(linear: nn.Linear) -> None:
    narrow = linear.weight.data

    def widen(module: nn.Module, inputs: Any) -> None:
        del module, inputs
        linear.weight.data = narrow.float()

    def restore(module: nn.Module, inputs: Any, output: Tensor) -> None:
        del module, inputs, output
        linear.weight.data = narrow

    linear.register_forward_pre_hook(widen)
    linear.register_forward_hook(restore, always_call=True)
