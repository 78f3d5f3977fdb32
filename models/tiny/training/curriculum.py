"""What is practised when, of recall: one skill after the other, each from easy to hard.

Mixed with all the rest and at full length from the start, neither the steps between two places nor
the letter of what was looked up were learnt in thousands of lines; each was in a few hundred steps
in which it was most of what was asked, of short clips first. All else is asked beside it, or it is
forgotten.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from edgeval.synth.draws import Draws
from training import recall, wordings
from training.recall import Row
from training.view import BLIND, Seer

# Lines behind one made-up clip.
_LINES = 4
# A phase is at its hardest when so much of it is over.
_RAMP = 0.8
# Of all that is asked beside: letters; rows without a clip.
_BY_LETTER, _CLIPLESS = 0.6, 0.2

_SLIDES = ("Beside", "Back", "Next", "Before")
_TOUR = ("Look", "Sooner", "Order", "Off", "Gap", "Turn", "Nearer")
# What more than two of a tour tell.
_OF_SEVERAL = ("Turn", "Nearer", "Order", "Sooner")
_WORDS = ("Repeat", "Letter", "Place", "Sum")
CLIPS = (*_SLIDES, *_TOUR)


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """A part of a stage, ``until`` that share of it is over.

    ``heads``: what is asked, as often as it stands there, ``by_letter`` of it for letters;
    ``others``: share of rows that ask for anything.
    """

    until: float
    heads: tuple[str, ...]
    by_letter: float = 0.0
    others: float = 0.0


PHASES: Mapping[str, Sequence[Phase]] = MappingProxyType(
    {
        "recall": (
            Phase(until=0.22, heads=("Repeat", "Repeat", "Letter")),
            Phase(until=0.36, heads=("Place",)),
            # Back is harder.
            Phase(until=0.62, heads=("Before", *_SLIDES)),
            Phase(until=1.0, heads=("Look", "Look", *_TOUR)),
        ),
        "letters": (
            Phase(until=0.28, heads=_SLIDES, by_letter=0.7, others=0.2),
            Phase(until=0.52, heads=("Off", "Gap"), others=0.4),
            Phase(
                until=0.8, heads=("Turn", "Nearer", "Order", "Sooner"), by_letter=0.4, others=0.4
            ),
            Phase(until=1.0, heads=_TOUR, by_letter=0.6, others=0.5),
        ),
    }
)


def rows(draws: Draws, seer: Seer, stage: str, share: float, n_lines: int) -> list[Row]:
    """Exercises of ``n_lines`` lines; ``share`` of the stage is over."""
    phases = PHASES[stage]
    at = next(at for at, phase in enumerate(phases) if share < phase.until)
    phase, began = phases[at], phases[at - 1].until if at else 0.0
    hard = min(1.0, (share - began) / (phase.until - began) / _RAMP)
    made = []
    for _ in range(max(1, n_lines // _LINES)):
        if draws.random() < phase.others:
            made += _anything(draws, seer)
        else:
            made += _asked(draws, seer, phase.heads, phase.by_letter, hard)
    return made


def anything(draws: Draws, seer: Seer, n_lines: int) -> list[Row]:
    """Exercises of all kinds."""
    return [row for _ in range(max(1, n_lines // _LINES)) for row in _anything(draws, seer)]


def _anything(draws: Draws, seer: Seer) -> list[Row]:
    heads = _WORDS if draws.random() < _CLIPLESS else draws.choice((_SLIDES, ("Look", *_TOUR)))
    return _asked(draws, seer, heads, _BY_LETTER, 1.0)


def _asked(
    draws: Draws, seer: Seer, heads: Sequence[str], by_letter: float, hard: float
) -> list[Row]:
    """Lines behind one clip, or each alone where words are all there is."""
    if heads[0] in _WORDS:
        return [(BLIND, [recall.of_words(draws, seer, draws.choice(heads))]) for _ in range(_LINES)]
    frames, facts = (recall.slides if heads[0] in _SLIDES else recall.tour)(draws, hard)
    fitting = [head for head in heads if head in facts]
    drills = []
    for head in draws.choices(fitting, k=_LINES):
        drill = recall.cued(draws, head, facts[head])
        drills.append(wordings.lettered(drill, draws) if draws.random() < by_letter else drill)
    return [recall.row(draws, seer, frames, drills)]
