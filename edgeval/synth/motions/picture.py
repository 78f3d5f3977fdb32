"""Films and routines as frames: a sign on a plain ground, as its act or step has it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from edgeval.synth import sprites
from edgeval.synth.motions.film import SECONDS_PER_ACT, Act, Film
from edgeval.synth.motions.routine import N_STEPS, Routine
from edgeval.synth.vocabulary import RGB

SIDE = 128
FPS = 8
SIGN = 48
LIGHT: RGB = (244, 242, 236)
DARK: RGB = (58, 62, 92)
_PATH = {"slowly": 14, "steadily": 38, "fast": 80}
_WAYS = {"to the left": (-1, 0), "to the right": (1, 0), "up": (0, -1), "down": (0, 1)}
_BLINK = 3


def frames(film: Film) -> Iterator[NDArray[np.uint8]]:
    """Every frame of the film, uint8 [SIDE, SIDE, 3], FPS a second."""
    n = FPS * SECONDS_PER_ACT
    for act in film.acts:
        for i in range(n):
            yield _page(act, i, n)


def _page(act: Act, i: int, n: int) -> NDArray[np.uint8]:
    share = i / (n - 1)
    if act.part == "moves":
        dx, dy = _WAYS[act.direction]
        off = round(_PATH[act.speed] * (share - 0.5))
        return page(act.sign.colour, act.sign.shape, at=(dx * off, dy * off))
    if act.part == "turns":
        return page(act.colour if share >= 0.5 else act.sign.colour, act.sign.shape)
    if act.part == "acts":
        return _acting(act, share, hidden=i // _BLINK % 2 == 1)
    return page(act.sign.colour, act.sign.shape)


def _acting(act: Act, share: float, *, hidden: bool) -> NDArray[np.uint8]:
    colour, shape = act.sign.colour, act.sign.shape
    if act.action == "blinks":
        return page("" if hidden else colour, shape)
    if act.action == "spins":
        return page(colour, shape, turn_deg=360 * share)
    grown = share if act.action == "grows" else 1 - share
    return page(colour, shape, size=round(SIGN * (0.5 + 1.1 * grown)))


def page(
    colour: str,
    shape: str,
    *,
    at: tuple[int, int] = (0, 0),
    size: int = SIGN,
    turn_deg: float = 0,
    ground: RGB = LIGHT,
) -> NDArray[np.uint8]:
    """One sign, ``at`` so many pixels from the middle; without a colour the ground alone."""
    picture = Image.new("RGB", (SIDE, SIDE), ground)
    if colour:
        sign = sprites.sign(colour, shape, side=size)
        if turn_deg:
            sign = sign.rotate(turn_deg, Image.Resampling.BILINEAR)
        corner = (SIDE - size) // 2
        picture.paste(sign, (corner + at[0], corner + at[1]), sign)
    return np.asarray(picture)


def steps(routine: Routine) -> Iterator[NDArray[np.uint8]]:
    """A routine's video: a step a second."""
    for i in range(routine.n_shown):
        shown = step(routine, (routine.start + i) % N_STEPS)
        for _ in range(FPS):
            yield shown


def step(routine: Routine, number: int) -> NDArray[np.uint8]:
    """What is seen during a step, uint8 [SIDE, SIDE, 3]; the second level has another ground."""
    one = routine.steps[number]
    ground = DARK if routine.level == "L2" else LIGHT
    return page(one.colour, one.shape, at=one.place, ground=ground)
