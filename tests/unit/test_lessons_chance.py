"""Without the video a lesson's question is a guess: nothing in the text or the quiz slide helps.

Each guesser below learns from two thousand other lessons what a reader of questions could learn,
and must stay inside chance's 95 % interval on lessons it has not seen. A rule that leaked would
move them: the last test lets one cheat and sees that the scale shows it.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence

import pytest

from edgeval.synth.lessons_dataset import lessons_of
from edgeval.synth.nouns import Lesson, Question

N_LEARN = N_TEST = 2000
Sample = tuple[Lesson, Question]
Hints = Callable[[Lesson, Question, int], list[str]]


@pytest.fixture(scope="module")
def halves() -> tuple[list[Sample], list[Sample]]:
    """Multiple-choice questions of lessons to learn from, and of others to be tested on."""
    learn, test = (
        [(lesson, q) for lesson, asked in lessons_of(seed0, n) for q in asked if q.options]
        for seed0, n in ((1_000_000, N_LEARN), (2_000_000, N_TEST))
    )
    return learn, test


def answer_text(_: Lesson, question: Question, i: int) -> list[str]:
    """Which answers are common."""
    return [f"{question.track} {question.options[i]}"]


def place(_: Lesson, question: Question, i: int) -> list[str]:
    """Which letters are common."""
    return [f"{question.track} {len(question.options)} {i}"]


def rank(_: Lesson, question: Question, i: int) -> list[str]:
    """Whether numbers in the middle, or names early in the alphabet, are common."""
    order = sorted(question.options, key=lambda text: (text.zfill(2), text))
    return [f"{question.query.skill} {len(order)} {order.index(question.options[i])}"]


def company(_: Lesson, question: Question, i: int) -> list[str]:
    """Whether an option shares words with the others more, or less, than a wrong one does."""
    words = Counter(word for option in question.options for word in option.split())
    shared = sum(words[word] for word in question.options[i].split())
    return [f"{question.track} {question.query.skill} {shared}"]


def wording(_: Lesson, question: Question, i: int) -> list[str]:
    """Which words of the question go with which words of the answer."""
    said = question.query.stem.rstrip("?.").split()
    return [f"{a} {b}" for a in set(said) for b in question.options[i].split()]


def quiz_slide(lesson: Lesson, question: Question, i: int) -> list[str]:
    """Which things of the quiz slide go with which answer: what the question-only pass shows."""
    shown = [str(slot) for slot in lesson.slides[-1].slots]
    return [f"{question.track} {s} {question.options[i]}" for s in shown]


def accuracy(learn: Sequence[Sample], test: Sequence[Sample], hints: Hints) -> tuple[float, ...]:
    """(accuracy, chance, its standard deviation) of naive Bayes over ``hints`` of each option."""
    right: Counter[str] = Counter()
    offered: Counter[str] = Counter()
    for lesson, question in learn:
        for i, option in enumerate(question.options):
            said = hints(lesson, question, i)
            offered.update(said)
            right.update(said if option == question.query.answer else ())
    hits, chance, variance = 0, 0.0, 0.0
    for lesson, question in test:
        n = len(question.options)
        scores = [
            sum(math.log((right[h] + 1) / (offered[h] + n)) for h in hints(lesson, question, i))
            for i in range(n)
        ]
        hits += question.options[scores.index(max(scores))] == question.query.answer
        chance += 1 / n
        variance += (1 - 1 / n) / n
    return hits / len(test), chance / len(test), math.sqrt(variance) / len(test)


@pytest.mark.parametrize("hints", [answer_text, place, rank, company, wording, quiz_slide])
def test_a_guesser_that_never_saw_the_video_stays_at_chance(
    hints: Hints, halves: tuple[list[Sample], list[Sample]]
) -> None:
    got, chance, deviation = accuracy(*halves, hints)
    assert abs(got - chance) < 1.96 * deviation


def test_right_letters_are_as_even_as_turns_make_them(
    halves: tuple[list[Sample], list[Sample]],
) -> None:
    by_size: dict[int, Counter[str]] = {}
    for _, question in halves[0]:
        by_size.setdefault(len(question.options), Counter())[question.target] += 1
    spread = {n: max(c.values()) - min(c.values()) for n, c in by_size.items() if len(c) == n}
    assert max(spread.values()) <= 1
    assert spread.keys() == by_size.keys()


def test_every_wrong_option_could_have_been_right(
    halves: tuple[list[Sample], list[Sample]],
) -> None:
    """Over many lessons the right answer is each text about as often as it is offered."""
    right: Counter[tuple[str, str]] = Counter()
    expected: Counter[tuple[str, str]] = Counter()
    for lesson, question in halves[0] + halves[1]:
        for option in question.options:
            key = (f"{lesson.kind} {question.track} {question.query.skill}", option)
            right[key] += option == question.query.answer
            expected[key] += 1 / len(question.options)
    often = [key for key, n in expected.items() if n >= 20]
    chi2 = sum((right[key] - expected[key]) ** 2 / expected[key] for key in often)
    # Mean n, variance about 2n: four standard deviations above would be a tilt.
    assert chi2 < len(often) + 4 * math.sqrt(2 * len(often))


def test_a_leak_would_be_seen(halves: tuple[list[Sample], list[Sample]]) -> None:
    def leaky(_: Lesson, question: Question, i: int) -> list[str]:
        early = question.options[i] == question.query.answer and len(question.query.stem) % 3 == 0
        return ["early" if early else "late"]

    got, chance, deviation = accuracy(*halves, leaky)
    assert got - chance > 10 * deviation
