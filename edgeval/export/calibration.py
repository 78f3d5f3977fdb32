"""What a layer's inputs are on a text: which weights matter when there are bits for few.

The mean square of every input of every linear layer of the text part, as llama.cpp's importance
matrix has it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from edgeval.chat.tokenizer import Tokenizer
from edgeval.errors import DataError, ManifestError
from edgeval.modelfolder import Plain

MOST_BYTES, MOST_TOKENS, PIECE = 1 << 20, 4096, 512


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """``squares``: [K] of each layer by name; ``told``: of what text, "" where there was none."""

    squares: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)
    told: str = ""

    def table(self) -> dict[str, Plain]:
        """For the manifest."""
        return {"calibration": self.told} if self.told else {}


NONE = Calibration()


def calibrate(model: nn.Module, tokenizer: Tokenizer, text: Path) -> Calibration:
    """Read a text of up to 4,096 tokens with the checkpoint.

    DataError for a file that is no text, ManifestError for a tokenizer of another model.
    """
    try:
        with text.open("rb") as file:
            raw = file.read(MOST_BYTES)
        ids = tokenizer.encode(raw.decode("utf-8", "strict" if len(raw) < MOST_BYTES else "ignore"))
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"calibration {text}: cannot be read as UTF-8 text ({error})") from error
    ids = ids[:MOST_TOKENS]
    if len(ids) < 2:
        raise DataError(f"calibration {text}: got {len(ids)} tokens; wants a text of hundreds")
    n_known = model.get_input_embeddings().num_embeddings
    if max(ids) >= n_known:
        raise ManifestError(
            f"tokenizer.json: gives token {max(ids)} to a model of {n_known}; the tokenizer is of "
            "another model"
        )
    squares = _squares(model, ids)
    digest = hashlib.sha256(raw).hexdigest()[:12]
    return Calibration(squares=squares, told=f"{len(ids)} tokens of {digest}")


def _squares(model: nn.Module, ids: tuple[int, ...]) -> dict[str, NDArray[np.float32]]:
    sums: dict[str, Tensor] = {}

    def watch(name: str) -> Any:
        def hook(module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
            del module
            rows = inputs[0].reshape(-1, inputs[0].shape[-1]).double()
            sums[name] = sums.get(name, 0) + rows.square().sum(0)

        return hook

    hooks = [
        module.register_forward_pre_hook(watch(name))
        for name, module in model.named_modules()
        if isinstance(module, nn.Linear)
    ]
    try:
        with torch.no_grad():
            for start in range(0, len(ids), PIECE):
                model(input_ids=torch.tensor([ids[start : start + PIECE]]), use_cache=False)
    finally:
        for hook in hooks:
            hook.remove()
    return {name: (total / len(ids)).float().numpy() for name, total in sums.items()}
