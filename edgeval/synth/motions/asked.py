"""What can be asked about a film: one query a skill, and how it becomes options.

Every pool holds what could have been right, each as likely: directions, speeds, actions and colours
as drawn, or the film's own shapes in any order.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from edgeval.synth.draws import Draws
from edgeval.synth.lessons import LetterTurns
from edgeval.synth.motions.film import (
    ACTIONS,
    COUNTS,
    DIRECTIONS,
    SECONDS_PER_ACT,
    SPEEDS,
    Film,
)
from edgeval.synth.nouns import Query
from edgeval.synth.vocabulary import COLOURS

PARTS = ("At the beginning.", "In the middle.", "At the end.")
_IN_ORDER = 3


class Posed(NamedTuple):
    """A query with its options in order and the place of the right one."""

    query: Query
    options: tuple[str, ...]
    place: int


def posed(query: Query, turns: LetterTurns, draws: Draws, *, most: int = 4) -> Posed:
    """At most ``most`` options, the right one where ``turns`` deals it."""
    others = [text for text in query.pool if text != query.answer]
    n = min(most, len(others) + 1)
    place = turns.deal(draws, n)
    options = draws.sample(others, n - 1)
    options.insert(place, query.answer)
    return Posed(query=query, options=tuple(options), place=place)


def _query(skill: str, stem: str, answer: str, pool: tuple[str, ...], worked: str) -> Query:
    by_order = skill in ("next", "first", "last", "order", "when")
    return Query(skill=skill, stem=stem, answer=answer, pool=pool, worked=worked, by_order=by_order)


def direction(film: Film, _: Draws) -> Query:
    """Where to the one that moves does."""
    act = film.one("moves")
    stem = f"In which direction does the {act.sign} move?"
    return _query("direction", stem, act.direction, DIRECTIONS, f"The {act.sign} moves {{}}.")


def speed(film: Film, _: Draws) -> Query:
    """How fast the one that moves does."""
    act = film.one("moves")
    stem = f"How does the {act.sign} move?"
    return _query("speed", stem, act.speed, SPEEDS, f"The {act.sign} moves {{}}.")


def action(film: Film, _: Draws) -> Query:
    """What the one that acts does."""
    act = film.one("acts")
    stem = f"What does the {act.sign} do?"
    return _query("action", stem, act.action, ACTIONS, f"The {act.sign} {{}}.")


def turned(film: Film, _: Draws) -> Query:
    """What colour the one that turns turns into."""
    act = film.one("turns")
    pool = tuple(colour for colour in COLOURS if colour != act.sign.colour)
    stem = f"Which colour does the {act.sign} turn into?"
    return _query("turned", stem, act.colour, pool, f"The {act.sign} turns {{}}.")


def mover(film: Film, _: Draws) -> Query:
    """Which of the shapes moves."""
    answer = str(film.one("moves").sign)
    return _query("mover", "Which shape moves?", answer, film.signs, "The {} moves.")


def mover_colour(film: Film, _: Draws) -> Query:
    """What colour the moving shape is."""
    pool = tuple(act.sign.colour for act in film.acts)
    answer = film.one("moves").sign.colour
    stem = "What colour is the shape that moves?"
    return _query("mover colour", stem, answer, pool, "A {} shape moves.")


def after(film: Film, draws: Draws) -> Query:
    """Which shape comes right after another."""
    i = draws.randrange(len(film.acts) - 1)
    here, answer = film.signs[i], film.signs[i + 1]
    pool = tuple(sign for sign in film.signs if sign != here)
    stem = f"Which shape comes right after the {here}?"
    return _query("next", stem, answer, pool, f"After the {here} comes the {{}}.")


def first(film: Film, _: Draws) -> Query:
    """Which shape comes first."""
    stem = "Which shape is shown first?"
    return _query("first", stem, film.signs[0], film.signs, "The {} comes first.")


def last(film: Film, _: Draws) -> Query:
    """Which shape comes last."""
    stem = "Which shape is shown last?"
    return _query("last", stem, film.signs[-1], film.signs, "The {} comes last.")


def order(film: Film, draws: Draws) -> Query:
    """In which order three of the shapes come."""
    chosen = sorted(draws.sample(range(len(film.acts)), _IN_ORDER))
    said = [f"the {film.signs[i]}" for i in chosen]
    pool = tuple(", then ".join(some) for some in itertools.permutations(sorted(said)))
    stem = "In which order are these shapes shown?"
    return _query("order", stem, ", then ".join(said), pool, "First comes {}.")


def count(film: Film, _: Draws) -> Query:
    """How many shapes are shown."""
    pool = tuple(map(str, COUNTS))
    stem = "How many shapes are shown?"
    return _query("count", stem, str(len(film.acts)), pool, "{} shapes are shown.")


def when(film: Film, draws: Draws) -> Query:
    """In which part of the film a shape is shown."""
    place = draws.randrange(len(PARTS))
    n = len(film.acts)
    i = (0, draws.randrange(1, n - 1), n - 1)[place]
    stem = f"During which part of the video is the {film.signs[i]} shown?"
    return _query("when", stem, PARTS[place], PARTS, f"The {film.signs[i]}: {{}}")


def exists(film: Film, draws: Draws) -> Query:
    """Whether there is a shape of a colour; as often yes as no."""
    shown = [act.sign.colour for act in film.acts]
    turned_into = film.one("turns").colour
    absent = [colour for colour in COLOURS if colour not in (*shown, turned_into)]
    answer = draws.choice(("yes", "no"))
    # Six shapes and one new colour leave one colour at least.
    colour = draws.choice(shown if answer == "yes" else absent)
    return _query("exists", f"Is there a {colour} shape?", answer, ("yes", "no"), "{}")


def name(film: Film, draws: Draws) -> Query:
    """What a shape is called, which only the subtitles say."""
    i = draws.randrange(len(film.acts))
    pool = tuple(act.name for act in film.acts)
    stem = f"What is the {film.signs[i]} called?"
    return _query("name", stem, pool[i], pool, f"The {film.signs[i]} is called {{}}.")


def named(film: Film, draws: Draws) -> Query:
    """Which shape is shown when the subtitles say a name."""
    i = draws.randrange(len(film.acts))
    stem = f'When the subtitles say "{said(film.acts[i].name)}", which shape is on the screen?'
    return _query("named", stem, film.signs[i], film.signs, "It is the {}.")


def said(name: str) -> str:
    """What the subtitles say while a shape is shown."""
    return f"This one is called {name}."


def cues(film: Film) -> tuple[tuple[float, float, str], ...]:
    """The film's subtitles: start and end in seconds, text."""
    step = SECONDS_PER_ACT
    return tuple(
        (step * i + 0.25, step * i + 1.75, said(act.name)) for i, act in enumerate(film.acts)
    )


SKILLS: Mapping[str, Callable[[Film, Draws], Query]] = MappingProxyType(
    {
        "direction": direction,
        "speed": speed,
        "action": action,
        "turned": turned,
        "mover": mover,
        "mover colour": mover_colour,
        "next": after,
        "first": first,
        "last": last,
        "order": order,
        "count": count,
        "when": when,
        "exists": exists,
        "name": name,
        "named": named,
    }
)
