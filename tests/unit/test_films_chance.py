"""Without the video a made question is a guess: its text and options say nothing of the answer.

As in test_lessons_chance, each guesser learns from some films or rooms what their questions alone
could teach, and must stay at chance on others; one that cheats must be seen to.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple

import pytest

from edgeval.synth import rooms, rooms_dataset
from edgeval.synth.draws import scene_draws
from edgeval.synth.layouts import mvbench, seedbench_r1
from edgeval.synth.lessons import LetterTurns
from edgeval.synth.motions import asked, film, routine
from edgeval.synth.motions.asked import SKILLS

N_FILMS = 500
N_ROOMS = 50


class One(NamedTuple):
    """A multiple-choice question, of whichever kind."""

    skill: str
    stem: str
    options: tuple[str, ...]
    place: int


Hints = Callable[[One, int], list[str]]
Halves = tuple[list[One], list[One]]


def of_films(first: int) -> list[One]:
    turns, found = LetterTurns(), []
    for seed in range(first, first + N_FILMS):
        made, draws = film.make(seed), scene_draws(seed, "chance")
        queries = [ask(made, draws) for ask in SKILLS.values()]
        queries.append(mvbench._part(made, draws)[0])
        for query in queries:
            _, options, place = asked.posed(query, turns, draws, most=5)
            found.append(One(query.skill, query.stem, options, place))
        level = seedbench_r1.LEVELS[seed % 3]
        for number in range(2):
            row = seedbench_r1._row(routine.make(seed, level, seed // 3), number, turns)
            steps = tuple(str(row[f"choice_{x}"]) for x in "abcd")
            right = "ABCD".index(str(row["golden_choice_idx"]))
            found.append(One(f"step {level}", str(row["question"]), steps, right))
    return found


def of_rooms(first: int) -> list[One]:
    made = [rooms.make(seed) for seed in range(first, first + N_ROOMS)]
    found = []
    for row in rooms_dataset.questions(made, seed=first):
        if row["options"] is not None:
            options = tuple(text[3:] for text in row["options"])  # type: ignore[attr-defined]
            place = "ABCD".index(str(row["ground_truth"]))
            found.append(One(str(row["question_type"]), str(row["question"]), options, place))
    return found


@pytest.fixture(scope="module", params=[of_films, of_rooms])
def halves(request: pytest.FixtureRequest) -> Halves:
    return request.param(1_000_000), request.param(2_000_000)


def answer_text(one: One, i: int) -> list[str]:
    """Which answers are common."""
    return [f"{one.skill} {one.options[i]}"]


def place(one: One, i: int) -> list[str]:
    """Which letters are common."""
    return [f"{one.skill} {len(one.options)} {i}"]


def rank(one: One, i: int) -> list[str]:
    """Whether numbers in the middle, or words early in the alphabet, are common."""
    return [f"{one.skill} {len(one.options)} {sorted(one.options).index(one.options[i])}"]


def company(one: One, i: int) -> list[str]:
    """Whether an option shares words with the others more, or less, than a wrong one does."""
    words = Counter(word for option in one.options for word in option.split())
    return [f"{one.skill} {sum(words[word] for word in one.options[i].split())}"]


def wording(one: One, i: int) -> list[str]:
    """Which words of the question go with which words of the answer."""
    said = one.stem.replace(",", " ").rstrip("?.").split()
    return [f"{one.skill} {a} {b}" for a in set(said) for b in one.options[i].split()]


def accuracy(learn: Sequence[One], test: Sequence[One], hints: Hints) -> tuple[float, ...]:
    """(accuracy, chance, its standard deviation) of naive Bayes over ``hints`` of each option."""
    right: Counter[str] = Counter()
    offered: Counter[str] = Counter()
    for one in learn:
        for i in range(len(one.options)):
            offered.update(hints(one, i))
        right.update(hints(one, one.place))
    hits, chance, variance = 0, 0.0, 0.0
    for one in test:
        n = len(one.options)
        scores = [
            sum(math.log((right[h] + 1) / (offered[h] + n)) for h in hints(one, i))
            for i in range(n)
        ]
        hits += scores.index(max(scores)) == one.place
        chance += 1 / n
        variance += (1 - 1 / n) / n
    return hits / len(test), chance / len(test), math.sqrt(variance) / len(test)


@pytest.mark.parametrize("hints", [answer_text, place, rank, company, wording])
def test_a_guesser_that_never_saw_the_video_stays_at_chance(hints: Hints, halves: Halves) -> None:
    got, chance, deviation = accuracy(*halves, hints)
    # Ten tests share these draws: three deviations keep all of them honest together.
    assert abs(got - chance) < 3 * deviation


@pytest.mark.parametrize("hints", [answer_text, place, rank])
def test_no_skill_alone_is_guessed(hints: Hints, halves: Halves) -> None:
    """A leak in one skill of twenty would drown among the others."""
    for skill in {one.skill for one in halves[1]}:
        parts = [[one for one in half if one.skill == skill] for half in halves]
        got, chance, deviation = accuracy(parts[0], parts[1], hints)
        assert abs(got - chance) < 4 * deviation, skill


def test_a_leak_would_be_seen(halves: Halves) -> None:
    def leaky(one: One, i: int) -> list[str]:
        return ["early" if i == one.place and len(one.stem) % 3 == 0 else "late"]

    got, chance, deviation = accuracy(*halves, leaky)
    assert got - chance > 5 * deviation


def test_numbers_are_spread_wider_than_one_guess_covers() -> None:
    """The median of other rooms, told for every room, earns less than half."""
    from edgeval.metrics import mean_relative_accuracy

    def numbers(first: int) -> dict[str, list[float]]:
        made = [rooms.make(seed) for seed in range(first, first + 40)]
        held: dict[str, list[float]] = {}
        for row in rooms_dataset.questions(made, seed=first):
            if row["options"] is None:
                kind = str(row["question_type"])
                held.setdefault(kind, []).append(float(json.loads(str(row["ground_truth"]))))
        return held

    told = {kind: sorted(held)[len(held) // 2] for kind, held in numbers(0).items()}
    for kind, held in numbers(500).items():
        earned = [mean_relative_accuracy(told[kind], want) for want in held]
        assert sum(earned) / len(earned) < 0.5, kind
