"""Proof that exported graphs are the model.

Greedy tokens and logits against torch on fixed inputs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from edgeval.engines import Graphs
from edgeval.modelfolder import Plain

N_FRAMES, N_TOKENS, N_TEXT = 3, 64, 40
# Largest root mean square of the logit differences, as a share of the logits' standard deviation.
# Seen: fp32 1e-6 (rounding); 8-bit weights 0.01 to 0.1 and 4-bit weights 0.1 to 0.6, the larger for
# random weights, which nothing made robust.
TOLERANCE: Mapping[str, float] = {"fp32": 1e-4, "int8": 0.2, "q4": 1.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """``n_equal`` of ``n_tokens`` greedy tokens equal to torch's.

    Logits compared on torch's own tokens.
    """

    n_tokens: int
    n_equal: int
    max_abs_dlogit: float
    rms_dlogit: float
    logit_std: float
    tolerance: float

    @property
    def holds(self) -> bool:
        """Whether the difference is within the tolerance of the precision."""
        return self.rms_dlogit <= self.tolerance * self.logit_std

    def table(self) -> dict[str, Plain]:
        """For the manifest."""
        return {
            "tokens": self.n_tokens,
            "equal_tokens": self.n_equal,
            "max_abs_dlogit": float(f"{self.max_abs_dlogit:.3g}"),
            "rms_dlogit": float(f"{self.rms_dlogit:.3g}"),
            "logit_std": float(f"{self.logit_std:.3g}"),
            "tolerance": self.tolerance,
        }


def prove(model: Any, graphs: Graphs, *, precision: str) -> Proof:
    """Run both on the same noise frames and token ids, torch's greedy tokens forced on both."""
    pixels, prompt = fixed_inputs(model)
    want_logits, want_tokens = _torch_run(model, pixels, prompt)
    mask = np.ones((pixels.shape[0], pixels.shape[1], *pixels.shape[3:]), np.bool_)
    features = graphs.see({"pixel_values": pixels, "pixel_attention_mask": mask})["image_features"]
    embeds = graphs.embed(prompt)
    embeds[np.asarray(prompt) == model.config.image_token_id] = features
    context = graphs.start(len(prompt) + N_TOKENS)
    logits = context.extend(embeds)
    got_logits, n_equal = [], 0
    for token in want_tokens:
        got_logits.append(logits.copy())
        n_equal += int(logits.argmax()) == token
        logits = context.step(token)
    difference = np.stack(got_logits) - want_logits
    return Proof(
        n_tokens=N_TOKENS,
        n_equal=n_equal,
        max_abs_dlogit=float(np.abs(difference).max()),
        rms_dlogit=float(np.sqrt(np.mean(np.square(difference, dtype=np.float64)))),
        logit_std=float(want_logits.std()),
        tolerance=TOLERANCE[precision],
    )


def fixed_inputs(model: Any) -> tuple[NDArray[np.float32], list[int]]:
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
    return pixels, [*prompt, *text[-1].tolist()]


def _torch_run(
    model: Any, pixels: NDArray[np.float32], prompt: list[int]
) -> tuple[NDArray[np.float32], list[int]]:
    """Logits [N_TOKENS, V] and greedy tokens of the checkpoint itself."""
    rows, tokens = [], []
    with torch.no_grad():
        out = model(
            input_ids=torch.tensor([prompt]), pixel_values=torch.from_numpy(pixels), use_cache=True
        )
        for _ in range(N_TOKENS):
            rows.append(out.logits[0, -1].numpy())
            tokens.append(int(rows[-1].argmax()))
            out = model(
                input_ids=torch.tensor([tokens[-1:]]),
                past_key_values=out.past_key_values,
                use_cache=True,
            )
    return np.stack(rows), tokens
