"""transformers on the same weights and pixels: the loop that ``generate`` runs, and nothing else.

``generate`` itself does more on the host for every token (stopping criteria, logits processors), so
this is the faster of the two and the harder to beat.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from edgeval.processor import Feeds
from gpu_check.checkpoint import MODEL_TYPE
from gpu_check.families import model_class
from gpu_check.limits import settle


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A prompt and its video on the host, as transformers takes them."""

    ids: torch.Tensor
    kinds: torch.Tensor
    pixels: torch.Tensor
    grid: torch.Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """Greedy tokens; seconds to the first (pixels on the host to its id there), and of steps."""

    token_ids: tuple[int, ...]
    first_s: float
    step_s: tuple[float, ...]


class Peer:
    """A checkpoint in transformers, on a device."""

    def __init__(self, folder: Path, *, attention: str, device: str, dtype: torch.dtype) -> None:
        self.device = device
        self.model = model_class(MODEL_TYPE).from_pretrained(
            folder, dtype=dtype, attn_implementation=attention, local_files_only=True
        )
        self.model.eval().requires_grad_(requires_grad=False).to(device)
        self._video_id = int(self.model.config.video_token_id)

    def asked(self, token_ids: Sequence[int], feeds: Sequence[Feeds]) -> Asked:
        """What edgeval's processor made, bites put together again."""
        ids = torch.tensor([list(token_ids)])
        grids = np.concatenate([feed["grid_thw"] for feed in feeds])
        whole = np.array([[grids[:, 0].sum(), *grids[0, 1:]]])
        return Asked(
            ids=ids,
            kinds=2 * (ids == self._video_id).long(),
            pixels=torch.from_numpy(np.concatenate([feed["pixel_values"] for feed in feeds])),
            grid=torch.from_numpy(whole),
        )

    @torch.inference_mode()
    def see(self, asked: Asked) -> float:
        """Seconds of the vision tower alone, pixels on the host at the start."""
        tower = self.model.model.visual
        settle(self.device)
        start = time.perf_counter()
        tower(asked.pixels.to(self.device, tower.dtype), grid_thw=asked.grid.to(self.device))
        settle(self.device)
        return time.perf_counter() - start

    @torch.inference_mode()
    def answer(self, asked: Asked, n_tokens: int) -> Said:
        """So many greedy tokens, whatever they are; every step ends with its token on the host."""
        settle(self.device)
        start = time.perf_counter()
        out: Any = self.model(
            input_ids=asked.ids.to(self.device),
            attention_mask=torch.ones_like(asked.ids).to(self.device),
            mm_token_type_ids=asked.kinds.to(self.device),
            pixel_values_videos=asked.pixels.to(self.device),
            video_grid_thw=asked.grid.to(self.device),
            use_cache=True,
            logits_to_keep=1,
        )
        token = out.logits[:, -1].argmax(-1, keepdim=True)
        ids = [int(token)]
        first_s = time.perf_counter() - start
        steps: list[float] = []
        while len(ids) < n_tokens:
            start = time.perf_counter()
            out = self.model(
                input_ids=token,
                past_key_values=out.past_key_values,
                use_cache=True,
                logits_to_keep=1,
            )
            token = out.logits[:, -1].argmax(-1, keepdim=True)
            ids.append(int(token))
            steps.append(time.perf_counter() - start)
        return Said(token_ids=tuple(ids), first_s=first_s, step_s=tuple(steps))

    def close(self) -> None:
        """Give the device's memory back."""
        self.model = None
        if self.device.startswith("cuda"):
            torch.cuda.empty_cache()
