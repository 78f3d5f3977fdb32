"""Graphs that are another's: what listens to an engine changes only the calls it listens to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from edgeval.engines import Array, Context, Floats, Graphs, Ints


class PassedGraphs:
    """See Graphs; every call goes on to ``graphs``."""

    def __init__(self, graphs: Graphs) -> None:
        self._graphs = graphs

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
        return self._graphs.start(capacity)

    def close(self) -> None:
        """See Graphs."""
        self._graphs.close()


class PassedContext:
    """See Context; every call goes on to ``context``, and ``fork`` is for each kind to make."""

    def __init__(self, context: Context) -> None:
        self._context = context

    @property
    def length(self) -> int:
        """See Context."""
        return self._context.length

    def extend(
        self, embeds: Floats, *, places: Ints | None = None, deep: Floats | None = None
    ) -> Floats:
        """See Context."""
        return self._context.extend(embeds, places=places, deep=deep)

    def step(self, token_id: int) -> Floats:
        """See Context."""
        return self._context.step(token_id)
