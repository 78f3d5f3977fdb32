"""From a seed to a furnished room and a tour of it; nothing is drawn here.

A tour is a shot of each thing, one as long as another, in an order that is drawn: the camera stands
before the thing's front, always as far from it, and sways a little. All tours are of one length, so
that says nothing of how much there is, and sixteen pictures taken evenly show every thing.

A name says nothing about a thing: sizes and places are drawn first and the names are dealt to them
after, so a sofa is as often smaller than a lamp as larger, and nobody who has not watched knows
what is near what, left of what or seen before what. Metres, z up.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from edgeval.errors import ArgumentError
from edgeval.scenes import Box, Scene, corners
from edgeval.synth.draws import Draws, scene_draws

DATASET = "rooms"
KINDS = (
    *("chair", "table", "sofa", "bed", "lamp", "tv"),
    *("refrigerator", "bookshelf", "trash bin", "plant", "stool", "stove"),
)
WALL_M = 2.6
EYE_M = 1.0
N_SINGLE = 6
N_SEVERAL = 2
SEVERAL = (2, 5)
SIZE_M = (0.3, 1.0)
AREA_M2 = (16.0, 64.0)
# Of its two sides.
RATIO = (0.8, 1.25)
SECONDS = 16
# Between the camera and the front of what it looks at, and how far it sways to either side.
STANDOFF_M = 1.2
SWAY_M = 0.06
# Between things, between those of one kind, between the camera and the walls, and beside its sight.
_ROOM_BETWEEN_M = 0.1
_KIN_APART_M = 1.0
_FROM_WALL_M = 0.1
_BESIDE_SIGHT_M = 0.05
_TRIES = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Pose:
    """Where the camera is, and where it looks: degrees, 0 along x, left turns above 0."""

    x: float
    y: float
    yaw_deg: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """What a shot is of: the ``number``-th thing of ``kind``."""

    kind: str
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """One room: ``width`` along x and ``depth`` along y from the corner (0, 0), and what is in it.

    ``tour``: a shot of each thing.
    """

    seed: int
    width: float
    depth: float
    boxes: Mapping[str, tuple[Box, ...]]
    tour: tuple[Shot, ...]

    @property
    def name(self) -> str:
        """The name of its scene and video."""
        return f"room_{self.seed}"

    @property
    def scene(self) -> Scene:
        """Its geometry, to ask about."""
        counts = {kind: len(boxes) for kind, boxes in self.boxes.items()}
        return Scene(
            name=self.name,
            dataset=DATASET,
            room_m2=self.width * self.depth,
            counts=counts,
            boxes=self.boxes,
        )

    def moment(self, i: int, n: int) -> tuple[Shot, float]:
        """The shot at the ``i``-th of ``n`` even moments, and the share of it that is over."""
        at, rest = divmod(i * len(self.tour), n)
        return self.tour[at], rest / n

    def box(self, shot: Shot) -> Box:
        """The thing that a shot is of."""
        return self.boxes[shot.kind][shot.number]


def pose(box: Box, share: float) -> Pose:
    """Where the camera stands when ``share`` of a thing's shot is over."""
    away = STANDOFF_M + box.lengths[1] / 2
    x, y = (at - away * way for at, way in zip(box.ground, box.axes[1], strict=False))
    (across_x, across_y, _), aside = box.axes[0], SWAY_M * (2 * share - 1)
    yaw = math.degrees(math.atan2(box.axes[1][1], box.axes[1][0]))
    return Pose(x=x + aside * across_x, y=y + aside * across_y, yaw_deg=yaw)


def make(seed: int) -> Room:
    """The room of ``seed``: six things of which there is one, two kinds of which there are more.

    Raises ArgumentError for a negative seed.
    """
    if seed < 0:
        raise ArgumentError(f"room: got the seed {seed}; wants 0 or more")
    draws = scene_draws(seed, DATASET)
    # Before the tries, which small and full rooms need more of.
    area = AREA_M2[0] * (AREA_M2[1] / AREA_M2[0]) ** draws.random()
    several = [draws.randint(*SEVERAL) for _ in range(N_SEVERAL)]
    while (room := _drawn(seed, area, several, draws)) is None:
        pass
    return room


class _Spot(NamedTuple):
    """Where a thing stands, how far its corners reach, and where it is looked at from."""

    ground: tuple[float, float]
    reach: float
    before: tuple[float, float]


def _drawn(seed: int, area: float, several: Sequence[int], draws: Draws) -> Room | None:
    """A room, or None where not all has found a place; then the next draws make another."""
    width = math.sqrt(area * draws.uniform(*RATIO))
    depth = area / width
    groups: list[tuple[Box, ...]] = []
    held: list[_Spot] = []
    for n in (*several, *[1] * N_SINGLE):
        lengths = _lengths(draws)
        found: list[Box] = []
        for _ in range(n):
            turn = math.radians(draws.randrange(0, 360, 15))
            kin = held[len(held) - len(found) :]
            spot = _free_spot(draws, (width, depth), lengths, turn, (held, kin))
            if spot is None:
                return None
            held.append(spot)
            found.append(_box(spot, lengths, turn))
        groups.append(tuple(found))
    boxes = dict(sorted(zip(draws.sample(KINDS, len(groups)), groups, strict=True)))
    shots = [Shot(kind=kind, number=i) for kind, group in boxes.items() for i in range(len(group))]
    return Room(
        seed=seed,
        width=width,
        depth=depth,
        boxes=boxes,
        tour=tuple(draws.sample(shots, len(shots))),
    )


def _lengths(draws: Draws) -> tuple[float, float, float]:
    """Of widely differing size, so that no one guess is near most of them; wider than deep."""
    size = SIZE_M[0] * (SIZE_M[1] / SIZE_M[0]) ** draws.random()
    wide = size * draws.uniform(0.7, 1)
    return wide, wide * draws.uniform(0.7, 1), size * draws.uniform(0.5, 1.7)


def _free_spot(
    draws: Draws,
    size: tuple[float, float],
    lengths: tuple[float, float, float],
    turn: float,
    others: tuple[Sequence[_Spot], Sequence[_Spot]],
) -> _Spot | None:
    """Where a thing stands free of all others and so does its camera; ``others``: all, and kin."""
    reach = math.hypot(lengths[0], lengths[1]) / 2
    away = STANDOFF_M + lengths[1] / 2
    ahead = (away * math.sin(turn), -away * math.cos(turn))
    # Of the thing's middle, so that it and its camera are inside.
    wall = _FROM_WALL_M + SWAY_M
    low = [max(reach, wall - way) for way in ahead]
    high = [min(side - reach, side - wall - way) for side, way in zip(size, ahead, strict=True)]
    for _ in range(_TRIES):
        x, y = (draws.uniform(*ends) for ends in zip(low, high, strict=True))
        spot = _Spot(ground=(x, y), reach=reach, before=(x + ahead[0], y + ahead[1]))
        if all(_apart(spot, other) for other in others[0]) and all(
            math.dist(spot.ground, other.ground) >= _KIN_APART_M for other in others[1]
        ):
            return spot
    return None


def _apart(spot: _Spot, other: _Spot) -> bool:
    """Whether two things stand free of each other, and neither where the other is seen from."""
    near = math.dist(spot.ground, other.ground)
    if near < _ROOM_BETWEEN_M + spot.reach + other.reach:
        return False
    # Farther apart than the camera is, neither can be in the way.
    return near > STANDOFF_M + 2 * (spot.reach + other.reach) or not (
        _in_sight(spot, other) or _in_sight(other, spot)
    )


def _in_sight(spot: _Spot, other: _Spot) -> bool:
    """Whether ``other`` stands between a thing and its camera."""
    off = from_line(other.ground, spot.before, spot.ground)
    return off < other.reach + SWAY_M + _BESIDE_SIGHT_M


def _box(spot: _Spot, lengths: tuple[float, float, float], turn: float) -> Box:
    c, s = math.cos(turn), math.sin(turn)
    return Box(
        centre=(*spot.ground, lengths[2] / 2),
        axes=((c, s, 0.0), (-s, c, 0.0), (0.0, 0.0, 1.0)),
        lengths=lengths,
    )


def from_line(
    point: tuple[float, float], start: tuple[float, float], end: tuple[float, float]
) -> float:
    """Distance in metres of ``point`` from the straight way between ``start`` and ``end``."""
    way = (end[0] - start[0], end[1] - start[1])
    length2 = way[0] ** 2 + way[1] ** 2
    along = (point[0] - start[0]) * way[0] + (point[1] - start[1]) * way[1]
    part = min(1.0, max(0.0, along / length2)) if length2 else 0.0
    return math.dist(point, (start[0] + part * way[0], start[1] + part * way[1]))


def meta(room: Room) -> dict[str, object]:
    """The room in the format of VSI-Bench's own meta files."""
    return {
        "dataset": DATASET,
        "room_size": room.width * room.depth,
        "room_center": [room.width / 2, room.depth / 2, WALL_M / 2],
        "object_counts": {kind: len(boxes) for kind, boxes in room.boxes.items()},
        "object_bbox": {kind: [_row(box) for box in boxes] for kind, boxes in room.boxes.items()},
    }


def _row(box: Box) -> dict[str, list[float]]:
    held = corners(box)
    return {
        "centroid": list(box.centre),
        "axesLengths": list(box.lengths),
        "normalizedAxes": [*itertools.chain(*box.axes)],
        "min": held.min(axis=0).tolist(),
        "max": held.max(axis=0).tolist(),
    }
