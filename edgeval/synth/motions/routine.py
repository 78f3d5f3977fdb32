"""Routines: four steps over and over, and the question which step comes after the one seen now.

The order is the video's alone and the step of now is the picture's alone; all four steps are the
options, so that neither without the other says anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

from edgeval.synth.draws import scene_draws
from edgeval.synth.motions.film import SHAPES
from edgeval.synth.vocabulary import COLOURS

Level = Literal["L1", "L2", "L3"]

N_STEPS = 4
N_NOW = 2
# Held out, as all seeds from 800_000 to 899_999 are: nothing shipped has been trained on them.
FIRST_SEED = 830_000
_ROUNDS = 2
_PLACES = {
    "top left": (-32, -32),
    "top right": (32, -32),
    "bottom left": (-32, 32),
    "bottom right": (32, 32),
}
# What SEED-Bench-R1's third level is told apart by, and what is done here under each name.
DOMAINS = ("Daily life", "Hobbies", "Recreation", "Work")


class Step(NamedTuple):
    """One step: how an option names it, and what the picture shows meanwhile."""

    text: str
    colour: str
    shape: str
    place: tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Routine:
    """Four steps in their order; the video begins at ``start`` and shows ``n_shown`` of them."""

    seed: int
    level: Level
    goal: str
    domain: str
    steps: tuple[Step, ...]
    start: int
    n_shown: int
    now: tuple[int, ...]

    @property
    def name(self) -> str:
        """The name of its file, without the suffix."""
        return f"routine_{self.seed}"


def make(seed: int, level: Level, number: int) -> Routine:
    """The routine of ``seed``; ``number`` counts within the level and deals the domains of L3."""
    draws = scene_draws(seed, "routine")
    colours, shapes = draws.sample(COLOURS, N_STEPS), draws.sample(SHAPES, N_STEPS)
    places = draws.sample(tuple(_PLACES), N_STEPS)
    middle = (0, 0)
    if level != "L3":
        goal = "go on with the routine"
        pairs = zip(colours, shapes, strict=True)
        steps = [Step(f"show the {c} {s}", c, s, middle) for c, s in pairs]
    elif number % 2:
        goal = f"paint the {shapes[0]}"
        steps = [Step(f"paint it {colour}", colour, shapes[0], middle) for colour in colours]
    else:
        goal = f"carry the {colours[0]} {shapes[0]} round"
        steps = [Step(f"put it {p}", colours[0], shapes[0], _PLACES[p]) for p in places]
    return Routine(
        seed=seed,
        level=level,
        goal=goal,
        domain=DOMAINS[number % len(DOMAINS)] if level == "L3" else "",
        steps=tuple(steps),
        start=draws.randrange(N_STEPS),
        n_shown=_ROUNDS * N_STEPS + draws.randrange(N_STEPS),
        now=tuple(draws.sample(range(N_STEPS), N_NOW)),
    )
