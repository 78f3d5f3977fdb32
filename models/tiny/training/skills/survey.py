"""What a tour of a room says and what follows from it, in words no finer than frames have them."""

from __future__ import annotations

import functools
import math

from edgeval.scenes import Box, gaps_m
from edgeval.synth.rooms import AREA_M2, Room, Shot
from training.words import GROUPS, Slots, binned, middle

_LONG_M = (0.24, 1.6)
_PLAN_M = (0.0, 9.0)
# From one word of a place to the next.
STEP_M = (_PLAN_M[1] - _PLAN_M[0]) / len(GROUPS["x"])
# Metres as they are taught: each about an eighth more than the one before.
_APART_M = (
    *(0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.2, 1.4, 1.6, 1.8, 2.0),
    *(2.3, 2.6, 3.0, 3.4, 3.8, 4.3, 4.8, 5.4, 6.0, 6.8, 7.6, 8.5),
)


def said_long(metres: float) -> str:
    """A thing's length in centimetres."""
    return long_of(binned("long", metres, *_LONG_M, by_ratio=True))


def long_of(word: str) -> str:
    """The centimetres that a word of length stands for."""
    return str(round(100 * middle("long", word, *_LONG_M, by_ratio=True)))


def said_area(square_metres: float) -> str:
    """A room's size in square metres."""
    return area_of(binned("area", square_metres, *AREA_M2, by_ratio=True))


def area_of(word: str) -> str:
    """The square metres that a word of a room's size stands for."""
    return str(round(middle("area", word, *AREA_M2, by_ratio=True)))


def said_m(metres: float) -> str:
    """A distance in metres."""
    return f"{min(_APART_M, key=lambda one: abs(math.log(one / max(metres, 0.1)))):.1f}"


def said_steps(one: int, other: int) -> str:
    """From one word of a place to another."""
    return f"-{one - other}" if other < one else f"+{other - one}"


def said_way(turn_deg: float) -> str:
    """The quarter that one looks at after a turn, left above 0."""
    return f"{'front' if abs(turn_deg) < 90 else 'back'}-{'left' if turn_deg > 0 else 'right'}"


class Survey:
    """A room as its frames tell it."""

    def __init__(self, room: Room) -> None:
        self.room = room
        self.single = {kind: held[0] for kind, held in room.boxes.items() if len(held) == 1}

    def says(self, shot: Shot) -> Slots:
        """The room's size; how long and how many; what; where: beside its name is what is asked."""
        kind, box = shot.kind, self.room.box(shot)
        x, y = self.place(box)
        area = binned("area", self.room.width * self.room.depth, *AREA_M2, by_ratio=True)
        return (
            {"area": area},
            {
                "long": binned("long", max(box.lengths), *_LONG_M, by_ratio=True),
                "many": str(len(self.room.boxes[kind])),
            },
            {"thing": kind.split()[-1]},
            {"x": x, "y": y},
        )

    def place(self, box: Box) -> tuple[str, str]:
        """Where a thing is on the plan."""
        return binned("x", box.ground[0], *_PLAN_M), binned("y", box.ground[1], *_PLAN_M)

    @functools.cache  # noqa: B019 - a survey lives as long as its sample
    def gap_m(self, one: str, other: str) -> float:
        """Metres between the closest of two kinds."""
        pairs = [(a, b) for a in self.room.boxes[one] for b in self.room.boxes[other]]
        return float(min(gaps_m([a for a, _ in pairs], [b for _, b in pairs]).tolist()))

    def first(self, kind: str) -> int:
        """The number of the shot, from 1, that shows a kind first."""
        return 1 + next(at for at, shot in enumerate(self.room.tour) if shot.kind == kind)

    def told_off(self, one: str, other: str) -> tuple[str, str]:
        """How far to the right and up on the plan, in steps of its words."""
        (x1, y1), (x2, y2) = (self.place(self.single[kind]) for kind in (one, other))
        x, y = ((int(a[2:-1]), int(b[2:-1])) for a, b in ((x1, x2), (y1, y2)))
        return said_steps(*x), said_steps(*y)

    def told_places(self, *kinds: str) -> str:
        """Where things are."""
        return " ".join(f"{kind} {' '.join(self.place(self.single[kind]))}" for kind in kinds)

    def told_apart(self, one: str, other: str) -> str:
        """Where both are, and how many steps lie between."""
        return f"{self.told_places(one, other)}: {' '.join(self.told_off(one, other))}"
