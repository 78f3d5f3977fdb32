"""The vision tower of the Qwen-VL line as a graph: one clip a call, no loops over frames.

All frames of a clip have one size, so attention inside a frame pair is a batch axis, and windows
(2.5) are a mask by window number: attention does not mind the order of patches, so none is
permuted. Arithmetic of transformers 5.23.0, modeling_qwen2_vl.py, modeling_qwen2_5_vl.py and
modeling_qwen3_vl.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor, nn

from edgeval.export.decoder import NEVER
from edgeval.export.graphspec import GraphSpec
from edgeval.export.operators import half_turn

LARGEST = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Lie:
    """Where the patches of a frame lie: row and column [h * w], and the grid's [1, 3]."""

    row: Tensor
    column: Tensor
    grid: Tensor


class Tower(nn.Module):
    """pixel_values [patches, ...] and a grid [1, 3] -> image_features [tokens, hidden].

    Qwen3-VL's towers also give deepstack_features [layers, tokens, hidden].
    """

    def __init__(self, model: Any) -> None:
        super().__init__()
        config = model.config.vision_config
        self.visual = model.model.visual
        self.merge = int(config.spatial_merge_size)
        window = getattr(config, "window_size", None)
        # Tokens a side of a window, None where every block sees the whole frame.
        self.window = window // self.merge // config.patch_size if window else None
        self.whole = tuple(getattr(config, "fullatt_block_indexes", None) or ())
        self.deep = list(getattr(config, "deepstack_visual_indexes", None) or ())
        self.register_buffer("inv_freq", self.visual.rotary_pos_emb.inv_freq.clone())

    def forward(self, pixel_values: Tensor, grid_thw: Tensor) -> tuple[Tensor, ...]:
        """Trace target."""
        # Symbols while tracing: int() would fix them.
        t, h, w = (cast(int, grid_thw[0, axis].item()) for axis in range(3))
        for size in (t, h, w):
            torch._check(size >= 1)
            torch._check(size < LARGEST)
        hidden = self.visual.patch_embed(pixel_values)
        width = hidden.shape[-1]
        torch._check(t * (h * w) == hidden.shape[0])
        hidden = hidden.reshape(t, h * w, width)
        lie = self._lie(h * w, grid_thw)
        if hasattr(self.visual, "pos_embed"):
            hidden = hidden + self._learned(lie)[None]
        turn, mask = self._turn(lie), self._windows(lie)
        deep: list[Tensor] = []
        for index, block in enumerate(self.visual.blocks):
            seen = None if index in self.whole else mask
            hidden = hidden + _attend(block.attn, block.norm1(hidden), turn, seen)
            hidden = hidden + block.mlp(block.norm2(hidden))
            if index in self.deep:
                merger = self.visual.deepstack_merger_list[self.deep.index(index)]
                deep.append(merger(hidden.reshape(-1, width)))
        features = self.visual.merger(hidden.reshape(-1, width))
        return (features, torch.stack(deep)) if deep else (features,)

    def _lie(self, n_patches: int, grid: Tensor) -> Lie:
        """Patches come in blocks of merge x merge. The exporter wants tensors, not symbols."""
        index, merge = torch.arange(n_patches), self.merge
        blocks = grid[0, 2] // merge
        column = (index // (merge * merge)) % blocks * merge + index % merge
        row = index // (merge * merge * blocks) * merge + (index // merge) % merge
        return Lie(row=row, column=column, grid=grid)

    def _turn(self, lie: Lie) -> tuple[Tensor, Tensor]:
        """Cos and sin [h * w, head width] of axial rope."""
        inv_freq = cast(Tensor, self.inv_freq)
        angles = torch.cat(
            [place[:, None].float() * inv_freq for place in (lie.row, lie.column)], dim=-1
        )
        angles = torch.cat([angles, angles], dim=-1)
        return angles.cos(), angles.sin()

    def _windows(self, lie: Lie) -> Tensor | None:
        """Additive mask [1, 1, h * w, h * w] that hides other windows."""
        if self.window is None:
            return None
        side = self.merge * self.window
        number = (lie.row // side) * LARGEST + lie.column // side
        return torch.where(number[:, None] == number[None, :], 0.0, NEVER)[None, None]

    def _learned(self, lie: Lie) -> Tensor:
        """The learned square of positions, interpolated to the frame's grid, corners on corners."""
        side = int(self.visual.num_grid_per_side)
        table = self.visual.pos_embed.weight
        (top, bottom, down), (left, right, across) = (
            _between(lie.row, lie.grid[0, 1], side),
            _between(lie.column, lie.grid[0, 2], side),
        )
        corners = (
            (top, left, (1 - down) * (1 - across)),
            (top, right, (1 - down) * across),
            (bottom, left, down * (1 - across)),
            (bottom, right, down * across),
        )
        parts = [table[row * side + column] * share[:, None] for row, column, share in corners]
        return (parts[0] + parts[1]) + (parts[2] + parts[3])


def _between(place: Tensor, n_places: Tensor, side: int) -> tuple[Tensor, Tensor, Tensor]:
    """Places 0 .. n - 1 spread over 0 .. side - 1: the one before, the one after, the share."""
    at = place.float() * (side - 1) / torch.clamp(n_places - 1, min=1)
    before = at.floor()
    low = before.long()
    return low, (low + 1).clamp(max=side - 1), at - before


def _attend(attention: Any, x: Tensor, turn: tuple[Tensor, Tensor], mask: Tensor | None) -> Tensor:
    """Attention inside each of x [T, patches, width]."""
    t, n_patches, width = x.shape
    heads, (cos, sin) = int(attention.num_heads), turn
    parts = attention.qkv(x).reshape(t, n_patches, 3, heads, width // heads)
    q, k, v = parts.permute(2, 0, 3, 1, 4).unbind(0)
    q, k = (part * cos + half_turn(part) * sin for part in (q, k))
    weights = torch.matmul(q, k.transpose(-1, -2)) * float(attention.scaling)
    if mask is not None:
        weights = weights + mask
    out = torch.matmul(torch.softmax(weights, dim=-1), v)
    projected: Tensor = attention.proj(out.transpose(1, 2).reshape(t, n_patches, width))
    return projected


def vision_graph(model: Any, *, grid_port: str) -> GraphSpec:
    """The tower to trace; ``grid_port``: what published exports call its second input."""
    config = model.config.vision_config
    tower = Tower(model)
    t, h, w = 3, 8, 12
    width = 3 * config.temporal_patch_size * config.patch_size**2
    generator = torch.Generator().manual_seed(0)
    tokens = {0: "num_image_tokens"}
    return GraphSpec(
        name="vision_encoder",
        module=tower,
        arguments=(
            torch.randn(t * h * w, width, generator=generator),
            torch.tensor([[t, h, w]]),
        ),
        inputs=("pixel_values", grid_port),
        outputs=("image_features", "deepstack_features") if tower.deep else ("image_features",),
        input_axes=({0: "num_patches"}, {}),
        output_axes=(tokens, {1: "num_image_tokens"}) if tower.deep else (tokens,),
    )
