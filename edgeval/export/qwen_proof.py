"""What every Qwen-VL export shares besides its tower: checks, the decoder, fixed inputs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from edgeval import mrope
from edgeval.errors import ManifestError
from edgeval.export.decoder import Decoder, decoder_graph, embed_graph
from edgeval.export.graphspec import Fixed, Flavour, GraphSpec
from edgeval.export.qwen_vision import vision_graph
from edgeval.mrope import Grid

T, H, W, N_TEXT = 3, 8, 12, 12


def qwen_graphs(
    model: Any, flavour: Flavour, *, grid_port: str, n_deep: int = 0
) -> tuple[GraphSpec, ...]:
    """The three graphs. ManifestError for a window over text, which no graph here has."""
    text = model.config.text_config
    if "sliding_attention" in (getattr(text, "layer_types", None) or ()):
        raise ManifestError(
            "checkpoint: got sliding-window attention in its text part; wants full attention"
        )
    decoder = Decoder(model.model.language_model, model.lm_head, flavour, n_deep)
    return (
        vision_graph(model, grid_port=grid_port),
        embed_graph(model),
        decoder_graph(decoder, text, n_axes=mrope.AXES),
    )


def qwen_inputs(model: Any, runs: Sequence[Grid], **extra: torch.Tensor) -> Fixed:
    """Noise patches and a prompt whose image tokens lie in ``runs``, text between them."""
    config, vision = model.config, model.config.vision_config
    generator = np.random.Generator(np.random.Philox(0))
    width = 3 * vision.temporal_patch_size * vision.patch_size**2
    pixels = generator.standard_normal((T * H * W, width), np.float32).clip(-2, 2)
    text = generator.integers(0, config.text_config.vocab_size, (len(runs) + 1, N_TEXT))
    text[np.isin(text, (config.image_token_id, config.video_token_id))] = 0
    prompt: list[int] = []
    for words, run in zip(text[:-1].tolist(), runs, strict=True):
        prompt += [*words, *([config.video_token_id] * (run.t * run.h * run.w))]
    prompt += text[-1].tolist()
    visual = np.asarray(prompt) == config.video_token_id
    grid = np.array([[T, H, W]], np.int64)
    return Fixed(
        feeds={"pixel_values": pixels, "grid_thw": grid, "image_grid_thw": grid},
        prompt=prompt,
        visual=visual,
        places=mrope.positions(visual, runs),
        torch={
            "pixel_values_videos": torch.from_numpy(pixels),
            "video_grid_thw": torch.from_numpy(grid),
            "mm_token_type_ids": torch.from_numpy(2 * visual.astype(np.int64))[None],
            **extra,
        },
    )
