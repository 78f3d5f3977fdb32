"""What exports of families with frames of one size share: the graphs round the tower, the proof."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn

from edgeval.errors import ManifestError
from edgeval.export.decoder import Decoder, decoder_graph, embed_graph
from edgeval.export.graphspec import Fixed, Flavour, GraphSpec

TEXTS = ("llama", "qwen2", "qwen3")
N_FRAMES, N_TEXT = 3, 16


def frame_graphs(
    model: Any, tower: nn.Module, flavour: Flavour, *, others: tuple[str, ...] = ()
) -> tuple[GraphSpec, ...]:
    """The three graphs; ``tower``: pixel_values [n,3,S,S] -> image_features and ``others``, n each.

    ManifestError for a text part that no graph here has.
    """
    text = model.config.text_config
    windows = "sliding_attention" in (getattr(text, "layer_types", None) or ())
    if text.model_type not in TEXTS or windows:
        raise ManifestError(
            f"checkpoint: got a text part of model_type {text.model_type!r}"
            f"{' with sliding windows' if windows else ''}; wants {', '.join(TEXTS)} with full "
            "attention"
        )
    height, width = frame_size(model)
    pixels = torch.randn(2, 3, height, width, generator=torch.Generator().manual_seed(0))
    vision = GraphSpec(
        name="vision_encoder",
        module=tower,
        arguments=(pixels,),
        inputs=("pixel_values",),
        outputs=("image_features", *others),
        input_axes=({0: "num_images"},),
        output_axes=({0: "num_images"},) * (1 + len(others)),
    )
    decoder = Decoder(model.model.language_model, model.lm_head, flavour)
    return vision, embed_graph(model), decoder_graph(decoder, text)


def frame_size(model: Any) -> tuple[int, int]:
    """(height, width) in pixels of what the tower sees."""
    size = model.config.vision_config.image_size
    height, width = (size, size) if isinstance(size, int) else size
    return int(height), int(width)


def frame_inputs(model: Any, *, token: int, n_tokens: int, port: str, behind: int = 0) -> Fixed:
    """Noise frames between words, the same for every run.

    ``token`` stands ``n_tokens`` times for a frame and ``behind`` times more behind the last, all
    frames in a row then; ``port``: what the checkpoint's forward calls pixels.
    """
    generator = np.random.Generator(np.random.Philox(0))
    size = (N_FRAMES, 3, *frame_size(model))
    pixels = generator.standard_normal(size, np.float32).clip(-2, 2)
    text = generator.integers(0, model.config.text_config.vocab_size, (N_FRAMES + 1, N_TEXT))
    special = (model.config.image_token_id, getattr(model.config, "video_token_id", token))
    text[np.isin(text, special)] = 0
    frames = [[token] * n_tokens for _ in range(N_FRAMES)]
    if behind:
        frames = [[], [token] * (n_tokens * N_FRAMES + behind), []]
    prompt: list[int] = []
    for words, frame in zip(text[:-1].tolist(), frames, strict=True):
        prompt += [*words, *frame]
    prompt += text[-1].tolist()
    tensor = torch.from_numpy(pixels)
    return Fixed(
        feeds={"pixel_values": pixels},
        prompt=prompt,
        visual=np.asarray(prompt) == token,
        torch={port: tensor[None] if behind else tensor},
    )
