"""Every benchmark's rules are total: whatever a model says has a score under every rule.

Every kind of question is told hypothesis' own strings. Besides, the kinds take turns with strings
grown from a seed that hypothesis draws, a hundred times faster than it draws text: in batches, and
``--hypothesis-profile long`` makes that a thousand batches of a thousand, 1,000,000 a benchmark.
"""

from __future__ import annotations

import functools
import random  # noqa: TID251 - hypothesis seeds it
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st

from edgeval import benchmarks
from edgeval.benchmarks.base import Benchmark
from edgeval.types import Question

PIECES = [
    *("A", "B.", "(C)", "D)", "the answer is ", "Answer: ", "yes", "no", "3", "1e9", "-.5"),
    *("<think>", "</think>", "<answer>", "</answer>", "\n", " ", "[", "\\boxed{", "}", "%"),
    *("nan", "inf", "\u0660", "\x00", "\u202e", "'", '"', ".", ",", ":", "\ud800", "\u00b2"),
    *("(", "/", "0", "**", "e", "-", "None", "{", "Final Answer", "\\frac{1}{0}", "\u2028"),
]
SAID = st.text(max_size=200) | st.lists(st.sampled_from(PIECES), max_size=30).map("".join)
STATUSES = {"scored", "excluded", "unparsed", "needs_judge", "error"}
LONG = settings.get_profile("long").max_examples
BATCH = LONG if settings.default.max_examples == LONG else 10
# ASCII, Latin and its neighbours, the first plane (surrogates too), all that there is.
ALPHABETS = (0x80, 0x600, 0x10000, 0x110000)


@functools.cache
def questions(name: str) -> tuple[Question, ...]:
    """One question of every kind and task that the embedded data has."""
    bench = benchmarks.load(name)
    assert bench.embedded is not None
    found: dict[tuple[str, str], Question] = {}
    for clip in bench.clips(bench.embedded, bench.settings, ()):
        for question in clip.questions:
            found.setdefault((question.kind, question.task), question)
    return tuple(found.values())


def grown(seed: random.Random) -> str:
    """Pieces, any characters, both, or (one in ten thousand) a few pieces 10,000 times."""
    how = seed.random()
    if how < 1e-4:
        return "".join(seed.choices(PIECES, k=seed.randrange(1, 4))) * 10_000
    pieces = "".join(seed.choices(PIECES, k=seed.randrange(30))) if how < 0.7 else ""
    top = seed.choice(ALPHABETS)
    signs = (
        "".join(chr(seed.randrange(top)) for _ in range(seed.randrange(20))) if how > 0.4 else ""
    )
    return pieces + signs


@contextmanager
def telling(said: str) -> Iterator[None]:
    """Names the string that something in the block failed on."""
    try:
        yield
    except BaseException:
        note(f"said: {said[:1000]!r}")
        raise


def check(bench: Benchmark, question: Question, said: str) -> None:
    scores = bench.score(question, said)
    assert tuple(score.rule for score in scores) == bench.rules
    for score in scores:
        assert score.status in STATUSES
        assert score.value is None or -1 <= score.value <= 1


@pytest.mark.parametrize("name", benchmarks.names())
@settings(max_examples=min(settings.default.max_examples, 60))
@given(said=SAID)
def test_every_answer_has_a_score_under_every_rule(name: str, said: str) -> None:
    for question in questions(name):
        check(benchmarks.load(name), question, said)


@pytest.mark.parametrize("name", benchmarks.names())
@given(seed=st.randoms(use_true_random=True))
def test_batches_of_answers_have_a_score_under_every_rule(name: str, seed: random.Random) -> None:
    bench = benchmarks.load(name)
    kinds = questions(name)
    turn = seed.randrange(len(kinds))
    for place in range(turn, turn + BATCH):
        said = grown(seed)
        with telling(said):
            check(bench, kinds[place % len(kinds)], said)
