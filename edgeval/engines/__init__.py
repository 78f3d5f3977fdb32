"""Engines: what runs a model's graphs. One module each, opened by name, never a silent fallback."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from edgeval.errors import EngineError, UnknownName

ENGINES = {"cpu": "edgeval.engines.ort"}
# Known names that cannot run here yet, with what to do instead.
NOT_YET = {
    "cuda": "the cuda engine is not in this version; use --engine cpu",
    "trt": "the TensorRT engine is not in this version; use --engine cpu",
}

Array = NDArray[np.generic]
Ints = NDArray[np.int64]
Floats = NDArray[np.float32]


class Context(Protocol):
    """A sequence of tokens in the decoder with its key-value cache."""

    @property
    def length(self) -> int:
        """Tokens so far."""

    def extend(
        self, embeds: Floats, *, places: Ints | None = None, deep: Floats | None = None
    ) -> Floats:
        """Append embeddings [S, hidden], S >= 1; logits [V] after the last.

        ``places``: positions [axes, S], the ones that follow the last token's where None.
        ``deep``: float32 [layers, S, hidden] for decoders that take it, zeros where None.
        """

    def step(self, token_id: int) -> Floats:
        """Append one token; logits [V], valid until the next call."""

    def fork(self) -> Context:
        """A context that goes on from here. The latest fork may be extended, earlier ones not."""


class Graphs(Protocol):
    """The three graphs of a model on an engine."""

    @property
    def version(self) -> str:
        """Name and version of what runs them."""

    def see(self, feeds: Mapping[str, Array]) -> Mapping[str, Floats]:
        """Vision graph: every output by name.

        ``image_features`` is [n, hidden], images and their tokens in order.
        """

    def embed(self, token_ids: Sequence[int]) -> Floats:
        """Rows of the embedding table [S, hidden]."""

    def start(self, capacity: int) -> Context:
        """An empty context that expects ``capacity`` tokens (it grows beyond)."""

    def close(self) -> None:
        """Free everything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphFiles:
    """Paths of the three graphs. ``threads`` None is every core this process may use."""

    vision: Path
    embed: Path
    decoder: Path
    threads: int | None = None


def names() -> tuple[str, ...]:
    """Engines that are here."""
    return tuple(ENGINES)


def open_graphs(name: str, files: GraphFiles) -> Graphs:
    """Open graphs on an engine: UnknownName for no such engine, EngineError where it cannot run."""
    if name in NOT_YET:
        raise EngineError(NOT_YET[name])
    if name not in ENGINES:
        raise UnknownName("engine", name, {**ENGINES, **NOT_YET})
    module = importlib.import_module(ENGINES[name])
    graphs: Graphs = module.open_graphs(files)
    return graphs
