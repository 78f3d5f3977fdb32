"""What a lesson is: twelve slides, the rule they teach, and what can be asked about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol

from edgeval.synth.draws import Draws

Track = Literal["perception", "comprehension", "adaptation"]
SlideKind = Literal["title", "rule", "pair", "example", "quiz"]
Slots = tuple[str | None, str | None, str | None, str]

TRACKS: tuple[Track, ...] = ("perception", "comprehension", "adaptation")
N_SLIDES = 12
ARROW = ">"


class Sign(NamedTuple):
    """A coloured shape; colour 'grey': only the shape counts, shape 'blob': only the colour."""

    colour: str
    shape: str

    def __str__(self) -> str:
        """As questions and answers name it: "orange square"."""
        return f"{self.colour} {self.shape}"


class Word(NamedTuple):
    """A number or an invented name on a slide."""

    text: str


class Mark(NamedTuple):
    """A mark between the things of a slide: ARROW, '+', '=' or '?'."""

    text: str


Thing = Sign | Word | Mark


@dataclass(frozen=True, slots=True, kw_only=True)
class Slide:
    """One slide: ``things`` stand in a row; on a rule slide they are pictures under ``lines``.

    ``slots`` = (colour, shape, value, kind of slide): what a frame of it says, to train a model on.
    """

    kind: SlideKind
    slots: Slots
    header: str = ""
    lines: tuple[str, ...] = ()
    things: tuple[Thing, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """One thing that can be asked, its answer, and ``pool``: all answers of its sort, this one too.

    ``skill`` names what it takes; ``by_order``: only the order of the slides tells; ``worked``: the
    steps to the answer.
    """

    skill: str
    stem: str
    answer: str
    pool: tuple[str, ...]
    worked: str
    by_order: bool = False


class Rule(Protocol):
    """What a lesson of one kind teaches: its random table, and three ways to ask about it."""

    def perception(self, draws: Draws) -> Query:
        """What was shown."""

    def comprehension(self, draws: Draws) -> Query:
        """What would follow if an input of an example were another."""

    def adaptation(self) -> Query:
        """The case that only the quiz slide shows."""


class Taught(NamedTuple):
    """A rule and the eleven slides after the title that teach it; the last is the quiz."""

    rule: Rule
    slides: tuple[Slide, ...]


Teach = Callable[[Draws, str], Taught]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """One generated lesson: ``slides`` has N_SLIDES entries, title first and quiz last."""

    seed: int
    kind: str
    discipline: str
    title: str
    slides: tuple[Slide, ...]
    rule: Rule


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One posed question: ``target`` is the right letter, or the number if ``options`` is ()."""

    track: Track
    query: Query
    options: tuple[str, ...]
    target: str

    @property
    def worked(self) -> str:
        """The full answer a model is taught: the steps, then the letter in brackets."""
        return f"{self.query.worked} ({self.target})" if self.options else self.query.worked
