"""Graphs that say which phase of an answer they are in, for whoever watches the hardware."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from edgeval.engines import Array, Context, Floats, Graphs, Ints, rows_of
from edgeval.engines.passed import PassedContext, PassedGraphs, PassedRows
from edgeval.generate import Rows

# "vision", "prefill" or "step", told as it begins; what comes before vision is for others to tell.
Entered = Callable[[str], None]


def told(graphs: Graphs, entered: Entered) -> Graphs:
    """The same graphs, whose phases ``entered`` hears."""
    return _Told(graphs, entered)


class _Told(PassedGraphs):
    """Graphs as they are, and their phases told."""

    def __init__(self, graphs: Graphs, entered: Entered) -> None:
        super().__init__(graphs)
        self._entered = entered

    def see(self, feeds: Mapping[str, Array]) -> Mapping[str, Floats]:
        self._entered("vision")
        return super().see(feeds)

    def embed(self, token_ids: Sequence[int]) -> Floats:
        self._entered("prefill")
        return super().embed(token_ids)

    def start(self, capacity: int) -> Context:
        self._entered("prefill")
        return _ToldContext(super().start(capacity), self._entered)

    def rows(self, n: int) -> Rows[Context]:
        return _ToldRows(rows_of(self._graphs, n), self._entered)


class _ToldContext(PassedContext):
    """A context as it is; a step is told once for all that follow it."""

    def __init__(self, context: Context, entered: Entered) -> None:
        super().__init__(context)
        self._entered = entered
        self._stepping = False

    def extend(
        self, embeds: Floats, *, places: Ints | None = None, deep: Floats | None = None
    ) -> Floats:
        self._stepping = False
        self._entered("prefill")
        return super().extend(embeds, places=places, deep=deep)

    def step(self, token_id: int) -> Floats:
        if not self._stepping:
            self._stepping = True
            self._entered("step")
        return super().step(token_id)

    def fork(self) -> Context:
        return _ToldContext(self.context.fork(), self._entered)


class _ToldRows(PassedRows):
    """Rows as they are; each step is told, for a question may have been read before it."""

    def __init__(self, rows: Rows[Context], entered: Entered) -> None:
        super().__init__(rows)
        self._entered = entered

    def step(self, token_ids: Sequence[int]) -> Sequence[Floats]:
        self._entered("step")
        return super().step(token_ids)
