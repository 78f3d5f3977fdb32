"""Qwen3-VL as three graphs of the onnx-community convention, with features for more layers."""

from __future__ import annotations

from typing import Any

from edgeval.export.graphspec import Fixed, Flavour, GraphSpec
from edgeval.export.qwen_proof import H, T, W, qwen_graphs, qwen_inputs
from edgeval.mrope import Grid


def graphs(model: Any, flavour: Flavour) -> tuple[GraphSpec, ...]:
    """The three graphs of a loaded model."""
    n_deep = len(model.config.vision_config.deepstack_visual_indexes)
    return qwen_graphs(model, flavour, grid_port="image_grid_thw", n_deep=n_deep)


def fixed_inputs(model: Any) -> Fixed:
    """A clip with a run of tokens for each frame pair."""
    merge = model.config.vision_config.spatial_merge_size
    return qwen_inputs(model, [Grid(t=1, h=H // merge, w=W // merge)] * T)
