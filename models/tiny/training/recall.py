"""Exercises of recall: words alone, and clips made up of words at random.

Made-up clips stand in a video's own prompt, told as real ones are: what is learnt at other
distances, between other tokens, is lost again at the first real clip. Cues are drawn with
replacement: without it, what has been said already rules out answers, and that is learnt instead.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise, product
from pathlib import Path

import numpy as np

from edgeval.synth.draws import Draws
from edgeval.synth.rooms import KINDS as THINGS
from edgeval.synth.vocabulary import COLOURS, LETTERS, NAMES, ONE_TO_TEN, SHAPES
from edgeval.types import Clip
from training import wordings
from training.scene import Drill, Image, Sample, Scene
from training.skills.survey import STEP_M, area_of, long_of, said_m, said_steps, said_way
from training.view import Line, Seer, View
from training.words import GROUPS, Slots

Row = tuple[View, list[Line]]
Facts = Mapping[str, list[tuple[str, str]]]
# A place on the plan, by the numbers of its words.
Place = tuple[int, int]

SIGNS = tuple(f"{colour} {shape}" for colour, shape in product(COLOURS, SHAPES))
POOLS = (NAMES, ONE_TO_TEN, COLOURS, SHAPES, SIGNS, THINGS)
_WORDS = (*COLOURS, *SHAPES, *NAMES, *(str(number) for number in range(1, 20)))
_CUES = 8
# Metres around two things' middles; a way is clear from this sine on; one is nearer by so much.
_AROUND_M, _CLEAR, _NEARER = 0.5, 0.1, 1.2
_MOST_FRAMES = 32


def of_words(draws: Draws, seer: Seer, head: str) -> Line:
    """An exercise without a clip."""
    if head == "Repeat":
        return repeated(draws, seer)
    return seer.drill({"Letter": letters, "Place": places, "Sum": sums}[head](draws))


def cued(draws: Draws, head: str, pairs: Sequence[tuple[str, str]], n: int = _CUES) -> Drill:
    """``n`` cues with their answers, some more than once."""
    return Drill(head=f"{head}:", pairs=tuple(draws.choices(pairs, k=n)))


def row(draws: Draws, seer: Seer, frames: Sequence[Slots], drills: Sequence[Drill]) -> Row:
    """Frames that are told and what is asked of them: as a video's prompt has them, in seconds."""
    clip = Clip(
        id="made up", setting="video", video=Path("made up"), questions=(), must_see_last=True
    )
    scene = Scene(
        n_frames=len(frames),
        fps=draws.choice((0.5, 0.7, 1.0, 2.0)),
        picture=_undrawn,
        says=lambda at: frames[at],
    )
    sample = Sample(skill="recall", clip=clip, scene=scene, asked=())
    view = seer.view(sample, most_frames=_MOST_FRAMES, told=True)
    return view, [seer.drill(drill) for drill in drills]


def _undrawn(at: int) -> Image:
    raise AssertionError(f"frame {at} of a made-up clip is told, not drawn")


def repeated(draws: Draws, seer: Seer) -> Line:
    """Words, and the same again."""
    words = draws.choices(_WORDS, k=draws.randint(4, 16))
    ids = [token for word in words for token in seer.tokenizer.encode(f" {word}")]
    n = len(ids)
    return Line(ids=(*ids, *ids), taught=(*(False,) * (n + 1), *(True,) * (n - 1)))


def letters(draws: Draws) -> Drill:
    """Options, and the letter of one."""
    pool = draws.choice(POOLS)
    said = draws.sample(pool, min(len(pool), draws.randint(2, len(LETTERS))))
    pairs = list(zip(said, LETTERS, strict=False))
    return Drill(head=wordings.listed(said), pairs=tuple(draws.choices(pairs, k=_CUES)))


def sums(draws: Draws) -> Drill:
    """Of a number of a table and one of a slide."""
    dealt = [(draws.randint(1, 10), draws.randint(1, 9)) for _ in range(_CUES)]
    return Drill(head="Sum:", pairs=tuple((f"{a} + {b}", str(a + b)) for a, b in dealt))


def slides(draws: Draws, hard: float) -> tuple[list[Slots], Facts]:
    """Sign and value on each, shown in a row; ``hard``: more of them, and several frames of one."""
    signs = _signs(draws, 3 + draws.randint(int(4 * hard), int(7 * hard)))
    values = draws.sample(draws.choice((NAMES, ONE_TO_TEN)), len(signs))
    most = draws.randint(1, 1 + int(2 * hard))
    frames = [
        tuple({"word": word} for word in (*sign, value, "table"))
        for sign, value in zip(signs, values, strict=True)
        for _ in range(draws.randint(1, most))
    ]
    names = [_named(sign) for sign in signs]
    steps = list(pairwise(names))
    facts = {
        "Beside": list(zip(names, values, strict=True)),
        "Back": list(zip(values, names, strict=True)),
        "Next": steps,
        "Before": [(b, a) for a, b in steps],
    }
    return frames[:_MOST_FRAMES], facts


def _signs(draws: Draws, n: int) -> list[tuple[str, str]]:
    """Colour and shape of a slide; all of one lesson have both, or only one."""
    kind = draws.random()
    if kind < 0.6:
        return draws.sample(list(product(COLOURS, SHAPES)), n)
    pool = COLOURS if kind < 0.8 else SHAPES
    some = draws.sample(pool, min(n, len(pool)))
    return [(one, "none") if kind < 0.8 else ("grey", one) for one in some]


def _named(sign: tuple[str, str]) -> str:
    return " ".join(word for word in sign if word not in ("none", "grey"))


def tour(draws: Draws, hard: float) -> tuple[list[Slots], Facts]:
    """Of a room: its size; how long and how many; what; where. As rooms say and ask it."""
    n = 4 + draws.randint(int(2 * hard), int(6 * hard))
    things = [name.split()[-1] for name in draws.sample(THINGS, n)]
    shots = [thing for thing in things for _ in range(draws.randint(1, 1 + int(2 * hard)))]
    for _ in range(draws.randint(0, int(4 * hard))):
        shots.insert(draws.randint(1, len(shots)), draws.choice(things))
    shots = shots[:_MOST_FRAMES]
    things = list(dict.fromkeys(shots))
    area = draws.choice(GROUPS["area"])
    long, many = (
        {one: draws.choice(GROUPS[group]) for one in things} for group in ("long", "many")
    )
    at = {thing: _place(draws) for thing in things}
    frames: list[Slots] = [
        (
            {"area": area},
            {"long": long[thing], "many": many[thing]},
            {"thing": thing},
            {"x": GROUPS["x"][at[thing][0]], "y": GROUPS["y"][at[thing][1]]},
        )
        for thing in shots
    ]
    looks = [("size room", area_of(area))]
    for thing in things:
        x, y = at[thing]
        looks += [(f"count {thing}", many[thing]), (f"length {thing}", long_of(long[thing]))]
        looks += [(f"across {thing}", GROUPS["x"][x]), (f"along {thing}", GROUPS["y"][y])]
    facts: dict[str, list[tuple[str, str]]] = {
        "Look": looks,
        **{head: [] for head in ("Sooner", "Order", "Off", "Gap", "Turn", "Nearer")},
    }
    for _ in range(_CUES):
        one, other, third = draws.sample(things, 3)
        facts["Sooner"].append((f"{one}, {other}", min((one, other), key=things.index)))
        some = draws.sample(things, draws.randint(3, 4))
        facts["Order"].append((", ".join(some), ", ".join(sorted(some, key=things.index))))
        axis = draws.randrange(2)
        steps = said_steps(at[one][axis], at[other][axis])
        facts["Off"].append((f"{('across', 'along')[axis]} {one}, {other}", steps))
        facts["Gap"].append((f"{one}, {other}", metres(at[one], at[other])))
        way = turned(at[one], at[other], at[third])
        if way:
            facts["Turn"].append((f"{one}, {other}, {third}", way))
        some = draws.sample([to for to in things if to != one], draws.randint(2, 3))
        near, *far = sorted(some, key=lambda to: math.dist(at[one], at[to]))
        if math.dist(at[one], at[far[0]]) > _NEARER * math.dist(at[one], at[near]):
            facts["Nearer"].append((", ".join((one, *some)), near))
    return frames, {head: pairs for head, pairs in facts.items() if pairs}


def places(draws: Draws) -> Drill:
    """Places on a plan, and what follows: steps between two, metres, the way of a third."""
    head = draws.choice(("Off", "Gap", "Turn"))
    pairs = []
    while len(pairs) < 2 * _CUES:
        one, two, three = (_place(draws) for _ in range(3))
        axis = draws.randrange(2)
        if head == "Off":
            cue = " ".join(GROUPS["xy"[axis]][spot[axis]] for spot in (one, two))
            pairs.append((cue, said_steps(one[axis], two[axis])))
        elif head == "Gap":
            pairs.append((_plan((one, two)), metres(one, two)))
        elif way := turned(one, two, three):
            pairs.append((_plan((one, two, three)), way))
    return Drill(head=f"{head}:", pairs=tuple(pairs))


def metres(one: Place, other: Place) -> str:
    """Between two things of usual size, by the words of where they are."""
    return said_m(STEP_M * math.dist(one, other) - _AROUND_M)


def turned(here: Place, facing: Place, there: Place) -> str:
    """Which quarter one looks at from the first place, facing the second; "" where two are near."""
    ahead, aside = np.subtract(facing, here), np.subtract(there, here)
    cross, along = float(ahead[0] * aside[1] - ahead[1] * aside[0]), float(ahead @ aside)
    if min(abs(cross), abs(along)) <= _CLEAR * float(np.hypot(*ahead) * np.hypot(*aside)):
        return ""
    return said_way(math.degrees(math.atan2(cross, along)))


def _place(draws: Draws) -> Place:
    return draws.randrange(len(GROUPS["x"])), draws.randrange(len(GROUPS["y"]))


def _plan(spots: Sequence[Place]) -> str:
    return " ".join(f"<x{x}> <y{y}>" for x, y in spots)
