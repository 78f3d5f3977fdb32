"""The decoder of the Llama and Qwen lines as a graph, with an explicit cache, in two flavours.

The arithmetic is that of transformers 5.23 (modeling_llama.py, modeling_qwen2_vl.py,
modeling_qwen3_vl.py), with own additive masks; rope, M-RoPE too, stays outside the attention.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor, nn

from edgeval.export.graphspec import BATCH, TOKENS, Axes, Flavour, GraphSpec

Attend = Callable[["AttentionInputs"], tuple[Tensor, Tensor, Tensor]]
NEVER = torch.finfo(torch.float32).min


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


ATTEND: Mapping[Flavour, Attend] = {"plain": attend_plain, "ort": attend_ort}


def _rms_norm(norm: Any, x: Tensor) -> Tensor:
    """LlamaRMSNorm with a division, the form that onnxruntime fuses into one operator."""
    root = torch.sqrt(x.pow(2).mean(-1, keepdim=True) + norm.variance_epsilon)
    scaled: Tensor = norm.weight * (x / root)
    return scaled


def half_turn(x: Tensor) -> Tensor:
    """The second half, negated, before the first: what rope adds to a quarter turn."""
    first, second = x.chunk(2, dim=-1)
    return torch.cat([-second, first], dim=-1)


class Decoder(nn.Module):
    """inputs_embeds [B,S,hidden] and the cache -> logits [B,keep,vocab] and the longer cache.

    ``n_deep`` layers add their part of deepstack_embeds [n_deep,B,S,hidden] to what they give.
    """

    def __init__(self, text: Any, head: Any, flavour: Flavour, n_deep: int = 0) -> None:
        super().__init__()
        self.text = text
        self.head = head
        self.flavour = flavour
        self.n_deep = n_deep

    def forward(
        self,
        inputs_embeds: Tensor,
        attention_mask: Tensor,
        position_ids: Tensor,
        num_logits_to_keep: Tensor,
        *rest: Tensor,
    ) -> tuple[Tensor, ...]:
        """Trace target. ``rest``: deepstack_embeds where there are any, then the cache."""
        deep, past = (rest[0], rest[1:]) if self.n_deep else (None, rest)
        s, p = inputs_embeds.shape[1], past[0].shape[2]
        ahead = torch.arange(p + s)[None, :] <= torch.arange(s)[:, None] + p
        seen = ahead[None, None] & attention_mask[:, None, None, :].bool()
        mask = torch.where(seen, 0.0, NEVER)
        seqlens = (attention_mask.sum(-1) - 1).to(torch.int32)
        total = torch.ones_like(attention_mask[:1]).sum().to(torch.int32)
        turn = tuple(
            part.unsqueeze(2) for part in self.text.rotary_emb(inputs_embeds, position_ids)
        )
        hidden, present = inputs_embeds, []
        for index, layer in enumerate(self.text.layers):
            attention = layer.self_attn
            q, k, v = _projected(attention, _rms_norm(layer.input_layernorm, hidden))
            out, key, value = ATTEND[self.flavour](
                AttentionInputs(
                    q=_turned(q, turn),
                    k=_turned(k, turn),
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
            if deep is not None and index < self.n_deep:
                hidden = hidden + deep[index]
            present += [key, value]
        keep = cast(int, num_logits_to_keep.item())  # a symbol while tracing: int() would fix it
        torch._check(keep >= 1)
        torch._check(keep <= s)
        logits = self.head(_rms_norm(self.text.norm, hidden).narrow(1, s - keep, keep))
        return (logits, *present)


def _projected(attention: Any, normed: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """q, k, v [B,S,heads,D], q and k normalised where the family does that."""
    q, k, v = (
        project(normed).unflatten(-1, (-1, attention.head_dim))
        for project in (attention.q_proj, attention.k_proj, attention.v_proj)
    )
    if hasattr(attention, "q_norm"):
        return _rms_norm(attention.q_norm, q), _rms_norm(attention.k_norm, k), v
    return q, k, v


def _turned(x: Tensor, turn: tuple[Tensor, ...]) -> Tensor:
    cos, sin = turn
    return x * cos + half_turn(x) * sin


def decoder_graph(decoder: Decoder, config: Any, *, n_axes: int = 1) -> GraphSpec:
    """The decoder to trace; ``config``: of its text part, ``n_axes``: of its positions.

    Example sizes are >= 2, so that no axis is taken for a constant.
    """
    generator = torch.Generator().manual_seed(0)
    b, s, p = 2, 5, 7
    head_dim = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    cache = [
        torch.randn(b, config.num_key_value_heads, p, head_dim, generator=generator)
        for _ in range(2 * config.num_hidden_layers)
    ]
    past = [
        f"past_key_values.{i}.{x}"
        for i in range(config.num_hidden_layers)
        for x in ("key", "value")
    ]
    places = torch.arange(p, p + s)[None].expand(b, s)
    if n_axes > 1:
        places = places[None].expand(n_axes, b, s)
    steps = (
        torch.randn(b, s, config.hidden_size, generator=generator),
        torch.ones(b, p + s, dtype=torch.int64),
        places.contiguous(),
        torch.tensor(3),
    )
    names = ["inputs_embeds", "attention_mask", "position_ids", "num_logits_to_keep"]
    shifted = {axis + 1: name for axis, name in TOKENS.items()}
    position_axes = TOKENS if n_axes == 1 else shifted
    axes: list[Axes] = [TOKENS, {**BATCH, 1: "total_sequence_length"}, position_axes, {}]
    rest: list[Tensor] = []
    if decoder.n_deep:
        rest = [torch.randn(decoder.n_deep, b, s, config.hidden_size, generator=generator)]
        names.append("deepstack_embeds")
        axes.append(shifted)
    old: list[Axes] = [{**BATCH, 2: "past_sequence_length"}] * len(past)
    new: list[Axes] = [{**BATCH, 2: "total_sequence_length"}] * len(past)
    return GraphSpec(
        name="decoder_model_merged",
        module=decoder,
        arguments=(*steps, *rest, *cache),
        inputs=(*names, *past),
        outputs=("logits", *(name.replace("past_key_values", "present") for name in past)),
        input_axes=(*axes, *old),
        output_axes=({**BATCH, 1: "num_logits"}, *new),
        n_variadic=len(rest) + len(past),
    )


def embed_graph(model: Any) -> GraphSpec:
    """The table of embeddings to trace."""
    return GraphSpec(
        name="embed_tokens",
        module=Embed(model),
        arguments=(torch.arange(10).reshape(2, 5),),
        inputs=("input_ids",),
        outputs=("inputs_embeds",),
        input_axes=(TOKENS,),
        output_axes=(TOKENS,),
    )
