"""What the layers are put together from: attention by blocks, a gate, a norm; each a few passes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from training.batch import Block

Context = Any
# As transformers' Llama has it (config.rms_norm_eps).
EPS = 1e-5
_UNSEEN = -1e30


class _Attention(torch.autograd.Function):
    """softmax(q k' + mask) v of [n, heads, places, width]; the mask has no gradient."""

    @staticmethod
    def forward(ctx: Context, q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None) -> Tensor:
        # Once here: a product copies what lies crosswise, each time.
        q, k, v = q.contiguous(), k.contiguous(), v.contiguous()
        shares = q @ k.mT
        if mask is not None:
            shares += mask
        shares = torch.softmax(shares, -1)
        ctx.save_for_backward(q, k, v, shares)
        return shares @ v

    @staticmethod
    def backward(ctx: Context, out: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        q, k, v, shares = ctx.saved_tensors
        out = out.contiguous()
        of_v = shares.mT @ out
        of_shares = torch.ops.aten._softmax_backward_data(out @ v.mT, shares, -1, shares.dtype)
        return of_shares @ k, of_shares.mT @ q, of_v, None


class _Shared(torch.autograd.Function):
    """Rows [n, ...] of some [m, ...], each as often as it is named."""

    @staticmethod
    def forward(ctx: Context, x: Tensor, rows: Tensor) -> Tensor:
        ctx.save_for_backward(rows)
        ctx.shape = x.shape
        return x.index_select(0, rows)

    @staticmethod
    def backward(ctx: Context, out: Tensor) -> tuple[Tensor, None]:
        (rows,) = ctx.saved_tensors
        # As a product: adding row by row takes many times as long, and rounds each time.
        named = functional.one_hot(rows, ctx.shape[0]).to(out.dtype)
        return (named.mT @ out.flatten(1)).view(ctx.shape), None


class _Picked(_Shared):
    """Rows of x, none of them twice."""

    @staticmethod
    def backward(ctx: Context, out: Tensor) -> tuple[Tensor, None]:
        (rows,) = ctx.saved_tensors
        return out.new_zeros(ctx.shape).index_copy_(0, rows, out), None


class _Gated(torch.autograd.Function):
    """silu(a) * b of a and b side by side."""

    @staticmethod
    def forward(ctx: Context, both: Tensor) -> Tensor:
        gate, up = both.chunk(2, -1)
        risen = functional.silu(gate)
        ctx.save_for_backward(both, risen)
        return risen * up

    @staticmethod
    def backward(ctx: Context, out: Tensor) -> Tensor:
        both, risen = ctx.saved_tensors
        gate, up = both.chunk(2, -1)
        of_both = torch.empty_like(both)
        of_gate, of_up = of_both.chunk(2, -1)
        torch.mul(out, risen, out=of_up)
        torch.ops.aten.silu_backward.grad_input(out * up, gate, grad_input=of_gate)
        return of_both


class _Scaled(torch.autograd.Function):
    """x by its root mean square, in ``dtype``."""

    @staticmethod
    def forward(ctx: Context, x: Tensor, dtype: torch.dtype) -> Tensor:
        by = torch.linalg.vector_norm(x, dim=-1, keepdim=True)
        by = by.square_().div_(x.shape[-1]).add_(EPS).rsqrt_()
        out = (x * by).to(dtype)
        ctx.save_for_backward(out, by)
        return out

    @staticmethod
    def backward(ctx: Context, of_out: Tensor) -> tuple[Tensor, None]:
        out, by = ctx.saved_tensors
        out, of_out = out.float(), of_out.float()
        along = (of_out * out).mean(-1, keepdim=True)
        return torch.addcmul(of_out, out, along, value=-1).mul_(by), None


def attention(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None = None) -> Tensor:
    """softmax(q k' + mask) v of [n, heads, places, width]; the scale is in q."""
    out: Tensor = _Attention.apply(q, k, v, mask)
    return out


def shared(x: Tensor, rows: Tensor) -> Tensor:
    """Rows of x; some may be named more than once."""
    out: Tensor = _Shared.apply(x, rows)
    return out


def picked(x: Tensor, rows: Tensor) -> Tensor:
    """Rows of x; none may be named twice."""
    out: Tensor = _Picked.apply(x, rows)
    return out


def gated(both: Tensor) -> Tensor:
    """[..., 2 n], a and b side by side, to silu(a) * b."""
    out: Tensor = _Gated.apply(both)
    return out


def scaled(x: Tensor, dtype: torch.dtype) -> Tensor:
    """The norm of a Llama without its gain, in ``dtype``."""
    out: Tensor = _Scaled.apply(x, dtype)
    return out


def attended(
    q: Tensor, kv: Tensor, blocks: Sequence[Block], masks: Sequence[Tensor | None]
) -> Tensor:
    """[places, heads, width] and [places, 2, heads, width] to [places, heads * width].

    Zeros for a block without a mask.
    """
    sizes = [block.n * block.length for block in blocks]
    shown = [
        pair.view(block.n, block.length, *kv.shape[1:])
        for pair, block in zip(kv.split(sizes), blocks, strict=True)
    ]
    outs = []
    for block, query, own, mask in zip(blocks, q.split(sizes), shown, masks, strict=True):
        if mask is None:
            outs.append(query.new_zeros(query.shape[0], query.shape[1:].numel()))
            continue
        seen = own
        if block.behind is not None:
            rows = torch.as_tensor(block.rows, device=q.device)
            seen = torch.cat([shared(shown[block.behind], rows), own], 1)
        k, v = seen.permute(2, 0, 3, 1, 4)
        asking = query.view(block.n, block.length, *q.shape[1:]).transpose(1, 2)
        out = attention(asking, k, v, mask)
        outs.append(out.transpose(1, 2).reshape(block.n * block.length, -1))
    return torch.cat(outs)


def masks_of(blocks: Sequence[Block], like: Tensor) -> list[Tensor]:
    """What the places of each block do not see, to be added: [n or 1, 1, length, seen]."""
    masks = []
    for block in blocks:
        n, device = block.length, like.device
        mask = torch.full((1, n, n), _UNSEEN, device=device).triu(1)
        if block.behind is not None:
            depths = torch.as_tensor(list(dict.fromkeys(block.depths)), device=device)
            if len(depths) > 1:
                depths = torch.as_tensor(block.depths, device=device)
            before = torch.arange(blocks[block.behind].length, device=device)
            padding = (before[None] >= depths[:, None]).float() * _UNSEEN
            rows = len(depths)
            mask = torch.cat([padding[:, None].expand(rows, n, -1), mask.expand(rows, -1, -1)], -1)
        masks.append(mask[:, None].to(like.dtype))
    return masks
