"""Qwen2.5-VL as three graphs of the onnx-community convention."""

from __future__ import annotations

from typing import Any

import torch

from edgeval.export.graphspec import Fixed, Flavour, GraphSpec
from edgeval.export.qwen_proof import SECONDS, H, T, W, qwen_graphs, qwen_inputs
from edgeval.mrope import Grid


def graphs(model: Any, flavour: Flavour) -> tuple[GraphSpec, ...]:
    """The three graphs of a loaded model."""
    return qwen_graphs(model, flavour, grid_port="image_grid_thw")


def fixed_inputs(model: Any) -> Fixed:
    """A clip in one run of tokens, its frame pairs some time apart."""
    vision = model.config.vision_config
    merge, rate = vision.spatial_merge_size, int(vision.tokens_per_second)
    run = Grid(t=T, h=H // merge, w=W // merge, seconds=SECONDS, rate=rate)
    return qwen_inputs(model, [run], second_per_grid_ts=torch.tensor([SECONDS]))
