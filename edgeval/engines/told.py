"""Graphs that say which phase of an answer they are in, for whoever watches the hardware."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from edgeval.engines import Array, Context, Floats, Graphs, Ints

# "vision", "prefill" or "step", told as it begins; what comes before vision is for others to tell.
Entered = Callable[[str], None]


def told(graphs: Graphs, entered: Entered) -> Graphs:
    """The same graphs, whose phases ``entered`` hears."""
    return _Told(graphs, entered)


class _Told:
    """Graphs as they are, and their phases told."""

    def __init__(self, graphs: Graphs, entered: Entered) -> None:
        self._graphs = graphs
        self._entered = entered

    @property
    def version(self) -> str:
        return self._graphs.version

    @property
    def placement(self) -> Mapping[str, str]:
        return self._graphs.placement

    def see(self, feeds: Mapping[str, Array]) -> Mapping[str, Floats]:
        self._entered("vision")
        return self._graphs.see(feeds)

    def embed(self, token_ids: Sequence[int]) -> Floats:
        self._entered("prefill")
        return self._graphs.embed(token_ids)

    def start(self, capacity: int) -> Context:
        self._entered("prefill")
        return _ToldContext(self._graphs.start(capacity), self._entered)

    def close(self) -> None:
        self._graphs.close()


class _ToldContext:
    """A context as it is; a step is told once for all that follow it."""

    def __init__(self, context: Context, entered: Entered) -> None:
        self._context = context
        self._entered = entered
        self._stepping = False

    @property
    def length(self) -> int:
        return self._context.length

    def extend(
        self, embeds: Floats, *, places: Ints | None = None, deep: Floats | None = None
    ) -> Floats:
        self._stepping = False
        self._entered("prefill")
        return self._context.extend(embeds, places=places, deep=deep)

    def step(self, token_id: int) -> Floats:
        if not self._stepping:
            self._stepping = True
            self._entered("step")
        return self._context.step(token_id)

    def fork(self) -> Context:
        return _ToldContext(self._context.fork(), self._entered)
