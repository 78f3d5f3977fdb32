"""InternVL (the layout of transformers) as three graphs of the onnx-community convention.

The arithmetic is that of transformers 5.23, modeling_internvl.py: the tower's layers are walked
here, so that the layer to take features from is a place in the graph and not a list of states.
"""

from __future__ import annotations

import math
from typing import Any

from torch import Tensor, nn

from edgeval.errors import ManifestError
from edgeval.export.frame_graphs import frame_graphs, frame_inputs, frame_size
from edgeval.export.graphspec import Fixed, Flavour, GraphSpec


class Vision(nn.Module):
    """pixel_values [n,3,S,S] -> image_features [n, tokens, hidden]."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        config = model.config
        self.inner = model.model
        self.tower = model.model.vision_tower
        n_layers = len(self.tower.encoder.layer)
        layer = config.vision_feature_layer
        if not isinstance(layer, int) or not -n_layers - 1 <= layer <= n_layers:
            raise ManifestError(
                f"checkpoint: got vision_feature_layer {layer!r}; wants one of {n_layers} layers"
            )
        self.n_walked = layer % (n_layers + 1)
        # Only the last state of all has passed the tower's own norm.
        self.normed = layer == -1
        self.n_skipped = 1 if config.vision_feature_select_strategy == "default" else 0

    def forward(self, pixel_values: Tensor) -> Tensor:
        """Trace target."""
        hidden = self.tower.embeddings(pixel_values)
        for layer in self.tower.encoder.layer[: self.n_walked]:
            hidden = layer(hidden)
        if self.normed:
            hidden = self.tower.layernorm(hidden)
        hidden = hidden[:, self.n_skipped :]
        side = math.isqrt(hidden.shape[1])
        hidden = hidden.reshape(hidden.shape[0], side, side, hidden.shape[2])
        hidden = self.inner.pixel_shuffle(
            hidden, scale_factor=self.inner.config.downsample_ratio
        ).flatten(1, 2)
        features: Tensor = self.inner.multi_modal_projector(hidden)
        return features


def graphs(model: Any, flavour: Flavour) -> tuple[GraphSpec, ...]:
    """The three graphs of a loaded model."""
    return frame_graphs(model, Vision(model), flavour)


def fixed_inputs(model: Any) -> Fixed:
    """Frames with words between them."""
    config = model.config
    height, width = frame_size(model)
    patch = config.vision_config.patch_size
    rows, columns = (patch, patch) if isinstance(patch, int) else patch
    n_patches = (height // rows) * (width // columns)
    return frame_inputs(
        model,
        token=config.image_token_id,
        n_tokens=int(n_patches * config.downsample_ratio**2),
        port="pixel_values",
    )
