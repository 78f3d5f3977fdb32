"""What a decoder layer is made of, in two flavours: standard operators, and onnxruntime's own.

Tensors of heads are flat: [B, S, heads * D]. Source of the second flavour: onnxruntime 1.31,
docs/ContribOperators.md, com.microsoft.{GroupQueryAttention, RotaryEmbedding,
SkipSimplifiedLayerNormalization}.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from edgeval.export.graphspec import Flavour

OWN = "com.microsoft"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What all layers of a call share.

    ``cos``, ``sin``: [B, S, D] of rope, both halves of D equal; ``mask``: additive
    [B, 1, S, P + S]; ``seqlens`` int32 [B]: the last token's place; ``total`` int32: P + S;
    ``rows`` int64 [B, S]: the tokens counted through.
    """

    cos: Tensor
    sin: Tensor
    mask: Tensor
    seqlens: Tensor
    total: Tensor
    rows: Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class AttentionInputs:
    """q [B,S,heads*D] and k [B,S,kv*D] after rope, v [B,S,kv*D]; past_* [B,kv,P,D]."""

    q: Tensor
    k: Tensor
    v: Tensor
    past_k: Tensor
    past_v: Tensor
    scale: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Operators:
    """One flavour.

    ``turn``: rope of [B,S,heads*D] over heads of width D. ``attend``: the attention's output and
    the longer keys and values. ``add_norm``: the sum of two, and the sum normalised.
    """

    turn: Callable[[Tensor, Sight], Tensor]
    attend: Callable[[AttentionInputs, Sight], tuple[Tensor, Tensor, Tensor]]
    add_norm: Callable[[Tensor, Tensor, Any], tuple[Tensor, Tensor]]


def rms_norm(norm: Any, x: Tensor) -> Tensor:
    """LlamaRMSNorm with a division, the form that onnxruntime fuses into one operator."""
    root = torch.sqrt(x.pow(2).mean(-1, keepdim=True) + norm.variance_epsilon)
    scaled: Tensor = norm.weight * (x / root)
    return scaled


def half_turn(x: Tensor) -> Tensor:
    """The second half, negated, before the first: what rope adds to a quarter turn."""
    first, second = x.chunk(2, dim=-1)
    return torch.cat([-second, first], dim=-1)


def _turn_plain(x: Tensor, sight: Sight) -> Tensor:
    heads = x.unflatten(-1, (-1, sight.cos.shape[-1]))
    turned = heads * sight.cos.unsqueeze(2) + half_turn(heads) * sight.sin.unsqueeze(2)
    return turned.flatten(2)


def _attend_plain(inputs: AttentionInputs, sight: Sight) -> tuple[Tensor, Tensor, Tensor]:
    """Softmax attention over the concatenated cache."""
    _, kv, _, d = inputs.past_k.shape
    q, k, v = (x.unflatten(-1, (-1, d)).transpose(1, 2) for x in (inputs.q, inputs.k, inputs.v))
    key = torch.cat([inputs.past_k, k], dim=2)
    value = torch.cat([inputs.past_v, v], dim=2)
    b, heads, s, _ = q.shape
    groups = heads // kv

    def spread(cache: Tensor) -> Tensor:
        if groups == 1:
            return cache
        wide = cache[:, :, None].expand(b, kv, groups, cache.shape[2], d)
        return wide.reshape(b, heads, cache.shape[2], d)

    weights = torch.matmul(q, spread(key).transpose(2, 3)) * inputs.scale
    weights = torch.softmax(weights + sight.mask, dim=-1)
    out = torch.matmul(weights, spread(value)).transpose(1, 2).reshape(b, s, heads * d)
    return out, key, value


def _add_norm_plain(x: Tensor, more: Tensor, norm: Any) -> tuple[Tensor, Tensor]:
    total = x + more
    return total, rms_norm(norm, total)


def _turn_ort(x: Tensor, sight: Sight) -> Tensor:
    """Each token has its own row of the tables, so that any positions can be had."""
    d = sight.cos.shape[-1]
    cos, sin = (table.reshape(-1, d)[:, : d // 2] for table in (sight.cos, sight.sin))
    (turned,) = torch.onnx.ops.symbolic_multi_out(
        f"{OWN}::RotaryEmbedding",
        [x, sight.rows, cos, sin],
        {"num_heads": x.shape[-1] // d, "interleaved": 0},
        dtypes=[x.dtype],
        shapes=[x.shape],
        version=1,
    )
    return turned


def _attend_ort(inputs: AttentionInputs, sight: Sight) -> tuple[Tensor, Tensor, Tensor]:
    """Past and present may be one buffer."""
    b, s, width = inputs.q.shape
    _, kv, p, d = inputs.past_k.shape
    present = (b, kv, p + s, d)
    out, key, value = torch.onnx.ops.symbolic_multi_out(
        f"{OWN}::GroupQueryAttention",
        [
            inputs.q,
            inputs.k,
            inputs.v,
            inputs.past_k,
            inputs.past_v,
            sight.seqlens,
            sight.total,
        ],
        {"num_heads": width // d, "kv_num_heads": kv, "scale": inputs.scale, "do_rotary": 0},
        dtypes=[inputs.q.dtype, inputs.past_k.dtype, inputs.past_v.dtype],
        shapes=[(b, s, width), present, present],
        version=1,
    )
    return out, key, value


def _add_norm_ort(x: Tensor, more: Tensor, norm: Any) -> tuple[Tensor, Tensor]:
    row = (*x.shape[:-1], 1)
    normed, _, _, total = torch.onnx.ops.symbolic_multi_out(
        f"{OWN}::SkipSimplifiedLayerNormalization",
        [x, more, norm.weight],
        {"epsilon": float(norm.variance_epsilon)},
        dtypes=[x.dtype, torch.float32, torch.float32, x.dtype],
        shapes=[x.shape, row, row, x.shape],
        version=1,
    )
    return total, normed


OPERATORS: Mapping[Flavour, Operators] = {
    "plain": Operators(turn=_turn_plain, attend=_attend_plain, add_norm=_add_norm_plain),
    "ort": Operators(turn=_turn_ort, attend=_attend_ort, add_norm=_add_norm_ort),
}
