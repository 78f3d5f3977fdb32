"""Every question of VSI-Bench's six geometry-determined tasks that a scene allows.

Wording: the released questions (Hugging Face nyu-visionx/VSI-Bench). Which rule is published and
which is ours stands at each constant; the authors' thresholds for directions are not published, so
these questions are of the same kind as theirs, not the same ones. Order of appearance and routes
need the camera's path or a person, and are not made here.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from edgeval.scenes import Box, Scene, apart_m, gaps_m, turn_deg
from edgeval.synth.draws import Draws

# Published (arXiv 2412.14171, appendix): of the objects to choose from no two are about as far.
LARGE_ROOM_M2 = 40.0
CLOSEST_MARGIN_M = 0.15
CLOSEST_MARGIN_LARGE_M = 0.30
# Published in the questions themselves.
BACK_DEG = 135.0
N_CHOICES = 4

# Ours: a direction this close to the line between two answers is not asked about, nor one between
# objects so close that their centres do not say where they are.
DIRECTION_MARGIN_DEG = 10.0
DIRECTION_APART_M = 0.5
# Ours: "left or right of the one you face" is asked of what lies ahead only.
AHEAD_DEG = 90.0
# Ours: below this a tenth of a metre is too much of the answer.
DISTANCE_MIN_M = 0.2
# Ours: draws of objects to choose from, for each object asked about.
_TRIES = 8

MARGINS: Mapping[str, Mapping[str, float]] = {
    "published": {
        "large_room_m2": LARGE_ROOM_M2,
        "closest_margin_m": CLOSEST_MARGIN_M,
        "closest_margin_large_room_m": CLOSEST_MARGIN_LARGE_M,
        "back_deg": BACK_DEG,
    },
    "ours": {
        "direction_margin_deg": DIRECTION_MARGIN_DEG,
        "direction_apart_m": DIRECTION_APART_M,
        "ahead_deg": AHEAD_DEG,
        "distance_min_m": DISTANCE_MIN_M,
    },
}
# The answers that each level of relative direction chooses between.
SIDES: Mapping[str, tuple[str, ...]] = {
    "object_rel_direction_easy": ("left", "right"),
    "object_rel_direction_medium": ("left", "right", "back"),
    "object_rel_direction_hard": ("front-left", "front-right", "back-left", "back-right"),
}

_CLOSEST = "Measuring from the closest point of each object, "
_ENDINGS: Mapping[str, str] = {
    "object_rel_direction_easy": "to the left or the right of the {facing}?",
    "object_rel_direction_medium": (
        "to my left, right, or back?\nAn object is to my back if I would have to turn at least "
        "135 degrees in order to face it."
    ),
    "object_rel_direction_hard": (
        "to my front-left, front-right, back-left, or back-right?\nThe directions refer to the "
        "quadrants of a Cartesian plane (if I am standing at the origin and facing along the "
        "positive y-axis)."
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Posed:
    """One question that the scene answers. ``others``: the wrong options, none for a number.

    ``text`` may hold "{options}", to be filled with the options in the order they will have.
    """

    kind: str
    text: str
    answer: str
    others: tuple[str, ...] = ()


def posed(scene: Scene, draws: Draws) -> dict[str, tuple[Posed, ...]]:
    """Question type -> every question of it. ``draws`` decides which objects stand to choose.

    Categories whose number of boxes is not their count (eleven scenes of ScanNet) are left alone.
    """
    boxes = {k: v for k, v in sorted(scene.boxes.items()) if len(v) == scene.counts.get(k) and v}
    single = {kind: found[0] for kind, found in boxes.items() if len(found) == 1}
    gaps = _gaps(boxes)
    margin = CLOSEST_MARGIN_LARGE_M if scene.room_m2 > LARGE_ROOM_M2 else CLOSEST_MARGIN_M
    every = [
        *_counts(boxes),
        *_distances(single, gaps),
        *_sizes(single),
        *_room(scene),
        *_closest(sorted(single), sorted(boxes), gaps, margin=margin, draws=draws),
        *_directions(single),
    ]
    kinds = dict.fromkeys(one.kind for one in every)
    return {kind: tuple(one for one in every if one.kind == kind) for kind in kinds}


def _gaps(boxes: Mapping[str, tuple[Box, ...]]) -> dict[frozenset[str], float]:
    """Metres between the closest instances of every two categories."""
    pairs = [
        (frozenset((one, other)), a, b)
        for one, other in itertools.combinations(boxes, 2)
        for a, b in itertools.product(boxes[one], boxes[other])
    ]
    found: dict[frozenset[str], float] = {}
    measured = gaps_m([a for _, a, _ in pairs], [b for _, _, b in pairs])
    for (key, _, _), gap in zip(pairs, measured.tolist(), strict=True):
        found[key] = min(gap, found.get(key, gap))
    return found


def _counts(boxes: Mapping[str, tuple[Box, ...]]) -> Iterator[Posed]:
    for kind, found in boxes.items():
        if len(found) > 1:
            text = f"How many {kind}(s) are in this room?"
            yield Posed(kind="object_counting", text=text, answer=str(len(found)))


def _distances(single: Mapping[str, Box], gaps: Mapping[frozenset[str], float]) -> Iterator[Posed]:
    for one, other in itertools.combinations(single, 2):
        gap = gaps[frozenset((one, other))]
        if gap >= DISTANCE_MIN_M:
            text = f"what is the distance between the {one} and the {other} (in meters)?"
            yield Posed(kind="object_abs_distance", text=_CLOSEST + text, answer=f"{gap:.1f}")


def _sizes(single: Mapping[str, Box]) -> Iterator[Posed]:
    for kind, box in single.items():
        longest_cm = round(100 * max(box.lengths))
        text = (
            "What is the length of the longest dimension (length, width, or height) of the "
            f"{kind}, measured in centimeters?"
        )
        if longest_cm:
            yield Posed(kind="object_size_estimation", text=text, answer=str(longest_cm))


def _room(scene: Scene) -> Iterator[Posed]:
    text = (
        "What is the size of this room (in square meters)? If multiple rooms are shown, estimate "
        "the size of the combined space."
    )
    if scene.room_m2 >= DISTANCE_MIN_M:
        yield Posed(kind="room_size_estimation", text=text, answer=f"{scene.room_m2:.1f}")


def _closest(
    anchors: list[str],
    kinds: list[str],
    gaps: Mapping[frozenset[str], float],
    *,
    margin: float,
    draws: Draws,
) -> Iterator[Posed]:
    """Which of four is closest: several draws for each object of which there is one."""
    for anchor in anchors:
        seen: set[frozenset[str]] = set()
        for _ in range(_TRIES):
            far: dict[str, float] = {}
            for kind in draws.sample(kinds, len(kinds)):
                gap = gaps.get(frozenset((anchor, kind)))
                if gap is not None and all(abs(gap - known) >= margin for known in far.values()):
                    far[kind] = gap
                if len(far) == N_CHOICES:
                    break
            if len(far) < N_CHOICES or frozenset(far) in seen:
                continue
            seen.add(frozenset(far))
            nearest = min(far, key=far.__getitem__)
            text = f"which of these objects ({{options}}) is the closest to the {anchor}?"
            others = tuple(kind for kind in far if kind != nearest)
            yield Posed(
                kind="object_rel_distance", text=_CLOSEST + text, answer=nearest, others=others
            )


def _directions(single: Mapping[str, Box]) -> Iterator[Posed]:
    for here, facing, there in itertools.permutations(single, 3):
        boxes = (single[here], single[facing], single[there])
        if min(itertools.starmap(apart_m, itertools.combinations(boxes, 2))) < DIRECTION_APART_M:
            continue
        turn = turn_deg(*boxes)
        for kind, sides in SIDES.items():
            if (side := side_of(kind, turn)) is not None:
                ending = _ENDINGS[kind].replace("{facing}", facing)
                yield Posed(
                    kind=kind,
                    text=(
                        f"If I am standing by the {here} and facing the {facing}, is the {there} "
                        f"{ending}"
                    ),
                    answer=side,
                    others=tuple(other for other in sides if other != side),
                )


def side_of(kind: str, turn: float) -> str | None:
    """What a question type calls a turn in degrees (left above 0), None where it is not clear."""
    hand, size = ("left" if turn > 0 else "right"), abs(turn)
    if kind == "object_rel_direction_easy":
        side, edges = hand, [0.0]
        if size > AHEAD_DEG:
            return None
    elif kind == "object_rel_direction_medium":
        # Behind is one answer from either hand, so straight behind is clear.
        side, edges = ("back" if size >= BACK_DEG else hand), [0.0, BACK_DEG]
    else:
        side, edges = f"{'front' if size < 90 else 'back'}-{hand}", [0.0, 90.0, 180.0]
    clear = all(abs(size - edge) >= DIRECTION_MARGIN_DEG for edge in edges)
    return side if clear else None
