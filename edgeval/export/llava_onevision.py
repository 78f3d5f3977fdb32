"""LLaVA-OneVision (the layout of transformers) as three graphs of the onnx-community convention.

The arithmetic is that of transformers 5.23, modeling_llava_onevision.py, get_video_features: frames
are pooled in the graph, and the row behind the last frame is its second output.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import torch
from torch import Tensor, nn

from edgeval.errors import ManifestError
from edgeval.export.frame_graphs import frame_graphs, frame_inputs
from edgeval.export.graphspec import Fixed, Flavour, GraphSpec
from edgeval.families.llava_onevision import NEWLINE, with_newline

TOWER = "siglip_vision_model"


class Vision(nn.Module):
    """pixel_values [n,3,S,S] -> image_features [n, tokens, hidden], image_newline [n, hidden]."""

    halving: Tensor

    def __init__(self, model: Any) -> None:
        super().__init__()
        config = model.config
        self.tower = model.model.vision_tower
        self.projector = model.model.multi_modal_projector
        self.newline = model.model.image_newline
        n_layers = len(self.tower.encoder.layers)
        layers = config.vision_feature_layer
        self.taken = [
            layer % (n_layers + 1) for layer in ([layers] if isinstance(layers, int) else layers)
        ]
        self.n_skipped = 1 if config.vision_feature_select_strategy == "default" else 0
        side = config.vision_config.image_size // config.vision_config.patch_size
        # Bilinear halving of a side as a matrix: the weights are torch's own, and no runtime's
        # Resize can round them in another way.
        one_by_one = torch.eye(side)[None]
        half = nn.functional.interpolate(one_by_one, size=math.ceil(side / 2), mode="linear")
        self.register_buffer("halving", half[0].T.contiguous())

    def forward(self, pixel_values: Tensor) -> tuple[Tensor, Tensor]:
        """Trace target."""
        states = [self.tower.embeddings(pixel_values)]
        for layer in self.tower.encoder.layers[: max(self.taken)]:
            states.append(layer(states[-1], attention_mask=None))
        taken = torch.cat([states[at] for at in self.taken], dim=-1)[:, self.n_skipped :]
        # A row a frame, all alike: an output that no node makes is not every runtime's idea.
        newline = self.newline.expand(pixel_values.shape[0], -1)
        return self._pooled(self.projector(taken)), newline

    def _pooled(self, features: Tensor) -> Tensor:
        """[n, side * side, hidden] with each side halved."""
        # The matrix stands on the left: the quantiser takes those on the right for weights.
        few, side = self.halving.shape
        n, _, hidden = features.shape
        rows = torch.matmul(self.halving, features.reshape(n, side, side * hidden))
        both = torch.matmul(self.halving, rows.reshape(n, few, side, hidden))
        return both.reshape(n, few * few, hidden)


def graphs(model: Any, flavour: Flavour) -> tuple[GraphSpec, ...]:
    """The three graphs of a loaded model. ManifestError for another tower than SigLIP's."""
    kind = model.config.vision_config.model_type
    if kind != TOWER:
        raise ManifestError(f"checkpoint: got a vision tower {kind!r}; wants {TOWER!r}")
    return frame_graphs(model, Vision(model), flavour, others=(NEWLINE,))


def fixed_inputs(model: Any) -> Fixed:
    """Frames in one run of tokens with the newline behind them."""
    vision = model.config.vision_config
    few = math.ceil(vision.image_size // vision.patch_size / 2)
    fixed = frame_inputs(
        model,
        token=model.config.video_token_id,
        n_tokens=few * few,
        port="pixel_values_videos",
        behind=1,
    )
    return dataclasses.replace(fixed, gather=with_newline)
