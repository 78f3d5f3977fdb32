"""Muon for the matrices inside, AdamW for the rest; one schedule for both."""

from __future__ import annotations

import torch

from training.muon import Muon
from training.network import Model
from training.stages import Stage

_WARM_STEPS = 60
_LEAST = 0.03
_CLIP = 1.0


class Optimiser:
    """Both optimisers of a stage. ``trained``: the weights that they move."""

    def __init__(self, model: Model, stage: Stage) -> None:
        self._stage = stage
        table = model.get_input_embeddings().weight
        names = dict(model.named_parameters())
        if stage.kind != "vision":
            names = {n: p for n, p in names.items() if "text_model" in n and p is not table}
        inner = {
            n: p
            for n, p in names.items()
            if p.ndim == 2 and ("layers" in n or "modality_projection" in n)
        }
        rest = [p for n, p in names.items() if n not in inner and p is not table]
        groups = [{"params": rest, "lr": stage.adam}]
        if stage.kind != "recall":
            groups.append({"params": [table], "lr": 0.3 * stage.adam})
        self.trained = [*inner.values(), *(p for group in groups for p in group["params"])]
        kept = {id(p) for p in self.trained}
        for weight in model.parameters():
            weight.requires_grad_(id(weight) in kept)
        self._muon = Muon(list(inner.values()), lr=stage.muon, momentum=0.95, weight_decay=0.01)
        self._adam = torch.optim.AdamW(groups, betas=(0.9, 0.97), weight_decay=0.0)
        self._peaks = [[g["lr"] for g in one.param_groups] for one in self._both()]

    def _both(self) -> tuple[torch.optim.Optimizer, torch.optim.Optimizer]:
        return self._muon, self._adam

    def step(self, number: int) -> float:
        """One step with the gradients that are there; the share of the peak rate it had."""
        share = rate(number, self._stage.steps, self._stage.level)
        for one, peaks in zip(self._both(), self._peaks, strict=True):
            for group, peak in zip(one.param_groups, peaks, strict=True):
                group["lr"] = peak * share
        torch.nn.utils.clip_grad_norm_(self.trained, _CLIP)
        for one in self._both():
            one.step()
            one.zero_grad(set_to_none=True)
        return share

    def state(self) -> list[dict[str, object]]:
        """For a checkpoint."""
        return [one.state_dict() for one in self._both()]

    def load(self, state: list[dict[str, object]]) -> None:
        """From a checkpoint."""
        for one, held in zip(self._both(), state, strict=True):
            one.load_state_dict(held)


def rate(number: int, steps: int, level: float) -> float:
    """Share of the peak learning rate: up, level until then, then down to a thirtieth."""
    warm = min(1.0, (number + 1) / min(_WARM_STEPS, max(1, steps // 5)))
    left = 1.0 - number / steps
    return warm * min(1.0, max(_LEAST, left / (1 - level)))
