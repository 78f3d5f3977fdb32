"""Graphs that are another's: what listens to an engine changes only the calls it listens to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from edgeval.engines import Array, Context, Floats, Graphs, Ints, rows_of
from edgeval.generate import Rows


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

    def rows(self, n: int) -> Rows[Context]:
        """See Batching."""
        return PassedRows(rows_of(self._graphs, n))

    def close(self) -> None:
        """See Graphs."""
        self._graphs.close()


class PassedContext:
    """See Context; every call goes on to ``context``, and ``fork`` is for each kind to make."""

    def __init__(self, context: Context) -> None:
        self.context = context

    @property
    def length(self) -> int:
        """See Context."""
        return self.context.length

    def extend(
        self, embeds: Floats, *, places: Ints | None = None, deep: Floats | None = None
    ) -> Floats:
        """See Context."""
        return self.context.extend(embeds, places=places, deep=deep)

    def step(self, token_id: int) -> Floats:
        """See Context."""
        return self.context.step(token_id)


class PassedRows:
    """See Rows; every call goes on to ``rows``, with the contexts that it knows."""

    def __init__(self, rows: Rows[Context]) -> None:
        self._rows = rows

    def add(self, context: Context) -> None:
        """See Rows."""
        self._rows.add(context.context if isinstance(context, PassedContext) else context)

    def step(self, token_ids: Sequence[int]) -> Sequence[Floats]:
        """See Rows."""
        return self._rows.step(token_ids)

    def drop(self, row: int) -> None:
        """See Rows."""
        self._rows.drop(row)
