"""From a seed to a lesson and its three questions; nothing is drawn on a picture here.

Everything asked is decided by the lesson's own random table, so neither the question's text nor the
quiz picture says anything about the answer: arithmetic options are the given number + {all that
could have been drawn}, order options exactly the signs shown, names and numbers come from the pool
the table was drawn from. Source: our prototype (November 2026), whose lessons the shipped model was
trained on; the order of draws is part of the format.
"""

from __future__ import annotations

from types import MappingProxyType

from edgeval.errors import UnknownName
from edgeval.synth.draws import Draws, lesson_draws, question_draws
from edgeval.synth.kinds import chain, code, machine, sorting, steps
from edgeval.synth.nouns import TRACKS, Lesson, Query, Question, Slide, Teach, Track
from edgeval.synth.vocabulary import DISCIPLINES, LETTERS, THEMES

KINDS: MappingProxyType[str, Teach] = MappingProxyType(
    {
        "code": code.teach,
        "machine": machine.teach,
        "chain": chain.teach,
        "steps": steps.teach,
        "sorting": sorting.teach,
    }
)
# A third of the lessons whose adaptation answer is a number ask it open-ended.
OPEN_KINDS = frozenset({"code", "machine"})
OPEN_SHARE = 0.34


def make(seed: int, *, kind: str | None = None, discipline: str | None = None) -> Lesson:
    """The lesson of ``seed``; ``kind`` and ``discipline`` are drawn too unless given.

    Raises UnknownName for a kind or discipline that is not there.
    """
    if kind is not None and kind not in KINDS:
        raise UnknownName("lesson kind", kind, KINDS)
    if discipline is not None and discipline not in THEMES:
        raise UnknownName("discipline", discipline, THEMES)
    draws = lesson_draws(seed)
    kind = kind or draws.choice(tuple(KINDS))
    discipline = discipline or draws.choice(DISCIPLINES)
    title = f"{draws.choice(THEMES[discipline].topics)} {kind}"
    opening = Slide(kind="title", header=title, slots=(None, None, None, "title"))
    rule, slides = KINDS[kind](draws, title)
    return Lesson(
        seed=seed,
        kind=kind,
        discipline=discipline,
        title=title,
        slides=(opening, *slides),
        rule=rule,
    )


def query(draws: Draws, lesson: Lesson, track: Track) -> Query:
    """Something to ask about ``lesson``; adaptation has one thing only and draws nothing."""
    if track == "perception":
        return lesson.rule.perception(draws)
    if track == "comprehension":
        return lesson.rule.comprehension(draws)
    return lesson.rule.adaptation()


class LetterTurns:
    """Deals right letters in turn, per number of options, so that a dataset favours none."""

    __slots__ = ("_next",)

    def __init__(self) -> None:
        self._next: dict[int, int] = {}

    def deal(self, draws: Draws, n_options: int) -> int:
        """The place (0-based) of the right option among ``n_options``; always draws once."""
        first = draws.randrange(n_options)
        turn = self._next.get(n_options, first) + 1
        self._next[n_options] = turn
        return turn % n_options


def questions(lesson: Lesson, turns: LetterTurns) -> tuple[Question, ...]:
    """One question per track, up to ten options; ``turns`` goes on from lesson to lesson."""
    draws = question_draws(lesson.seed)
    posed = []
    for track in TRACKS:
        asked = query(draws, lesson, track)
        may_be_open = track == "adaptation" and lesson.kind in OPEN_KINDS
        if may_be_open and draws.random() < OPEN_SHARE:
            posed.append(Question(track=track, query=asked, options=(), target=asked.answer))
            continue
        others = [p for p in asked.pool if p != asked.answer]
        n_options = min(len(LETTERS), len(others) + 1)
        place = turns.deal(draws, n_options)
        options = draws.sample(others, n_options - 1)
        options.insert(place, asked.answer)
        posed.append(
            Question(track=track, query=asked, options=tuple(options), target=LETTERS[place])
        )
    return tuple(posed)
