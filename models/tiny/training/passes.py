"""The network's computation, on the weights that transformers holds, in fewer passes.

Every place of a batch goes through a product at once, products of the same input are one, and gains
of norms are multiplied into the weights behind them; attention alone goes block by block. What goes
into a product has the dtype asked for; sums, norms and the stream between layers are float32.
`tests/unit/training/test_passes.py` holds this against transformers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional

from training.batch import Batch, Block
from training.blocks import attended, attention, gated, masks_of, picked, scaled

if TYPE_CHECKING:
    from transformers.models.llama.modeling_llama import LlamaDecoderLayer, LlamaModel
    from transformers.models.smolvlm.modeling_smolvlm import SmolVLMEncoderLayer, SmolVLMModel


def decoded(
    text: LlamaModel,
    embeds: Tensor,
    batch: Batch,
    wanted: Tensor,
    dtype: torch.dtype,
    early: tuple[int, Tensor] | None = None,
) -> tuple[Tensor, Tensor | None]:
    """Embeddings of a batch's places [places, hidden] to what the last norm makes of those wanted.

    ``wanted``: int64 [n]. The last layer, of those that the batch goes through, leaves out what
    leads to none of them. ``early``: a number of layers, and of which places the same is made
    behind so many.
    """
    blocks, places = batch.blocks, torch.as_tensor(batch.places, device=embeds.device)
    heads = text.config.num_attention_heads
    wide = text.config.hidden_size // heads
    angles = places[:, None].float() * text.rotary_emb.inv_freq
    turns = torch.polar(torch.ones_like(angles), angles)[:, None]
    masks: list[Tensor | None] = [*masks_of(blocks, embeds.new_empty(0, dtype=dtype))]
    x = embeds.float()
    layers = text.layers[: batch.depth]
    held = None
    for number, layer in enumerate(layers):
        last = layer is layers[-1]
        if early is not None and number == early[0]:
            held = scaled(picked(x, early[1]), dtype) * text.norm.weight.to(dtype)
        qkv = functional.linear(scaled(x, dtype), _inwards(layer, heads, wide).to(dtype))
        qk, v = qkv.split([2 * heads * wide, heads * wide], -1)
        pairs = torch.view_as_complex(qk.float().view(-1, 2 * heads, wide // 2, 2))
        turned = torch.view_as_real(pairs * turns).to(dtype)
        q, k = turned.view(-1, 2, heads, wide).unbind(1)
        kv = torch.stack([k, v.view(-1, heads, wide)], 1)
        if last:
            masks = [mask if _asked(at, blocks) else None for at, mask in enumerate(masks)]
        out = attended(q, kv, blocks, masks)
        if last:
            x, out = picked(x, wanted), picked(out, wanted)
        x = x + functional.linear(out, layer.self_attn.o_proj.weight.to(dtype))
        both = torch.cat([layer.mlp.gate_proj.weight, layer.mlp.up_proj.weight])
        both = both * layer.post_attention_layernorm.weight
        risen = gated(functional.linear(scaled(x, dtype), both.to(dtype)))
        x = x + functional.linear(risen, layer.mlp.down_proj.weight.to(dtype))
    return scaled(x, dtype) * text.norm.weight.to(dtype), held


def _asked(at: int, blocks: Sequence[Block]) -> bool:
    """Whether block ``at`` may hold what is taught: no other stands behind it."""
    return all(block.behind != at for block in blocks)


def _inwards(layer: LlamaDecoderLayer, heads: int, wide: int) -> Tensor:
    """Weights of queries, keys and values below each other.

    What a turn takes together (numbers i and i + wide / 2 of a head) stands side by side; queries
    and keys alike, so that their products stay what they are.
    """
    inner = layer.self_attn
    beside = [
        weight.view(heads, 2, wide // 2, -1).transpose(1, 2).reshape(weight.shape)
        for weight in (inner.q_proj.weight * inner.scaling, inner.k_proj.weight)
    ]
    return torch.cat([*beside, inner.v_proj.weight]) * layer.input_layernorm.weight


def seen(model: SmolVLMModel, pixels: Tensor, dtype: torch.dtype) -> Tensor:
    """[n, 3, S, S] in -1..1 to image tokens [n * tokens, hidden]."""
    vision = model.vision_model
    embeddings = vision.embeddings
    patch, side = embeddings.patch_size, embeddings.num_patches_per_side
    cut = pixels.view(len(pixels), 3, side, patch, side, patch).permute(0, 2, 4, 1, 3, 5)
    weight = embeddings.patch_embedding.weight.flatten(1)
    x = functional.linear(
        cut.reshape(len(pixels), side * side, -1).to(dtype),
        weight.to(dtype),
        embeddings.patch_embedding.bias.to(dtype),
    )
    x = x.float() + embeddings.position_embedding.weight
    for layer in vision.encoder.layers:
        x = _looked(layer, x, dtype)
    x = vision.post_layernorm(x)
    shuffled = model.connector.pixel_shuffle(x, model.connector.scale_factor)
    projection = model.connector.modality_projection.proj.weight
    return functional.linear(shuffled.to(dtype), projection.to(dtype)).flatten(0, 1)


def _looked(layer: SmolVLMEncoderLayer, x: Tensor, dtype: torch.dtype) -> Tensor:
    inner = layer.self_attn
    heads = inner.num_heads
    weights = [inner.q_proj.weight * inner.scale, inner.k_proj.weight, inner.v_proj.weight]
    biases = [inner.q_proj.bias * inner.scale, inner.k_proj.bias, inner.v_proj.bias]
    normed = layer.layer_norm1(x).to(dtype)
    qkv = functional.linear(normed, torch.cat(weights).to(dtype), torch.cat(biases).to(dtype))
    q, k, v = qkv.view(*x.shape[:2], 3, heads, -1).permute(2, 0, 3, 1, 4)
    out = attention(q, k, v).transpose(1, 2).reshape(x.shape)
    x = x + _linear(inner.out_proj, out)
    risen = functional.gelu(
        _linear(layer.mlp.fc1, layer.layer_norm2(x).to(dtype)), approximate="tanh"
    )
    return x + _linear(layer.mlp.fc2, risen)


def _linear(layer: nn.Linear, x: Tensor) -> Tensor:
    return functional.linear(x, layer.weight.to(x.dtype), layer.bias.to(x.dtype))
