"""Engines: what runs a model's graphs. One module each, opened by name, never a silent fallback."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from edgeval.errors import EngineError, UnknownName
from edgeval.generate import Alone, Rows

ENGINES = MappingProxyType(
    {
        "trt": "edgeval.engines.trt",
        "cuda": "edgeval.engines.ort.cuda",
        "cpu": "edgeval.engines.ort.cpu",
        "trt-inplace": "edgeval.engines.trt.inplace",
    }
)
AUTO = "auto"
# In the order in which "auto" tries them, the fastest first.
TRIED = ("trt", "cuda", "cpu")

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

    @property
    def placement(self) -> Mapping[str, str]:
        """Vision, embedding, decoder: where each really runs."""

    def see(self, feeds: Mapping[str, Array]) -> Mapping[str, Floats]:
        """Vision graph: every output by name.

        ``image_features`` is [n, hidden], images and their tokens in order.
        """

    def embed(self, token_ids: Sequence[int]) -> Floats:
        """Rows of the embedding table [S, hidden]."""

    def start(self, capacity: int) -> Context:
        """An empty context that expects ``capacity`` tokens (it grows beyond)."""

    def close(self) -> None:
        """Free everything; a second time there is nothing to do."""


@runtime_checkable
class Batching(Protocol):
    """What graphs may have besides: contexts that take a token each in one call."""

    def rows(self, n: int) -> Rows[Context]:
        """Rows for up to ``n`` contexts of these graphs, n > 1.

        Each gets the bits that it gets alone: EngineError where that is not so, here, with them.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphFiles:
    """Paths of the three graphs. ``threads`` None is every core this process may use.

    ``lean``: weights are used where the file has them, slower, instead of being copied into the
    form that is fastest, and the vision graph is held only while it looks (onnxruntime on the CPU
    only; others take no notice).
    """

    vision: Path
    embed: Path
    decoder: Path
    threads: int | None = None
    lean: bool = False


class Engine(Protocol):
    """What a module of an engine holds."""

    def check(self, files: GraphFiles, /) -> str:
        """What would run the graphs here; EngineError with the reason where it cannot.

        Asks drivers, packages and the outline of the graphs; loads none of them.
        """

    def open_graphs(self, files: GraphFiles, /) -> Graphs:
        """Open the three graphs; EngineError where they cannot run, in whole and on this engine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """An engine chosen, and why: what runs on it, and why none of those before it could."""

    name: str
    why: tuple[str, ...]


def names() -> tuple[str, ...]:
    """Engines that are here."""
    return tuple(ENGINES)


def load(name: str) -> Engine:
    """An engine's module: UnknownName for no such engine."""
    if name not in ENGINES:
        raise UnknownName("engine", name, (*ENGINES, AUTO))
    engine: Engine = importlib.import_module(ENGINES[name])
    return engine


def choose(name: str, files: GraphFiles) -> Choice:
    """The engine called ``name``, or the first that can run the graphs for AUTO.

    Raises UnknownName, and EngineError where none can.
    """
    if name != AUTO:
        return Choice(name=name, why=(load(name).check(files),))
    reasons: list[str] = []
    for candidate in TRIED:
        try:
            return Choice(name=candidate, why=(load(candidate).check(files), *reasons))
        except EngineError as error:
            reasons.append(str(error))
    raise EngineError(f"engine {AUTO}: none can run here: {'; '.join(reasons)}")


def open_graphs(name: str, files: GraphFiles) -> Graphs:
    """Open graphs on an engine: UnknownName for no such engine, EngineError where it cannot run."""
    return load(name).open_graphs(files)


def rows_of(graphs: Graphs, n: int) -> Rows[Context]:
    """Rows for up to ``n`` contexts; EngineError where the engine or its graphs have only one."""
    if n == 1:
        return Alone()
    if not isinstance(graphs, Batching):
        raise EngineError(
            f"--batch-questions: got {n}; {graphs.version} answers one question at a time here: "
            "leave the option out, or use --engine cpu"
        )
    return graphs.rows(n)
