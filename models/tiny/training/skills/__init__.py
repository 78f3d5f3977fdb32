"""One module a generator: seeds in, samples out. Skill -> what deals its samples."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from training.scene import Sample
from training.skills import films, lessons, rooms, routines

Deal = Callable[[Sequence[int]], list[Sample]]

SKILLS: Mapping[str, Deal] = MappingProxyType(
    {
        "lessons": lessons.deal,
        "rooms": rooms.deal,
        "films": films.deal,
        "routines": routines.deal,
    }
)
