"""Graphs that keep what their decoder said: the logits behind a prompt and behind each token."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from edgeval.engines import Array, Context, Floats, Graphs, Ints
from edgeval.generate import logits_of
from edgeval.types import Logits


class Heard:
    """Graphs as they are; ``logits``: those of the last prompt, then of each token behind it."""

    def __init__(self, graphs: Graphs) -> None:
        self._graphs = graphs
        self.logits: list[Logits] = []

    @property
    def version(self) -> str:
        """See Graphs."""
        return self._graphs.version

    @property
    def placement(self) -> Mapping[str, str]:
        """See Graphs."""
        return self._graphs.placement

    def see(self, feeds: Mapping[str, Array]) -> Mapping[str, Floats]:
        """See Graphs."""
        return self._graphs.see(feeds)

    def embed(self, token_ids: Sequence[int]) -> Floats:
        """See Graphs."""
        return self._graphs.embed(token_ids)

    def start(self, capacity: int) -> Context:
        """See Graphs."""
        return _HeardContext(self._graphs.start(capacity), self)

    def close(self) -> None:
        """See Graphs."""
        self._graphs.close()


class _HeardContext:
    """A context as it is, its logits kept as they come: the array may be reused."""

    def __init__(self, context: Context, heard: Heard) -> None:
        self._context = context
        self._heard = heard

    @property
    def length(self) -> int:
        return self._context.length

    def extend(
        self, embeds: Floats, *, places: Ints | None = None, deep: Floats | None = None
    ) -> Floats:
        logits = self._context.extend(embeds, places=places, deep=deep)
        self._heard.logits = [logits_of(logits)]
        return logits

    def step(self, token_id: int) -> Floats:
        logits = self._context.step(token_id)
        self._heard.logits.append(logits_of(logits))
        return logits

    def fork(self) -> Context:
        return _HeardContext(self._context.fork(), self._heard)
