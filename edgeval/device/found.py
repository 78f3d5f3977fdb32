"""Which hardware this is, and so who measures it."""

from __future__ import annotations

from pathlib import Path

from edgeval.device import jetson, nvidia, rapl
from edgeval.device.none import Unmetered
from edgeval.device.source import Source


def sources(*, engine: str, gpu: str = "", root: Path = Path("/")) -> tuple[Source, ...]:
    """Everything worth watching in a run on ``engine``.

    A Jetson's rails hold its processor and GPU alike. Elsewhere the processor has RAPL, and a card
    NVML: it is watched unless the engine leaves it idle. ``gpu``: CUDA_VISIBLE_DEVICES.
    """
    board = jetson.find(root)
    if board is not None:
        return (board,)
    processor, why = rapl.find(root)
    found: list[Source] = [processor if processor is not None else Unmetered(root, why)]
    if engine != "cpu":
        card, why = nvidia.find(gpu)
        found += [card] if card is not None else [Unmetered(root, why)]
    return tuple(found)
