"""Qwen2-VL as three graphs of the onnx-community convention."""

from __future__ import annotations

from typing import Any

from edgeval.export.graphspec import Fixed, Flavour, GraphSpec
from edgeval.export.qwen_proof import H, T, W, qwen_graphs, qwen_inputs
from edgeval.mrope import Grid


def graphs(model: Any, flavour: Flavour) -> tuple[GraphSpec, ...]:
    """The three graphs of a loaded model."""
    return qwen_graphs(model, flavour, grid_port="grid_thw")


def fixed_inputs(model: Any) -> Fixed:
    """A clip in one run of tokens."""
    merge = model.config.vision_config.spatial_merge_size
    return qwen_inputs(model, [Grid(t=T, h=H // merge, w=W // merge)])
