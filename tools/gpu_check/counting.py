"""The fewest bytes and operations that a Qwen2-VL of a shape needs: arithmetic on its sizes."""

from __future__ import annotations

from dataclasses import dataclass

from gpu_check.checkpoint import Shape

CHANNELS, FRAMES, MERGE = 3, 2, 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Weights by part, and what a token of context keeps, in numbers (not bytes).

    ``text``: layers and last norm; ``head``: the output table; ``blocks`` of the tower with its
    patch embedding; ``merger``: used once for every four patches.
    """

    text: int
    head: int
    blocks: int
    merger: int
    kept_a_token: int
    text_width: int
    n_text_layers: int
    vision_width: int
    n_vision_layers: int


def counts(shape: Shape) -> Counts:
    """Source: transformers 5.23.0 modeling_qwen2_vl.py (biases on q, k and v, none on o)."""
    t, v = shape.text, shape.vision
    hidden, inner, layers = t["hidden_size"], t["intermediate_size"], t["num_hidden_layers"]
    kept = t["num_key_value_heads"] * (hidden // t["num_attention_heads"])
    attention = 2 * hidden * hidden + hidden + 2 * (hidden * kept + kept)
    width, depth = v["embed_dim"], v["depth"]
    wide = width * v["mlp_ratio"]
    block = 4 * width * width + 4 * width + 2 * width * wide + width + wide + 4 * width
    merged = width * MERGE**2
    return Counts(
        text=layers * (attention + 3 * hidden * inner + 2 * hidden) + hidden,
        head=t["vocab_size"] * hidden,
        blocks=depth * block + CHANNELS * FRAMES * v["patch_size"] ** 2 * width,
        merger=2 * width + merged * merged + merged + merged * v["hidden_size"] + v["hidden_size"],
        kept_a_token=2 * layers * kept,
        text_width=hidden,
        n_text_layers=layers,
        vision_width=width,
        n_vision_layers=depth,
    )


def step_bytes(c: Counts, n_tokens: int, number_bytes: int = 2) -> int:
    """Bytes read by one step behind ``n_tokens``: each weight once, the whole cache once."""
    return number_bytes * (c.text + c.head + c.kept_a_token * n_tokens)


def prefill_flops(c: Counts, n_tokens: int) -> int:
    """Operations of a prompt of so many tokens, logits of the last; causal attention once."""
    attention = 2 * n_tokens * n_tokens * c.text_width * c.n_text_layers
    return 2 * c.text * n_tokens + 2 * c.head + attention


def vision_flops(c: Counts, n_pairs: int, n_patches: int) -> int:
    """Operations of the tower for so many pairs of frames of ``n_patches`` each."""
    attention = 4 * n_patches * n_patches * c.vision_width * c.n_vision_layers
    weights = 2 * c.blocks * n_patches + 2 * c.merger * (n_patches // MERGE**2)
    return n_pairs * (weights + attention)
