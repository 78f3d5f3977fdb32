"""From a seed to a furnished room and a camera's way through it; nothing is drawn here.

A name says nothing about a thing: sizes and places are drawn first and the names are dealt to them
after, so a sofa is as often smaller than a lamp as larger, and nobody who has not watched knows
what is near what, left of what or seen before what. Metres, z up.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from edgeval.errors import ArgumentError
from edgeval.scenes import Box, Scene, corners
from edgeval.synth.draws import Draws, scene_draws

DATASET = "rooms"
KINDS = (
    *("chair", "table", "sofa", "bed", "lamp", "tv"),
    *("refrigerator", "bookshelf", "trash bin", "plant", "stool", "stove"),
)
WALL_M = 2.6
EYE_M = 1.5
N_SINGLE = 6
N_SEVERAL = 2
SEVERAL = (2, 5)
SIZE_M = (0.35, 1.3)
AREA_M2 = (18.0, 90.0)
SECONDS = 20
# Between things, and between the camera and any of them.
_ROOM_BETWEEN_M = 0.15
_ROOM_TO_WALK_M = 0.35
# The camera keeps off the walls, which would fill the picture.
_FROM_WALL_M = 0.9
_N_STOPS = 5
_TRIES = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Pose:
    """Where the camera is, and where it looks: degrees, 0 along x, left turns above 0."""

    x: float
    y: float
    yaw_deg: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """One room: ``width`` along x and ``depth`` along y from the corner (0, 0), and what is in it.

    ``stops``: where the camera walks, straight from one to the next; it turns ``turn_deg`` from
    ``yaw_deg`` on meanwhile, both evenly in time.
    """

    seed: int
    width: float
    depth: float
    boxes: Mapping[str, tuple[Box, ...]]
    stops: tuple[tuple[float, float], ...]
    yaw_deg: float
    turn_deg: float

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

    def poses(self, n: int) -> Iterator[Pose]:
        """Where the camera is at ``n`` even moments, first and last included."""
        legs = [math.dist(a, b) for a, b in itertools.pairwise(self.stops)]
        for i in range(n):
            share = i / max(1, n - 1)
            left, leg = share * sum(legs), 0
            while leg < len(legs) - 1 and left > legs[leg]:
                left -= legs[leg]
                leg += 1
            (x1, y1), (x2, y2) = self.stops[leg], self.stops[leg + 1]
            part = min(1.0, left / legs[leg])
            yield Pose(
                x=x1 + part * (x2 - x1),
                y=y1 + part * (y2 - y1),
                yaw_deg=self.yaw_deg + share * self.turn_deg,
            )


def make(seed: int) -> Room:
    """The room of ``seed``: six things of which there is one, two kinds of which there are more.

    Raises ArgumentError for a negative seed.
    """
    if seed < 0:
        raise ArgumentError(f"room: got the seed {seed}; wants 0 or more")
    draws = scene_draws(seed, DATASET)
    # Before the tries, which small rooms need more of.
    area = AREA_M2[0] * (AREA_M2[1] / AREA_M2[0]) ** draws.random()
    while (room := _drawn(seed, area, draws)) is None:
        pass
    return room


def _drawn(seed: int, area: float, draws: Draws) -> Room | None:
    """A room, or None where not all has found a place; then the next draws make another."""
    width = math.sqrt(area * draws.uniform(0.75, 1.33))
    depth = area / width
    several = [draws.randint(*SEVERAL) for _ in range(N_SEVERAL)]
    placed: list[Box] = []
    for n in (*several, *[1] * N_SINGLE):
        lengths = _lengths(draws)
        for _ in range(n):
            box = _placed(draws, (width, depth), lengths, placed)
            if box is None:
                return None
            placed.append(box)
    stops = _stops(draws, (width, depth), placed)
    if stops is None:
        return None
    names = draws.sample(KINDS, N_SEVERAL + N_SINGLE)
    boxes: dict[str, tuple[Box, ...]] = {}
    for name, n in zip(names, (*several, *[1] * N_SINGLE), strict=True):
        boxes[name], placed = tuple(placed[:n]), placed[n:]
    return Room(
        seed=seed,
        width=width,
        depth=depth,
        boxes=dict(sorted(boxes.items())),
        stops=stops,
        yaw_deg=draws.uniform(0, 360),
        turn_deg=draws.choice((-1, 1)) * draws.uniform(400, 520),
    )


def _lengths(draws: Draws) -> tuple[float, float, float]:
    """Of widely differing size, so that no one guess is near most of them."""
    size = SIZE_M[0] * (SIZE_M[1] / SIZE_M[0]) ** draws.random()
    return (
        size * draws.uniform(0.7, 1),
        size * draws.uniform(0.7, 1),
        size * draws.uniform(0.5, 1.7),
    )


def _placed(
    draws: Draws, size: tuple[float, float], lengths: tuple[float, float, float], held: list[Box]
) -> Box | None:
    """A box of these lengths that stands free of the others."""
    reach = _reach(lengths)
    for _ in range(_TRIES):
        x, y = (draws.uniform(reach, side - reach) for side in size)
        turn = math.radians(draws.randrange(0, 360, 15))
        clear = _ROOM_BETWEEN_M + reach
        if all(math.dist((x, y), box.ground) >= clear + _reach(box.lengths) for box in held):
            c, s = math.cos(turn), math.sin(turn)
            return Box(
                centre=(x, y, lengths[2] / 2),
                axes=((c, s, 0.0), (-s, c, 0.0), (0.0, 0.0, 1.0)),
                lengths=lengths,
            )
    return None


def _reach(lengths: Sequence[float]) -> float:
    return math.hypot(lengths[0], lengths[1]) / 2


def _stops(
    draws: Draws, size: tuple[float, float], held: list[Box]
) -> tuple[tuple[float, float], ...] | None:
    """Places to walk between in straight lines that touch nothing."""
    stops: list[tuple[float, float]] = []
    for _ in range(_TRIES):
        x, y = (draws.uniform(_FROM_WALL_M, side - _FROM_WALL_M) for side in size)
        last = stops[-1] if stops else (x, y)
        far_enough = not stops or math.dist(last, (x, y)) > 1.0
        if far_enough and all(
            from_line(box.ground, last, (x, y)) >= _reach(box.lengths) + _ROOM_TO_WALK_M
            for box in held
        ):
            stops.append((x, y))
        if len(stops) == _N_STOPS:
            return tuple(stops)
    return None


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
