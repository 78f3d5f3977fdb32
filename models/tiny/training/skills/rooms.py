"""Rooms as VSI-Bench asks about them: what is there, how many, how large, how far, which way."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from edgeval.scenes import Box, turn_deg
from edgeval.synth import rooms, rooms_dataset, rooms_questions, rooms_view
from edgeval.synth.draws import Draws, scene_draws
from edgeval.synth.rooms import Room
from edgeval.types import Question
from training import wordings
from training.scene import Asked, Drill, Image, Sample, Scene
from training.seeds import checked
from training.skills.folder import Unfilmed, laid
from training.skills.survey import Survey, said_area, said_long, said_m, said_way
from training.words import Slots

# Drawn smaller than the encoded film: the model sees squares of 64.
SIDE = 96
_DRILL = 8
_CLOSEST = re.compile(r"is the closest to the (.+)\?")
_BETWEEN = re.compile(r"between the (.+) and the (.+) \(in")
_STANDING = re.compile(r"standing by the (.+) and facing the (.+), is the (.+) to ")
_ROUTE = re.compile(r"beginning at the (.+) and facing the (.+)\. You want")
_FORWARD = re.compile(r"forward until the ([a-z ]+)\.")


def deal(seeds: Sequence[int]) -> list[Sample]:
    """A sample a room."""
    made = [rooms.make(checked(seed)) for seed in seeds]
    rows = rooms_dataset.questions(made, seed=seeds[0])

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
            survey = Survey(room)
            draws = scene_draws(room.seed, "training room")
            asked: list[Asked] = []
            for question in clip.questions:
                told = replace(question, answer=rounded(question))
                worked = _worked(survey, told)
                asked.append(wordings.final(benchmark, clip, told, worked))
                if worked and draws.random() < 0.5:
                    asked.append(wordings.in_own_words(told, worked, draws))
            samples.append(
                Sample(
                    skill="rooms",
                    clip=clip,
                    scene=scene(room),
                    asked=tuple(draws.sample(asked, len(asked))),
                    drills=tuple(_drill(survey, draws) for _ in range(12)),
                )
            )
    return samples


def scene(room: Room) -> Scene:
    """The tour, each picture drawn when it is looked at."""
    survey = Survey(room)

    @functools.lru_cache(maxsize=64)
    def image(frame: int) -> Image:
        shot, share = room.moment(frame, rooms_dataset.N_FRAMES)
        return rooms_view.see(room, shot, share=share, side=SIDE).image

    def says(frame: int) -> Slots:
        shot, _ = room.moment(frame, rooms_dataset.N_FRAMES)
        return survey.says(shot)

    return Scene(
        n_frames=rooms_dataset.N_FRAMES,
        fps=rooms_dataset.FPS,
        picture=image,
        says=says,
    )


def rounded(question: Question) -> str:
    """The answer as it is taught: numbers no finer than frames say them.

    They earn more than 95 percent by mean relative accuracy (a test says so).
    """
    kind = question.tags["question_type"]
    if kind == "object_size_estimation":
        return said_long(float(question.answer) / 100)
    if kind == "room_size_estimation":
        return said_area(float(question.answer))
    if kind == "object_abs_distance":
        return said_m(float(question.answer))
    return question.answer


def _worked(survey: Survey, question: Question) -> str:
    """What has to be looked up and worked out on the way to the answer; "" where it is seen."""
    work = _WORK.get(question.tags["question_type"].removesuffix("_easy"))
    return work(survey, question) if work else ""


def _distance(survey: Survey, question: Question) -> str:
    found = _BETWEEN.search(question.text)
    return survey.told_apart(*found.groups()) if found else ""


def _nearest(survey: Survey, question: Question) -> str:
    anchor = _CLOSEST.search(question.text)
    if anchor is None:
        return ""
    names = [wordings.bare(option) for option in question.choices]
    gaps = [f"{name} {said_m(survey.gap_m(anchor.group(1), name))}" for name in names]
    return f"{', '.join(gaps)}: {wordings.right_text(question)}"


def _direction(survey: Survey, question: Question) -> str:
    found = _STANDING.search(question.text)
    if found is None:
        return ""
    return f"{survey.told_places(*found.groups())}: {wordings.right_text(question)}"


def _route(survey: Survey, question: Question) -> str:
    begin = _ROUTE.search(question.text)
    if begin is None:
        return ""
    stops = [begin.group(1), *_FORWARD.findall(question.text)]
    turns = [
        f"{survey.told_places(b, a, c)}"
        for a, b, c in zip(stops, stops[1:], stops[2:], strict=False)
    ]
    return f"{', '.join(turns)}: {wordings.right_text(question)}"


def _order(survey: Survey, question: Question) -> str:
    del survey
    return wordings.right_text(question)


_WORK: Mapping[str, Callable[[Survey, Question], str]] = MappingProxyType(
    {
        "object_abs_distance": _distance,
        "object_rel_distance": _nearest,
        "object_rel_direction": _direction,
        "object_rel_direction_medium": _direction,
        "object_rel_direction_hard": _direction,
        "route_planning": _route,
        "obj_appearance_order": _order,
    }
)


def _drill(survey: Survey, draws: Draws) -> Drill:
    """Many times the same one thing asked of a room: a look, or a step of working out."""
    if draws.random() < 0.3:
        # All looks in one line: what was said of one is seldom what is asked of the next.
        pairs = [_look(survey, draws) for _ in range(2 * _DRILL)]
        return Drill(head="Look:", pairs=tuple(pairs))
    head = draws.choice(tuple(_STEPS))
    pairs = [_STEPS[head](survey, draws) for _ in range(_DRILL)]
    return Drill(head=f"{head}:", pairs=tuple(pairs))


def _look(survey: Survey, draws: Draws) -> tuple[str, str]:
    what = draws.choice(tuple(_LOOKS))
    kind, answer = _LOOKS[what](survey, draws)
    return f"{what} {kind}", answer


def _counted(survey: Survey, draws: Draws) -> tuple[str, str]:
    kind, boxes = draws.choice(tuple(survey.room.boxes.items()))
    return kind, str(len(boxes))


def _size(survey: Survey, draws: Draws) -> tuple[str, str]:
    del draws
    return "room", said_area(survey.room.width * survey.room.depth)


def _long(survey: Survey, draws: Draws) -> tuple[str, str]:
    kind, box = draws.choice(tuple(survey.single.items()))
    return kind, said_long(max(box.lengths))


def _x(survey: Survey, draws: Draws) -> tuple[str, str]:
    kind, box = draws.choice(tuple(survey.single.items()))
    return kind, survey.place(box)[0]


def _y(survey: Survey, draws: Draws) -> tuple[str, str]:
    kind, box = draws.choice(tuple(survey.single.items()))
    return kind, survey.place(box)[1]


def _gap(survey: Survey, draws: Draws) -> tuple[str, str]:
    one, other = draws.sample(sorted(survey.single), 2)
    return f"{one}, {other}", said_m(survey.gap_m(one, other))


def _off(survey: Survey, draws: Draws) -> tuple[str, str]:
    one, other = draws.sample(sorted(survey.single), 2)
    axis = draws.randrange(2)
    return f"{('across', 'along')[axis]} {one}, {other}", survey.told_off(one, other)[axis]


def _turned(survey: Survey, draws: Draws) -> tuple[str, str]:
    here, facing, there = draws.sample(sorted(survey.single), 3)
    turn = turn_deg(*(survey.single[kind] for kind in (here, facing, there)))
    return f"{here}, {facing}, {there}", said_way(turn)


def _walked(survey: Survey, draws: Draws) -> tuple[str, str]:
    one, two, three = draws.sample(sorted(survey.single), 3)
    boxes: list[Box] = [survey.single[kind] for kind in (one, two, three)]
    return f"{one}, {two}, {three}", rooms_questions.turned(*boxes) or "none"


def _nearer(survey: Survey, draws: Draws) -> tuple[str, str]:
    anchor = draws.choice(sorted(survey.single))
    others = sorted(survey.room.boxes.keys() - {anchor})
    some = draws.sample(others, min(len(others), draws.randint(2, 4)))
    near = min(some, key=lambda kind: survey.gap_m(anchor, kind))
    return ", ".join((anchor, *some)), near


def _sooner(survey: Survey, draws: Draws) -> tuple[str, str]:
    one, other = draws.sample(sorted(survey.room.boxes), 2)
    return f"{one}, {other}", min((one, other), key=survey.first)


def _ordered(survey: Survey, draws: Draws) -> tuple[str, str]:
    kinds = draws.sample(sorted(survey.room.boxes), draws.randint(3, 4))
    return ", ".join(kinds), ", ".join(sorted(kinds, key=survey.first))


Posing = Callable[[Survey, Draws], tuple[str, str]]
# What one look at the right frame tells; then what takes several.
_LOOKS: Mapping[str, Posing] = MappingProxyType(
    {
        "count": _counted,
        "length": _long,
        "across": _x,
        "along": _y,
        "size": _size,
    }
)
_STEPS: Mapping[str, Posing] = MappingProxyType(
    {
        "Gap": _gap,
        "Off": _off,
        "Turn": _turned,
        "Walk": _walked,
        "Nearer": _nearer,
        "Sooner": _sooner,
        "Order": _ordered,
    }
)
