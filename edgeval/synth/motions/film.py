"""From a seed to a film: three to six shapes, one after the other; nothing is drawn here.

One shape moves, one turns colour, one does something in its place, and the rest stand still. Which
is which, in what order, where to and how fast is drawn evenly, so that a question's text says
nothing of its answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

from edgeval.errors import ArgumentError
from edgeval.synth.draws import scene_draws
from edgeval.synth.nouns import Sign
from edgeval.synth.vocabulary import COLOURS, NAMES

Part = Literal["moves", "turns", "acts", "rests"]

# A turned circle looks as before, and a turned diamond is a square.
SHAPES = ("square", "triangle", "star", "cross", "heart", "moon")
DIRECTIONS = ("to the left", "to the right", "up", "down")
SPEEDS = ("slowly", "steadily", "fast")
ACTIONS = ("spins", "grows", "shrinks", "blinks")
COUNTS = (3, 4, 5, 6)
SECONDS_PER_ACT = 2
# Held out, as all seeds from 800_000 to 899_999 are: nothing shipped has been trained on them.
FIRST_SEED = 820_000


class Act(NamedTuple):
    """One shape's two seconds. ``part`` says which of the other fields count."""

    sign: Sign
    part: Part
    name: str
    direction: str
    speed: str
    action: str
    colour: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Film:
    """What is shown, in order. Colours and shapes are all different before one turns."""

    seed: int
    acts: tuple[Act, ...]

    @property
    def name(self) -> str:
        """The name of its file, without the suffix."""
        return f"film_{self.seed}"

    @property
    def seconds(self) -> int:
        """How long it is."""
        return SECONDS_PER_ACT * len(self.acts)

    @property
    def signs(self) -> tuple[str, ...]:
        """The shapes as questions name them, in the order they come."""
        return tuple(str(act.sign) for act in self.acts)

    def one(self, part: Part) -> Act:
        """The act of which there is one: who moves, turns colour or acts."""
        return next(act for act in self.acts if act.part == part)


def make(seed: int) -> Film:
    """The film of ``seed``. Raises ArgumentError for a negative one."""
    if seed < 0:
        raise ArgumentError(f"film: got the seed {seed}; wants 0 or more")
    draws = scene_draws(seed, "film")
    n = draws.choice(COUNTS)
    rests: list[Part] = ["rests"]
    parts: list[Part] = ["moves", "turns", "acts", *rests * (n - 3)]
    colours, shapes = draws.sample(COLOURS, n), draws.sample(SHAPES, n)
    names = draws.sample(NAMES, n)
    acts = [
        Act(
            sign=Sign(colours[i], shapes[i]),
            part=part,
            name=names[i],
            direction=draws.choice(DIRECTIONS),
            speed=draws.choice(SPEEDS),
            action=draws.choice(ACTIONS),
            colour=draws.choice([colour for colour in COLOURS if colour != colours[i]]),
        )
        for i, part in enumerate(parts)
    ]
    return Film(seed=seed, acts=tuple(draws.sample(acts, n)))
