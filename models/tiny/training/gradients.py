"""Gradients of a batch: its parts side by side, a thread each, added up in turn.

Each part keeps a core busy; one product alone is too small to be shared between cores. How many
threads there are changes no number.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor, nn

from training import network, seeds
from training.batch import UNTAUGHT, Batch
from training.stages import Stage
from training.view import SQUARE

Figures = dict[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """A part of a batch. ``share``: of what the whole teaches.

    ``shown``: its frames, [n, 3, S, S] in -1..1 where they are drawn, else their image tokens.
    """

    batch: Batch
    share: float
    slots: Tensor
    shown: Tensor | None


@dataclass(frozen=True, kw_only=True)
class Gradients:
    """Of the weights ``trained`` of a model, in a stage; ``blind``: every frame is black."""

    model: network.Model
    trained: Sequence[Tensor]
    slot_ids: list[list[int]]
    stage: Stage
    run: int
    blind: bool
    dtype: torch.dtype
    threads: int

    @cached_property
    def _pool(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(max(1, self.threads))

    @property
    def _table(self) -> nn.Parameter:
        table = self.model.get_input_embeddings().weight
        assert isinstance(table, nn.Parameter)
        return table

    def of(self, step: int, batches: Sequence[Batch]) -> Figures:
        """Leave the gradients of a batch, which comes in parts, at the weights.

        Returns what there is to tell of it. Noise is a function of run, stage and step alone: it is
        drawn here, for one part after the other.
        """
        torch.manual_seed(seeds.number(self.run, self.stage.name, step) % 2**63)
        taught = [max(1, self._n_taught(batch)) for batch in batches]
        parts = [
            self._part(batch, n / sum(taught)) for batch, n in zip(batches, taught, strict=True)
        ]
        done = list(self._pool.map(self._gradients, parts))
        of_each = zip(*(grads for grads, _ in done), strict=True)
        for weight, grads in zip(self.trained, of_each, strict=True):
            held = [grad for grad in grads if grad is not None]
            weight.grad = sum(held[1:], held[0]) if held else None
        if self.stage.kind == "answers":
            # What frames say stays where vision learnt to say it.
            assert self._table.grad is not None
            self._table.grad[[word for group in self.slot_ids for word in group]] = 0
        figures = _means([part.share for part in parts], [one for _, one in done])
        return figures | {"places": float(sum(batch.ids.size for batch in batches))}

    def _n_taught(self, batch: Batch) -> int:
        if self.stage.kind == "vision":
            return len(batch.slots)
        return int((batch.labels != UNTAUGHT).sum())

    def _part(self, batch: Batch, share: float) -> _Part:
        device = self._table.device
        slots = torch.as_tensor(batch.slots, device=device)
        shown = None
        if len(slots) and self.blind:
            black = torch.full((1, 3, SQUARE, SQUARE), -1.0, device=device)
            with torch.no_grad():
                token = network.image_tokens(self.model, black, self.dtype)
            shown = token.expand(len(slots), -1, -1)
        elif len(batch.pixels):
            shown = noisy(torch.as_tensor(batch.pixels, device=device))
        elif len(slots):
            shown = network.told_tokens(self.model, slots, self.slot_ids)
        return _Part(batch=batch, share=share, slots=slots, shown=shown)

    def _gradients(self, part: _Part) -> tuple[Sequence[Tensor | None], Figures]:
        figures: Figures = {}
        tokens, vision = part.shown, self.stage.kind == "vision"
        loss = None
        if tokens is not None and not self.blind and len(part.batch.pixels):
            with torch.set_grad_enabled(vision):
                tokens = network.image_tokens(self.model, tokens, self.dtype)
                loss, right = network.slot_loss(self.model, tokens, part.slots, self.slot_ids)
            figures |= {"slots": float(loss.detach())}
            figures |= {f"slot {name}": value for name, value in right.items()}
        if not vision:
            loss, right_tokens = network.answer_loss(self.model, tokens, part.batch, self.dtype)
            figures |= {"answers": float(loss.detach()), "tokens": right_tokens}
        assert loss is not None
        grads = torch.autograd.grad(part.share * loss, self.trained, allow_unused=True)
        return grads, figures


def _means(shares: Sequence[float], of_each: Sequence[Figures]) -> Figures:
    """By share; what only some parts tell, of those alone."""
    means = {}
    for name in dict.fromkeys(name for figures in of_each for name in figures):
        told = [(n, one[name]) for n, one in zip(shares, of_each, strict=True) if name in one]
        means[name] = sum(n * value for n, value in told) / sum(n for n, _ in told)
    return means


def noisy(pixels: Tensor) -> Tensor:
    """uint8 [n, S, S, 3] to [n, 3, S, S] in -1..1, a little brighter, flatter and grainier."""
    shown = pixels.permute(0, 3, 1, 2).contiguous().float() / 127.5 - 1
    one = (len(shown), 1, 1, 1)
    shown = shown * (1 + 0.1 * (torch.rand(one, device=shown.device) - 0.5))
    shown = shown + 0.1 * (torch.rand(one, device=shown.device) - 0.5)
    grain = 0.05 * torch.rand(one, device=shown.device)
    return shown + torch.randn_like(shown) * grain
