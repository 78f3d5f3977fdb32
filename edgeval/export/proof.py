"""Proof that exported graphs are the model.

Greedy tokens and logits against torch on fixed inputs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from edgeval.engines import Graphs
from edgeval.export.damage import Damage
from edgeval.export.graphspec import Fixed
from edgeval.export.ranges import Ranges, watched
from edgeval.modelfolder import Plain

N_TOKENS = 64
# Largest root mean square of the logit differences, as a share of the logits' standard deviation.
# Seen: fp32 1e-6 (rounding); 8-bit weights 0.01 to 0.1 and 4-bit weights 0.1 to 0.6, the larger for
# random weights, which nothing made robust.
TOLERANCE: Mapping[str, float] = {
    "fp32": 1e-4, "fp16": 0.02, "int8": 0.2, "int8-dynamic": 1.0, "q4": 1.0,
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """``n_equal`` of ``n_tokens`` greedy tokens equal to torch's.

    Logits compared on torch's own tokens. ``damage``: of fewer bits, on a text.
    """

    n_tokens: int
    n_equal: int
    max_abs_dlogit: float
    rms_dlogit: float
    logit_std: float
    tolerance: float
    damage: Damage | None = None

    @property
    def holds(self) -> bool:
        """Whether the difference is within the tolerance of the precision."""
        return self.rms_dlogit <= self.tolerance * self.logit_std

    def table(self) -> dict[str, Plain]:
        """For the manifest."""
        return {
            "tokens": self.n_tokens,
            "equal_tokens": self.n_equal,
            "max_abs_dlogit": float(f"{self.max_abs_dlogit:.3g}"),
            "rms_dlogit": float(f"{self.rms_dlogit:.3g}"),
            "logit_std": float(f"{self.logit_std:.3g}"),
            "tolerance": self.tolerance,
            **(self.damage.table() if self.damage else {}),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """What the checkpoint itself says.

    Logits [N_TOKENS, V], its greedy tokens, and how large numbers got on the way.
    """

    logits: NDArray[np.float32]
    tokens: tuple[int, ...]
    ranges: Ranges


def reference(model: Any, fixed: Fixed) -> Reference:
    """Run the checkpoint in torch."""
    rows: list[NDArray[np.float32]] = []
    tokens: list[int] = []
    with torch.no_grad(), watched(model) as ranges:
        out = model(input_ids=torch.tensor([fixed.prompt]), use_cache=True, **fixed.torch)
        for _ in range(N_TOKENS):
            rows.append(out.logits[0, -1].numpy())
            tokens.append(int(rows[-1].argmax()))
            out = model(
                input_ids=torch.tensor([tokens[-1:]]),
                past_key_values=out.past_key_values,
                use_cache=True,
            )
    return Reference(logits=np.stack(rows), tokens=tuple(tokens), ranges=ranges)


def prove(reference: Reference, graphs: Graphs, *, fixed: Fixed, precision: str) -> Proof:
    """Run graphs on the frames and token ids of a reference, its tokens forced on them."""
    features = fixed.gather([graphs.see(fixed.feeds)])
    embeds = np.array(graphs.embed(fixed.prompt), np.float32)
    embeds[fixed.visual] = features.rows
    deep = None
    if features.deep is not None:
        deep = np.zeros((len(features.deep), *embeds.shape), np.float32)
        deep[:, fixed.visual] = features.deep
    context = graphs.start(len(fixed.prompt) + N_TOKENS)
    logits = context.extend(embeds, places=fixed.places, deep=deep)
    got_logits, n_equal = [], 0
    for token in reference.tokens:
        got_logits.append(logits.copy())
        n_equal += int(logits.argmax()) == token
        logits = context.step(token)
    difference = np.stack(got_logits) - reference.logits
    return Proof(
        n_tokens=N_TOKENS,
        n_equal=n_equal,
        max_abs_dlogit=float(np.abs(difference).max()),
        rms_dlogit=float(np.sqrt(np.mean(np.square(difference, dtype=np.float64)))),
        logit_std=float(reference.logits.std()),
        tolerance=TOLERANCE[precision],
    )
