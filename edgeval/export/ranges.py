"""How large numbers get in a checkpoint: what decides which layers float16 cannot hold."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

# float16 ends at 65504. Other clips and questions may go four times as far as the fixed inputs.
LARGEST = 65504 / 4
# Scores before the softmax: above this, float16's steps (1/32) are seen in the probabilities.
LARGEST_SCORE = 64.0
MASKED = -1e30


@dataclass(slots=True)
class Ranges:
    """Largest absolute numbers seen: into and out of every linear layer by name, and of scores."""

    layers: dict[str, float] = field(default_factory=dict)
    score: float = 0.0

    def kept(self) -> Kept:
        """What is to stay in float32."""
        return Kept(
            layers=frozenset(name for name, most in self.layers.items() if most > LARGEST),
            scores=self.score > LARGEST_SCORE,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """Linear layers whose products stay in float32, and whether those of queries and keys do."""

    layers: frozenset[str] = frozenset()
    scores: bool = False


@contextmanager
def watched(model: nn.Module) -> Iterator[Ranges]:
    """Note the ranges of everything that the model computes inside the block."""
    ranges = Ranges()
    hooks = [
        module.register_forward_hook(_note(ranges, name))
        for name, module in model.named_modules()
        if isinstance(module, nn.Linear)
    ]
    try:
        with _Scores(ranges):
            yield ranges
    finally:
        for hook in hooks:
            hook.remove()


def _note(ranges: Ranges, name: str) -> Any:
    def hook(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        del module
        most = max(_largest(inputs[0]), _largest(output))
        ranges.layers[name] = max(ranges.layers.get(name, 0.0), most)

    return hook


def _largest(numbers: Tensor) -> float:
    """The largest absolute value; what is no number is infinite."""
    return float(numbers.abs().nan_to_num(nan=torch.inf).max())


class _Scores(TorchFunctionMode):
    """Sees what every softmax is given."""

    def __init__(self, ranges: Ranges) -> None:
        super().__init__()
        self._ranges = ranges

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func in (torch.softmax, nn.functional.softmax, Tensor.softmax):
            scores = args[0]
            most = _largest(scores.masked_fill(scores < MASKED, 0))
            self._ranges.score = max(self._ranges.score, most)
        return func(*args, **(kwargs or {}))
