"""Graphs that keep what their decoder said: the logits behind a prompt and behind each token."""

from __future__ import annotations

from edgeval.engines import Context, Floats, Graphs, Ints
from edgeval.engines.passed import PassedContext, PassedGraphs
from edgeval.generate import logits_of
from edgeval.types import Logits


class Heard(PassedGraphs):
    """Graphs as they are; ``logits``: those of the last prompt, then of each token behind it."""

    def __init__(self, graphs: Graphs) -> None:
        super().__init__(graphs)
        self.logits: list[Logits] = []

    def start(self, capacity: int) -> Context:
        """See Graphs."""
        return _HeardContext(super().start(capacity), self)


class _HeardContext(PassedContext):
    """A context as it is, its logits kept as they come: the array may be reused."""

    def __init__(self, context: Context, heard: Heard) -> None:
        super().__init__(context)
        self._heard = heard

    def extend(
        self, embeds: Floats, *, places: Ints | None = None, deep: Floats | None = None
    ) -> Floats:
        logits = super().extend(embeds, places=places, deep=deep)
        self._heard.logits = [logits_of(logits)]
        return logits

    def step(self, token_id: int) -> Floats:
        logits = super().step(token_id)
        self._heard.logits.append(logits_of(logits))
        return logits

    def fork(self) -> Context:
        return _HeardContext(self.context.fork(), self._heard)
