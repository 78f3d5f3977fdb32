"""Signs that share colours and shapes, and the question which of them came next."""

from __future__ import annotations

from collections.abc import Sequence

from edgeval.synth.draws import Draws
from edgeval.synth.nouns import Query, Sign
from edgeval.synth.vocabulary import COLOURS, SHAPES


def distinct_signs(draws: Draws, n: int) -> list[Sign]:
    """``n`` different signs over four colours and four shapes: neither alone names one."""
    colours, shapes = draws.sample(COLOURS, 4), draws.sample(SHAPES, 4)
    return draws.sample([Sign(c, s) for c in colours for s in shapes], n)


def neighbour(draws: Draws, signs: Sequence[Sign], *, what: str) -> Query:
    """Which sign the slides showed right after, or right before, another."""
    i = draws.randrange(len(signs) - 1)
    first, second = signs[i], signs[i + 1]
    forward = draws.random() < 0.5
    word, given, answer = ("after", first, second) if forward else ("before", second, first)
    return Query(
        skill="order",
        stem=f"Which {what} was shown right {word} the {given}?",
        answer=str(answer),
        pool=tuple(str(s) for s in signs if s != given),
        worked=f"{word} {given} {answer}",
        by_order=True,
    )
