"""Rooms as VSI-Bench asks about them: what is there, how many, how large, how far, which way."""

from __future__ import annotations

import functools
import json
import math
import re
from collections.abc import Mapping, Sequence

import numpy as np

from edgeval.scenes import Box, gaps_m
from edgeval.synth import rooms, rooms_dataset, rooms_view
from edgeval.synth.draws import Draws, scene_draws
from edgeval.synth.rooms import Pose, Room
from edgeval.synth.rooms_view import SIGHT_DEG, Sight
from edgeval.types import Question
from training import wordings
from training.scene import Asked, Drill, Image, Sample, Scene
from training.seeds import checked
from training.skills.folder import Unfilmed, laid
from training.words import TOKENS_A_FRAME, Said, Slots, binned

# Drawn smaller than the encoded film: the model sees squares of 64.
WIDTH, HEIGHT = 96, 72
# The order of appearance is told from pictures smaller still, two a second.
ORDER_WIDTH, ORDER_HEIGHT, ORDER_FPS = 48, 36, 2
ORDERED = 4
N_POSES = rooms_dataset.FPS * rooms.SECONDS
# Of a strip.
_SEEN_SHARE = 0.02
_NOTHING: Said = {"thing": "none"}
_DRILL = 8
_CLOSEST = re.compile(r"is the closest to the (.+)\?")


def deal(seeds: Sequence[int]) -> list[Sample]:
    """A sample a room. One room in ORDERED is asked for the order of appearance too."""
    made = [rooms.make(checked(seed)) for seed in seeds]
    shares = {room.name: _shares(room) for room in made}
    rows = rooms_dataset.questions(made, shares, seed=seeds[0])

    def lay(sheet: Unfilmed) -> None:
        lines = [json.dumps(row) + "\n" for row in rows]
        sheet.text("test.jsonl", "".join(lines))
        for room in made:
            sheet.text(f"{rooms.DATASET}/{room.name}.mp4", "")

    samples = []
    with laid("vsibench", ("full",), lay) as (benchmark, _, clips):
        by_name = {room.name: room for room in made}
        for clip in clips:
            room = by_name[clip.id.rsplit("/", 1)[1]]
            draws = scene_draws(room.seed, "training room")
            asked: list[Asked] = []
            for question in clip.questions:
                worked = _worked(room, question)
                asked.append(wordings.final(benchmark, clip, question, worked))
                if worked or draws.random() < 0.3:
                    asked.append(wordings.in_own_words(question, worked, draws))
            samples.append(
                Sample(
                    skill="rooms",
                    clip=clip,
                    scene=scene(room),
                    asked=tuple(draws.sample(asked, len(asked))),
                    drills=tuple(_drill(room, draws) for _ in range(6)),
                )
            )
    return samples


def _shares(room: Room) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """What the pictures show of each kind; nothing for rooms that are not asked for the order."""
    n = ORDER_FPS * rooms.SECONDS
    if room.seed % ORDERED:
        return np.zeros((n, len(room.boxes)))
    shown = rooms_view.sights(room, n=n, width=ORDER_WIDTH, height=ORDER_HEIGHT)
    seen = rooms_dataset.seen_shares(room, [sight.kinds for sight in shown])
    # As often as the encoded film has them.
    return np.repeat(seen, rooms_dataset.FPS // ORDER_FPS, axis=0)


def scene(room: Room) -> Scene:
    """The walk, each picture drawn when it is looked at."""
    poses = list(room.poses(N_POSES))

    @functools.lru_cache(maxsize=64)
    def sight(frame: int) -> Sight:
        return rooms_view.see(room, poses[frame], width=WIDTH, height=HEIGHT)

    def image(frame: int) -> Image:
        return sight(frame).image

    return Scene(
        n_frames=N_POSES,
        fps=rooms_dataset.FPS,
        picture=image,
        says=lambda frame: says(room, poses[frame], sight(frame)),
    )


def says(room: Room, pose: Pose, sight: Sight) -> Slots:
    """What fills most of each upright strip of the picture: what, where, how far, how long.

    A strip has its token, whatever else is in view. ``many``: how many of the kind are in view.
    """
    slots = []
    for strip in np.array_split(sight.kinds, TOKENS_A_FRAME, axis=1):
        shares = [float((strip == k).mean()) for k in range(len(room.boxes))]
        k = int(np.argmax(shares))
        slots.append(_said(room, pose, sight, k) if shares[k] >= _SEEN_SHARE else _NOTHING)
    return tuple(slots)


def _said(room: Room, pose: Pose, sight: Sight, k: int) -> Said:
    name, kinds = list(room.boxes)[k], sight.kinds
    column = float(np.nonzero(kinds == k)[1].mean()) / kinds.shape[1]
    in_view = [box for box in room.boxes[name] if abs(bearing_deg(pose, box)) < SIGHT_DEG / 2]
    nearest = min(in_view or room.boxes[name], key=lambda box: _away_m(pose, box))
    return {
        "thing": name.split()[-1],
        "side": binned("side", column, 0, 1),
        "near": binned("near", _away_m(pose, nearest), 0.7, 9, by_ratio=True),
        "long": binned("long", max(nearest.lengths), *_LONG_M, by_ratio=True),
        "many": str(min(5, max(1, len(in_view)))),
    }


_LONG_M = (0.3, 2.2)


def _away_m(pose: Pose, box: Box) -> float:
    return math.dist((pose.x, pose.y), box.ground)


def bearing_deg(pose: Pose, box: Box) -> float:
    """Where a thing is from the way the camera looks, left above 0."""
    towards = math.degrees(math.atan2(box.ground[1] - pose.y, box.ground[0] - pose.x))
    return (towards - pose.yaw_deg + 180) % 360 - 180


def _gap_m(room: Room, one: str, other: str) -> float:
    pairs = [(a, b) for a in room.boxes[one] for b in room.boxes[other]]
    return float(min(gaps_m([a for a, _ in pairs], [b for _, b in pairs]).tolist()))


def _worked(room: Room, question: Question) -> str:
    """The distances that a closest one is chosen by; the answer's text for other choices."""
    kind = question.tags["question_type"]
    if not question.choices:
        return ""
    anchor = _CLOSEST.search(question.text)
    if kind != "object_rel_distance" or anchor is None:
        return wordings.right_text(question)
    names = [wordings.bare(option) for option in question.choices]
    return ", ".join(f"{name} {_gap_m(room, anchor.group(1), name):.1f}" for name in names)


def _drill(room: Room, draws: Draws) -> Drill:
    single: Mapping[str, Box] = {k: b[0] for k, b in room.boxes.items() if len(b) == 1}
    head = draws.choice(("Count", "Length", "Gap", "There"))
    if head == "Count":
        pairs = [(kind, str(len(boxes))) for kind, boxes in room.boxes.items()]
    elif head == "Length":
        pairs = [(kind, str(round(100 * max(box.lengths)))) for kind, box in single.items()]
    elif head == "There":
        pairs = [(kind, "yes" if kind in room.boxes else "no") for kind in rooms.KINDS]
    else:
        chosen = [draws.sample(sorted(room.boxes), 2) for _ in range(_DRILL)]
        pairs = [(f"{a}, {b}", f"{_gap_m(room, a, b):.1f}") for a, b in chosen]
    return Drill(head=f"{head}:", pairs=tuple(draws.choices(pairs, k=_DRILL)))
