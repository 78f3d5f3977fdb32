"""Text alone, to learn recall from: repeat words, name a letter, look up frames both ways.

Cues are drawn with replacement: without it, what has been said already rules out answers, and that
is learnt instead. Frames stand as a video's prompt has them, words in the place of image tokens:
what is learnt at other distances, between other tokens, does not carry over.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise, product
from types import MappingProxyType

import numpy as np

from edgeval.families.smolvlm import FRAME
from edgeval.synth.draws import Draws
from edgeval.synth.rooms import KINDS as THINGS
from edgeval.synth.vocabulary import COLOURS, LETTERS, NAMES, ONE_TO_TEN, SHAPES
from training.skills.survey import STEP_M, said_m, said_steps, said_way
from training.view import Line
from training.words import GROUPS

Encode = Callable[[str], tuple[int, ...]]
SIGNS = tuple(f"{colour} {shape}" for colour, shape in product(COLOURS, SHAPES))
POOLS = (NAMES, ONE_TO_TEN, COLOURS, SHAPES, SIGNS, THINGS)
_WORDS = (*COLOURS, *SHAPES, *NAMES, *(str(number) for number in range(1, 20)))
_CUES = 8
# Of the stage: until when words are mostly repeated, and until when nothing but places is worked
# with after that. Among much else neither is learnt in ten times as many lines.
_REPEATED, _WORKED = 0.2, 0.4
# Metres around two things' middles; a way is clear from this sine on.
_AROUND_M, _CLEAR = 0.5, 0.1
_FAKE = "<fake_token_around_image>"
_BEFORE = f"{_FAKE}<global-img>"
# Group of words -> how it is asked for.
LOOKS = {"long": "length", "many": "count", "x": "across", "y": "along"}


def line(draws: Draws, encode: Encode, share: float) -> Line:
    """One exercise; ``share`` of the stage is over: repeating, places, all else, ever longer."""
    if share < _REPEATED:
        return (_repeat if draws.random() < 0.7 else _letters)(draws, encode, 0.0)
    if share < _WORKED:
        return _work(draws, encode, 0.0)
    hard = min(1.0, 2 * (share - _WORKED) / (1 - _WORKED))
    return draws.choice(_EXERCISES)(draws, encode, hard)


def _repeat(draws: Draws, encode: Encode, hard: float) -> Line:
    del hard
    words = draws.choices(_WORDS, k=draws.randint(4, 16))
    ids = [token for word in words for token in encode(f" {word}")]
    n = len(ids)
    return Line(ids=(*ids, *ids), taught=(*(False,) * (n + 1), *(True,) * (n - 1)))


def _letters(draws: Draws, encode: Encode, hard: float) -> Line:
    pool = draws.choice(POOLS)
    said = draws.sample(pool, min(len(pool), draws.randint(2, 4 + int(6 * hard))))
    head = "".join(f"\n{x}. {text}" for x, text in zip(LETTERS, said, strict=False))
    return cued(draws, encode, head, list(zip(said, LETTERS, strict=False)))


def _table(draws: Draws, encode: Encode, hard: float) -> Line:
    """Cue and value in one frame, as a slide has them; asked forward or backward."""
    signs = _signs(draws, 2 + int(6 * hard))
    values = draws.sample(draws.choice((NAMES, ONE_TO_TEN)), len(signs))
    slides = [(*sign, value, "table") for sign, value in zip(signs, values, strict=True)]
    pairs = [(_named(sign), value) for sign, value in zip(signs, values, strict=True)]
    if draws.random() < 0.4:
        return cued(draws, encode, reel(draws, slides) + "Back:", [(b, a) for a, b in pairs])
    return cued(draws, encode, reel(draws, slides) + "Beside:", pairs)


def _order(draws: Draws, encode: Encode, hard: float) -> Line:
    """What came right after, or right before; at first in one frame each, then in several."""
    signs = _signs(draws, 3 + int(6 * hard))
    value = draws.choice((*NAMES, "none"))
    most = 3 if draws.random() < hard - 0.3 else 1
    slides = [(*sign, value, "table") for sign in signs for _ in range(draws.randint(1, most))]
    steps = list(pairwise(map(_named, signs)))
    if draws.random() < 0.5:
        return cued(draws, encode, reel(draws, slides) + "Before:", [(b, a) for a, b in steps])
    return cued(draws, encode, reel(draws, slides) + "Next:", steps)


def _tour(draws: Draws, encode: Encode, hard: float) -> Line:
    """Frames of a room: its size, one thing said of what is in view, that, where on one axis."""
    things = [name.split()[-1] for name in draws.sample(THINGS, 3 + int(6 * hard))]
    area = draws.choice(GROUPS["area"])
    groups = draws.choice(("long", "many")), draws.choice(("x", "y"))
    said = [tuple(draws.choice(GROUPS[group]) for group in groups) for _ in things]
    shots = [(area, one, thing, other) for thing, (one, other) in zip(things, said, strict=True)]
    asked = draws.choice(("Look", "Look", "Sooner", "Off"))
    if asked == "Sooner":
        pairs = [
            (f"{one}, {other}", min((one, other), key=things.index))
            for one, other in (draws.sample(things, 2) for _ in range(_CUES))
        ]
        return cued(draws, encode, reel(draws, shots) + "Sooner:", pairs)
    if asked == "Off":
        axis = groups[1]
        at = {
            thing: GROUPS[axis].index(other) for thing, (_, other) in zip(things, said, strict=True)
        }
        pairs = [
            (f"{LOOKS[axis]} {one}, {other}", said_steps(at[one], at[other]))
            for one, other in (draws.sample(things, 2) for _ in range(_CUES))
        ]
        return cued(draws, encode, reel(draws, shots) + "Off:", pairs)
    pairs = [
        (f"{LOOKS[group]} {thing}", words[at])
        for at, group in enumerate(groups)
        for thing, words in zip(things, said, strict=True)
    ]
    return cued(draws, encode, reel(draws, shots) + "Look:", pairs)


def _work(draws: Draws, encode: Encode, hard: float) -> Line:
    """Places on a plan, and what follows: steps between two, metres, the way of a third."""
    del hard
    kind = draws.choice(tuple(_WORK))
    pairs = [_WORK[kind](draws) for _ in range(2 * _CUES)]
    return cued(draws, encode, f"{kind}:", pairs, n=2 * _CUES)


def _off(draws: Draws) -> tuple[str, str]:
    axis = draws.choice(("x", "y"))
    one, other = draws.choices(range(len(GROUPS[axis])), k=2)
    return f"<{axis}{one}> <{axis}{other}>", said_steps(one, other)


def _gap(draws: Draws) -> tuple[str, str]:
    places = [_place(draws) for _ in range(2)]
    apart = math.hypot(*np.subtract(places[1], places[0]).tolist())
    return _plan(places), said_m(STEP_M * apart - _AROUND_M)


def _turn(draws: Draws) -> tuple[str, str]:
    """As rooms ask it: which quarter one looks at from the first place, facing the second."""
    while True:
        here, facing, there = (np.array(_place(draws)) for _ in range(3))
        ahead, aside = facing - here, there - here
        cross = float(ahead[0] * aside[1] - ahead[1] * aside[0])
        along = float(ahead @ aside)
        if min(abs(cross), abs(along)) > _CLEAR * float(np.hypot(*ahead) * np.hypot(*aside)):
            turn = math.degrees(math.atan2(cross, along))
            return _plan([here.tolist(), facing.tolist(), there.tolist()]), said_way(turn)


def _place(draws: Draws) -> tuple[int, int]:
    return draws.randrange(len(GROUPS["x"])), draws.randrange(len(GROUPS["y"]))


def _plan(places: Sequence[Sequence[int]]) -> str:
    return " ".join(f"<x{x}> <y{y}>" for x, y in places)


_WORK: Mapping[str, Callable[[Draws], tuple[str, str]]] = MappingProxyType(
    {"Off": _off, "Gap": _gap, "Turn": _turn}
)
# As often as each stands here: order takes longest.
_EXERCISES = (_repeat, _letters, _table, _order, _order, _order, _tour, _tour, _work)


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


def reel(draws: Draws, frames: Sequence[tuple[str, ...]]) -> str:
    """Frames as a video's prompt has them, words in the place of image tokens."""
    second, text = 0, ""
    for words in frames:
        shown = "".join(f" {word}" for word in words)
        text += FRAME.format(minutes=0, seconds=second) + _BEFORE + shown + _FAKE
        second += draws.choice((0, 1, 1, 1, 2))
    return text


def cued(
    draws: Draws, encode: Encode, head: str, pairs: list[tuple[str, str]], n: int = _CUES
) -> Line:
    """A head, then ``n`` cues with their answers, some more than once."""
    ids = list(encode(head))
    taught = [False] * len(ids)
    for cue, answer in draws.choices(pairs, k=n):
        for text, learnt in ((cue, False), (answer, True)):
            part = encode(f" {text}")
            ids += part
            taught += [learnt] * len(part)
    return Line(ids=tuple(ids), taught=tuple(taught))
