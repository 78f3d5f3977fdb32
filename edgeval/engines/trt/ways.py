"""The two ways in which a decoder's cache is kept, each an engine of its own name.

``trt`` writes rows behind rows, with every TensorRT from 10.3 on. ``trt-inplace`` keeps the cache
in place, which gives decode steps of one shape that are replayed as a CUDA graph, and asks for
TensorScatter. Neither falls to the other: what ran is what was asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from edgeval.engines.trt import rows, scatter
from edgeval.engines.trt.cache import Held, InPlace, Rows
from edgeval.engines.trt.graphfile import GraphFile, Port
from edgeval.engines.trt.library import FULL, RTX, Library, numbers
from edgeval.engines.trt.memory import Memory
from edgeval.engines.trt.profiles import Profile
from edgeval.engines.trt.rows import Cache
from edgeval.errors import EngineError

Ports = tuple[Mapping[str, Port], Mapping[str, Port]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """``engine``: its name for users; ``ports`` and ``rewritten``: of a plain decoder.

    ``known``: raises EngineError for a decoder that cannot be rewritten so.

    ``hold``: memory of caches for a capacity and the most new tokens of a run; ``about``: for run
    cards; ``since``: versions of the libraries, the oldest that are known where none is named.
    """

    engine: str
    ports: Callable[[GraphFile], Ports]
    rewritten: Callable[[GraphFile, Profile], bytes]
    known: Callable[[GraphFile], object]
    hold: Callable[[Sequence[Cache], Memory, int, int], Held]
    about: str
    since: Mapping[str, tuple[int, int]] = field(default_factory=dict)

    def check(self, library: Library, graph: GraphFile) -> None:
        """EngineError where a library or a decoder does not go this way."""
        since = self.since.get(library.name, (0, 0))
        if numbers(library.version) < since:
            raise EngineError(
                f"engine {self.engine}: got {library.title}; wants {since[0]}.{since[1]} or later, "
                f"which has TensorScatter, or --engine {ROWS.engine}"
            )
        self.known(graph)


def _rows(graph: GraphFile, _profile: Profile) -> bytes:
    return rows.rewritten(graph)


def _in_place(graph: GraphFile, profile: Profile) -> bytes:
    """For the context that the profile says."""
    cache = rows.caches(graph)[0]
    return scatter.rewritten(graph, profile.shapes[cache.past].high[scatter.ROWS_AXIS])


ROWS = Way(
    engine="trt",
    ports=rows.ports,
    rewritten=_rows,
    known=rows.caches,
    hold=Rows,
    about="rows of the cache behind rows",
)
IN_PLACE = Way(
    engine="trt-inplace",
    ports=scatter.ports,
    rewritten=_in_place,
    known=scatter.changes,
    hold=InPlace,
    about="the cache in place",
    # TensorRT-RTX: the oldest that was tried.
    since={FULL: (10, 15), RTX: (1, 7)},
)
WAYS = {way.engine: way for way in (ROWS, IN_PLACE)}
