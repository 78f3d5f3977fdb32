"""SmolVLM and SmolVLM2 as three graphs of the onnx-community convention.

Idefics3, which the first SmolVLM was published as, is the same network. The arithmetic is that of
transformers 5.23, modeling_smolvlm.py and modeling_llama.py, with what a graph cannot do replaced:
own additive masks, own integer position ids, no dropping of all-zero images, an explicit cache.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

import torch
from torch import Tensor, nn

Flavour = Literal["plain", "ort"]
Attend = Callable[["AttentionInputs"], tuple[Tensor, Tensor, Tensor]]
Axes = Mapping[int, str]
NEVER = torch.finfo(torch.float32).min


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphSpec:
    """One graph to trace.

    Module, example arguments, names, and the free axes of each port by name.
    """

    name: str
    module: nn.Module
    arguments: tuple[Tensor, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    input_axes: tuple[Axes, ...]
    output_axes: tuple[Axes, ...]
    n_variadic: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class AttentionInputs:
    """q [B,S,heads,D] and k [B,S,kv,D] after rope, v [B,S,kv,D]; past_* [B,kv,P,D].

    The rest: the mask in the forms that the flavours take.
    """

    q: Tensor
    k: Tensor
    v: Tensor
    past_k: Tensor
    past_v: Tensor
    mask: Tensor
    seqlens: Tensor
    total: Tensor
    scale: float


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


class Embed(nn.Module):
    """input_ids [B,S] -> inputs_embeds [B,S,hidden]."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.table = model.get_input_embeddings()

    def forward(self, input_ids: Tensor) -> Tensor:
        """Trace target."""
        rows: Tensor = self.table(input_ids)
        return rows


def attend_plain(inputs: AttentionInputs) -> tuple[Tensor, Tensor, Tensor]:
    """Softmax attention of standard ops over the concatenated cache."""
    key = torch.cat([inputs.past_k, inputs.k.transpose(1, 2)], dim=2)
    value = torch.cat([inputs.past_v, inputs.v.transpose(1, 2)], dim=2)
    b, s, heads, d = inputs.q.shape
    groups = heads // key.shape[1]

    def spread(cache: Tensor) -> Tensor:
        if groups == 1:
            return cache
        wide = cache[:, :, None].expand(b, cache.shape[1], groups, cache.shape[2], d)
        return wide.reshape(b, heads, cache.shape[2], d)

    weights = torch.matmul(inputs.q.transpose(1, 2), spread(key).transpose(2, 3)) * inputs.scale
    weights = torch.softmax(weights + inputs.mask, dim=-1)
    out = torch.matmul(weights, spread(value)).transpose(1, 2).reshape(b, s, heads * d)
    return out, key, value


def attend_ort(inputs: AttentionInputs) -> tuple[Tensor, Tensor, Tensor]:
    """GroupQueryAttention of onnxruntime: past and present may be one buffer.

    Rope is done before it.
    """
    b, s, heads, d = inputs.q.shape
    kv = inputs.k.shape[2]
    present = (b, kv, inputs.past_k.shape[2] + s, d)
    out, key, value = torch.onnx.ops.symbolic_multi_out(
        "com.microsoft::GroupQueryAttention",
        [
            inputs.q.reshape(b, s, heads * d),
            inputs.k.reshape(b, s, kv * d),
            inputs.v.reshape(b, s, kv * d),
            inputs.past_k,
            inputs.past_v,
            inputs.seqlens,
            inputs.total,
        ],
        {"num_heads": heads, "kv_num_heads": kv, "scale": inputs.scale, "do_rotary": 0},
        dtypes=[inputs.q.dtype, inputs.past_k.dtype, inputs.past_v.dtype],
        shapes=[(b, s, heads * d), present, present],
        version=1,
    )
    return out, key, value


BATCH: Axes = {0: "batch_size"}
TOKENS: Axes = {**BATCH, 1: "sequence_length"}
IMAGES: Axes = {**BATCH, 1: "num_images"}
ATTEND: Mapping[Flavour, Attend] = {"plain": attend_plain, "ort": attend_ort}


def _rms_norm(norm: Any, x: Tensor) -> Tensor:
    """LlamaRMSNorm with a division, the form that onnxruntime fuses into one operator."""
    root = torch.sqrt(x.pow(2).mean(-1, keepdim=True) + norm.variance_epsilon)
    scaled: Tensor = norm.weight * (x / root)
    return scaled


def _half_turn(x: Tensor) -> Tensor:
    first, second = x.chunk(2, dim=-1)
    return torch.cat([-second, first], dim=-1)


class Decoder(nn.Module):
    """inputs_embeds [B,S,hidden] and the cache -> logits [B,keep,vocab] and the longer cache."""

    def __init__(self, model: Any, flavour: Flavour) -> None:
        super().__init__()
        self.text = model.model.text_model
        self.head = model.lm_head
        self.flavour = flavour

    def forward(
        self,
        inputs_embeds: Tensor,
        attention_mask: Tensor,
        position_ids: Tensor,
        num_logits_to_keep: Tensor,
        *past: Tensor,
    ) -> tuple[Tensor, ...]:
        """Trace target."""
        s, p = inputs_embeds.shape[1], past[0].shape[2]
        ahead = torch.arange(p + s)[None, :] <= torch.arange(s)[:, None] + p
        seen = ahead[None, None] & attention_mask[:, None, None, :].bool()
        mask = torch.where(seen, 0.0, NEVER)
        seqlens = (attention_mask.sum(-1) - 1).to(torch.int32)
        total = torch.ones_like(attention_mask[:1]).sum().to(torch.int32)
        cos, sin = (part.unsqueeze(2) for part in self.text.rotary_emb(inputs_embeds, position_ids))
        hidden, present = inputs_embeds, []
        for index, layer in enumerate(self.text.layers):
            attention = layer.self_attn
            normed = _rms_norm(layer.input_layernorm, hidden)
            q, k, v = (
                project(normed).unflatten(-1, (-1, attention.head_dim))
                for project in (attention.q_proj, attention.k_proj, attention.v_proj)
            )
            out, key, value = ATTEND[self.flavour](
                AttentionInputs(
                    q=q * cos + _half_turn(q) * sin,
                    k=k * cos + _half_turn(k) * sin,
                    v=v,
                    past_k=past[2 * index],
                    past_v=past[2 * index + 1],
                    mask=mask,
                    seqlens=seqlens,
                    total=total,
                    scale=float(attention.scaling),
                )
            )
            hidden = hidden + attention.o_proj(out)
            hidden = hidden + layer.mlp(_rms_norm(layer.post_attention_layernorm, hidden))
            present += [key, value]
        keep = cast(int, num_logits_to_keep.item())  # a symbol while tracing: int() would fix it
        torch._check(keep >= 1)
        torch._check(keep <= s)
        logits = self.head(_rms_norm(self.text.norm, hidden).narrow(1, s - keep, keep))
        return (logits, *present)


def graphs(model: Any, flavour: Flavour) -> tuple[GraphSpec, ...]:
    """The three graphs of a loaded model.

    Example sizes are >= 2, so that no axis is taken for a constant.
    """
    text, vision = model.config.text_config, model.config.vision_config
    generator = torch.Generator().manual_seed(0)
    side = int(vision.image_size)
    pixels = torch.randn(2, 2, 3, side, side, generator=generator)
    b, s, p = 2, 5, 7
    head_dim = getattr(text, "head_dim", None) or text.hidden_size // text.num_attention_heads
    cache = [
        torch.randn(b, text.num_key_value_heads, p, head_dim, generator=generator)
        for _ in range(2 * text.num_hidden_layers)
    ]
    past = [
        f"past_key_values.{i}.{x}" for i in range(text.num_hidden_layers) for x in ("key", "value")
    ]
    steps = (
        torch.randn(b, s, text.hidden_size, generator=generator),
        torch.ones(b, p + s, dtype=torch.int64),
        torch.arange(p, p + s)[None].expand(b, s).contiguous(),
        torch.tensor(3),
    )
    old = [{**BATCH, 2: "past_sequence_length"}] * len(past)
    new = [{**BATCH, 2: "total_sequence_length"}] * len(past)
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
        GraphSpec(
            name="embed_tokens",
            module=Embed(model),
            arguments=(torch.arange(b * s).reshape(b, s),),
            inputs=("input_ids",),
            outputs=("inputs_embeds",),
            input_axes=(TOKENS,),
            output_axes=(TOKENS,),
        ),
        GraphSpec(
            name="decoder_model_merged",
            module=Decoder(model, flavour),
            arguments=(*steps, *cache),
            inputs=("inputs_embeds", "attention_mask", "position_ids", "num_logits_to_keep", *past),
            outputs=("logits", *(name.replace("past_key_values", "present") for name in past)),
            input_axes=(TOKENS, {**BATCH, 1: "total_sequence_length"}, TOKENS, {}, *old),
            output_axes=({**BATCH, 1: "num_logits"}, *new),
            n_variadic=len(past),
        ),
    )
