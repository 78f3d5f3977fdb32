"""SmolVLM and SmolVLM2 as three graphs of the onnx-community convention.

Idefics3, which the first SmolVLM was published as, is the same network. The arithmetic is that of
transformers 5.23, modeling_smolvlm.py and modeling_llama.py, with what a graph cannot do replaced:
own additive masks, own integer position ids, no dropping of all-zero images, an explicit cache.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from edgeval.export.decoder import NEVER, Decoder, decoder_graph, embed_graph
from edgeval.export.graphspec import BATCH, Axes, Fixed, Flavour, GraphSpec

IMAGES: Axes = {**BATCH, 1: "num_images"}
N_FRAMES, N_TEXT = 3, 40


class Vision(nn.Module):
    """pixel_values [B,N,3,H,W], pixel_attention_mask bool [B,N,H,W] -> features.

    ``image_features`` is [B * N, tokens, hidden].
    """

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.tower = model.model.vision_model
        self.connector = model.model.connector
        self.patch = int(model.config.vision_config.patch_size)

    def forward(self, pixel_values: Tensor, pixel_attention_mask: Tensor) -> Tensor:
        """Trace target."""
        b, n, c, h, w = pixel_values.shape
        rows, columns = h // self.patch, w // self.patch
        blocks = pixel_attention_mask.reshape(b * n, rows, self.patch, columns, self.patch)
        seen = blocks.to(torch.int64).sum(dim=(2, 4)) > 0
        embeddings = self.tower.embeddings
        hidden = (
            embeddings.patch_embedding(pixel_values.reshape(b * n, c, h, w))
            .flatten(2)
            .transpose(1, 2)
        )
        hidden = hidden + embeddings.position_embedding(self._positions(seen, rows, columns))
        mask = torch.where(seen.reshape(b * n, 1, 1, -1), 0.0, NEVER)
        hidden = self.tower.encoder(inputs_embeds=hidden, attention_mask=mask).last_hidden_state
        features: Tensor = self.connector(self.tower.post_layernorm(hidden))
        return features

    def _positions(self, seen: Tensor, rows: int, columns: int) -> Tensor:
        """Position id of each patch.

        Its fractional place in the seen area, put in one of side x side buckets.
        """
        side = int(self.tower.embeddings.num_patches_per_side)
        edges = torch.arange(1 / side, 1.0, 1 / side)

        def bucket(length: int, n_seen: Tensor) -> Tensor:
            place = torch.arange(length, dtype=torch.float32)[None, :] * (1.0 / n_seen)[:, None]
            return (place.clamp(max=1.0 - 1e-6)[..., None] >= edges).to(torch.int64).sum(-1)

        row = bucket(rows, seen[:, :, 0].to(torch.int64).sum(1))
        column = bucket(columns, seen[:, 0, :].to(torch.int64).sum(1))
        ids = (row[:, :, None] * side + column[:, None, :]).reshape(seen.shape[0], -1)
        return torch.where(seen.reshape(seen.shape[0], -1), ids, torch.zeros_like(ids))


def graphs(model: Any, flavour: Flavour) -> tuple[GraphSpec, ...]:
    """The three graphs of a loaded model."""
    side = int(model.config.vision_config.image_size)
    pixels = torch.randn(2, 2, 3, side, side, generator=torch.Generator().manual_seed(0))
    decoder = Decoder(model.model.text_model, model.lm_head, flavour)
    return (
        GraphSpec(
            name="vision_encoder",
            module=Vision(model),
            arguments=(pixels, torch.ones(2, 2, side, side, dtype=torch.bool)),
            inputs=("pixel_values", "pixel_attention_mask"),
            outputs=("image_features",),
            input_axes=(IMAGES, IMAGES),
            output_axes=({0: "num_images"},),
        ),
        embed_graph(model),
        decoder_graph(decoder, model.config.text_config),
    )


def fixed_inputs(model: Any) -> Fixed:
    """Noise frames [1, N, 3, S, S] and a prompt with their image tokens, the same for every run."""
    config, vision = model.config, model.config.vision_config
    generator = np.random.Generator(np.random.Philox(0))
    side = int(vision.image_size)
    pixels = generator.standard_normal((1, N_FRAMES, 3, side, side), np.float32).clip(-1, 1)
    n_image = (side // vision.patch_size) ** 2 // config.scale_factor**2
    text = generator.integers(0, config.text_config.vocab_size, (N_FRAMES + 1, N_TEXT // 4))
    text[text == config.image_token_id] = 0
    prompt: list[int] = []
    for words in text[:-1]:
        prompt += [*words.tolist(), *([config.image_token_id] * n_image)]
    prompt += text[-1].tolist()
    mask = np.ones((*pixels.shape[:2], side, side), np.bool_)
    return Fixed(
        feeds={"pixel_values": pixels, "pixel_attention_mask": mask},
        prompt=prompt,
        visual=np.asarray(prompt) == config.image_token_id,
        torch={"pixel_values": torch.from_numpy(pixels)},
    )
