"""Qwen2.5-VL as three graphs of the onnx-community convention."""

from __future__ import annotations

from typing import Any

import torch

from edgeval.export.graphspec import Fixed, Flavour, GraphSpec
from edgeval.export.qwen_proof import H, T, W, qwen_graphs, qwen_inputs
from edgeval.mrope import Grid

PLACES_APART = 1.6


def graphs(model: Any, flavour: Flavour) -> tuple[GraphSpec, ...]:
    """The three graphs of a loaded model."""
    return qwen_graphs(model, flavour, grid_port="image_grid_thw")


def fixed_inputs(model: Any) -> Fixed:
    """A clip in one run of tokens, its frame pairs some time apart."""
    vision = model.config.vision_config
    merge, rate = vision.spatial_merge_size, int(vision.tokens_per_second)
    # Times that do not pass the picture's sides: behind those, transformers' forward() and its
    # generate() count on differently, and the proof steps with the former.
    seconds = PLACES_APART / rate
    run = Grid(t=T, h=H // merge, w=W // merge, seconds=seconds, rate=rate)
    return qwen_inputs(model, [run], second_per_grid_ts=torch.tensor([seconds]))
