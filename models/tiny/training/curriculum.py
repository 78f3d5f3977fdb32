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

_SLIDES = ("Beside", "Back", "Next", "Before")
_TOUR = ("Look", "Sooner", "Order", "Off", "Gap", "Turn", "Nearer")
# What more than two of a tour tell.
_OF_SEVERAL = ("Turn", "Nearer", "Order", "Sooner")
CLIPS = (*_SLIDES, *_TOUR)


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """A part of a stage, ``until`` that share of it is over.

    ``heads``: what is asked, as often as it stands there, ``by_letter`` of it for letters;
    ``others``: share of rows that ask what phases before this one did.
    """

    until: float
    heads: tuple[str, ...]
    by_letter: float = 0.0
    others: float = 0.0


PHASES: Mapping[str, Sequence[Phase]] = MappingProxyType(
    {
        "recall": (
            Phase(until=0.22, heads=("Repeat", "Repeat", "Letter")),
            Phase(until=0.36, heads=("Place", "Place", "Place", "Sum")),
            # Back is harder.
            Phase(until=0.62, heads=("Before", *_SLIDES)),
            Phase(until=1.0, heads=("Look", "Look", *_TOUR), others=0.25),
        ),
        "letters": (
            Phase(until=0.1, heads=("Beside",), by_letter=0.9, others=0.3),
            Phase(until=0.32, heads=_SLIDES, by_letter=0.7, others=0.2),
            Phase(until=0.54, heads=("Off", "Gap"), others=0.4),
            Phase(until=0.8, heads=_OF_SEVERAL, by_letter=0.4, others=0.4),
            Phase(until=1.0, heads=_TOUR, by_letter=0.6, others=0.5),
        ),
    }
)
_ALL = tuple(phase for phases in PHASES.values() for phase in phases)


def rows(draws: Draws, seer: Seer, stage: str, share: float, n_lines: int) -> list[Row]:
    """Exercises of ``n_lines`` lines; ``share`` of the stage is over."""
    phases = PHASES[stage]
    at = next(at for at, phase in enumerate(phases) if share < phase.until)
    began = phases[at - 1].until if at else 0.0
    hard = min(1.0, (share - began) / (phases[at].until - began) / _RAMP)
    before = _ALL[: _ALL.index(phases[at])]
    made = []
    for _ in range(max(1, n_lines // _LINES)):
        if draws.random() < phases[at].others:
            made += _asked(draws, seer, draws.choice(before), 1.0)
        else:
            made += _asked(draws, seer, phases[at], hard)
    return made


def anything(draws: Draws, seer: Seer, n_lines: int) -> list[Row]:
    """Exercises of all phases, at their hardest."""
    n_rows = max(1, n_lines // _LINES)
    return [row for _ in range(n_rows) for row in _asked(draws, seer, draws.choice(_ALL), 1.0)]


def _asked(draws: Draws, seer: Seer, phase: Phase, hard: float) -> list[Row]:
    """Lines behind one clip, or each alone where words are all there is."""
    if phase.heads[0] not in CLIPS:
        return [
            (BLIND, [recall.of_words(draws, seer, draws.choice(phase.heads))])
            for _ in range(_LINES)
        ]
    frames, facts = (recall.slides if phase.heads[0] in _SLIDES else recall.tour)(draws, hard)
    fitting = [head for head in phase.heads if head in facts]
    drills = []
    for head in draws.choices(fitting, k=_LINES):
        drill = recall.cued(draws, head, facts[head])
        by_letter = draws.random() < phase.by_letter
        drills.append(wordings.lettered(drill, draws) if by_letter else drill)
    return [recall.row(draws, seer, frames, drills)]
