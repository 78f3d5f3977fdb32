"""The decoder of the Llama and Qwen lines as a graph, with an explicit cache, in two flavours.

The arithmetic is that of transformers 5.23 (modeling_llama.py, modeling_qwen2_vl.py,
modeling_qwen3_vl.py), with own additive masks; rope, M-RoPE too, stays outside the attention.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn

from edgeval.export.graphspec import BATCH, TOKENS, Axes, Flavour, GraphSpec
from edgeval.export.operators import OPERATORS, AttentionInputs, Sight, rms_norm

NEVER = torch.finfo(torch.float32).min


class Embed(nn.Module):
    """input_ids [B,S] -> inputs_embeds [B,S,hidden]."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.table = model.get_input_embeddings()

    def forward(self, input_ids: Tensor) -> Tensor:
        """Trace target."""
        rows: Tensor = self.table(input_ids)
        return rows


class Decoder(nn.Module):
    """inputs_embeds [B,S,hidden] and the cache -> logits [B,keep,vocab] and the longer cache.

    ``n_deep`` layers add their part of deepstack_embeds [n_deep,B,S,hidden] to what they give.
    """

    def __init__(self, text: Any, head: Any, flavour: Flavour, n_deep: int = 0) -> None:
        super().__init__()
        self.text = text
        self.head = head
        self.operators = OPERATORS[flavour]
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
        cos, sin = self.text.rotary_emb(inputs_embeds, position_ids)
        sight = Sight(
            cos=cos,
            sin=sin,
            mask=torch.where(seen, 0.0, NEVER),
            seqlens=(attention_mask.sum(-1) - 1).to(torch.int32),
            total=torch.ones_like(attention_mask[:1]).sum().to(torch.int32),
            rows=torch.arange(inputs_embeds.shape[0] * s).reshape(-1, s),
        )
        present: list[Tensor] = []
        hidden = inputs_embeds
        norms = [layer.input_layernorm for layer in self.text.layers[1:]] + [self.text.norm]
        normed = rms_norm(self.text.layers[0].input_layernorm, hidden)
        for index, (layer, next_norm) in enumerate(zip(self.text.layers, norms, strict=True)):
            out, *cache = self._attention(
                layer.self_attn, normed, past[2 * index : 2 * index + 2], sight
            )
            present += cache
            hidden, normed = self.operators.add_norm(hidden, out, layer.post_attention_layernorm)
            made = layer.mlp(normed)
            if deep is not None and index < self.n_deep:
                made = made + deep[index]
            hidden, normed = self.operators.add_norm(hidden, made, next_norm)
        keep = cast(int, num_logits_to_keep.item())  # a symbol while tracing: int() would fix it
        torch._check(keep >= 1)
        torch._check(keep <= s)
        logits = self.head(normed.narrow(1, s - keep, keep))
        return (logits, *present)

    def _attention(
        self, attention: Any, normed: Tensor, past: Sequence[Tensor], sight: Sight
    ) -> tuple[Tensor, Tensor, Tensor]:
        q, k, v = _projected(attention, normed)
        out, key, value = self.operators.attend(
            AttentionInputs(
                q=self.operators.turn(q, sight),
                k=self.operators.turn(k, sight),
                v=v,
                past_k=past[0],
                past_v=past[1],
                scale=float(attention.scaling),
            ),
            sight,
        )
        return attention.o_proj(out), key, value


def _projected(attention: Any, normed: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """q, k, v [B,S,heads*D], the heads of q and k normalised where the family does that."""
    q, k, v = attention.q_proj(normed), attention.k_proj(normed), attention.v_proj(normed)
    if not hasattr(attention, "q_norm"):
        return q, k, v

    def per_head(norm: Any, x: Tensor) -> Tensor:
        return rms_norm(norm, x.unflatten(-1, (-1, attention.head_dim))).flatten(2)

    return per_head(attention.q_norm, q), per_head(attention.k_norm, k), v


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
