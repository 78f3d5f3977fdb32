"""What an exporter gives: graphs to trace, and the fixed inputs they are proved on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from edgeval.processor import Features, Floats, gathered

Flavour = Literal["plain", "ort"]
Axes = Mapping[int, str]
BATCH: Axes = {0: "batch_size"}
TOKENS: Axes = {**BATCH, 1: "sequence_length"}


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphSpec:
    """One graph to trace.

    Module, example arguments, names, and the free axes of each port by name.
    """

    name: str
    module: nn.Module
    arguments: tuple[Tensor, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    input_axes: tuple[Axes, ...]
    output_axes: tuple[Axes, ...]
    n_variadic: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Fixed:
    """Inputs for a proof, the same for every run.

    ``feeds``: of the vision graph; ``prompt``: token ids, ``visual`` [S] where image features
    stand; ``places``: positions [axes, S], None for 0, 1, 2 ...; ``torch``: what the checkpoint's
    own forward takes besides input_ids. ``gather``: see Processor.
    """

    feeds: Mapping[str, NDArray[np.generic]]
    prompt: list[int]
    visual: NDArray[np.bool_]
    torch: Mapping[str, Any]
    places: NDArray[np.int64] | None = None
    gather: Callable[[Sequence[Mapping[str, Floats]]], Features] = gathered
