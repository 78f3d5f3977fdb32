"""A report is the same in whatever order, and from however many parts, its records come."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import pytest

from edgeval import benchmarks
from edgeval.benchmarks.base import Benchmark
from edgeval.run import report_of
from edgeval.types import Question, Record, Score

ANSWERS = ("A", "(B)", "C. red", "the answer is D", "12", "<answer>A</answer>", "yes", "no idea")


@pytest.fixture(scope="module", params=sorted(benchmarks.MODULES))
def bench(request: pytest.FixtureRequest) -> Benchmark:
    return benchmarks.load(request.param)


@pytest.fixture(scope="module")
def records(bench: Benchmark) -> list[Record]:
    """A record of every embedded question in every setting, one in nine of them failed."""
    assert bench.embedded is not None
    return [
        Record(
            question=question,
            setting=clip.setting,
            scores={score.rule: score for score in _scores(bench, clip.setting, question)},
        )
        for clip in bench.clips(bench.embedded, bench.settings, ())
        for question in clip.questions
    ]


def _drawn(*words: object) -> int:
    return int(hashlib.sha256(repr(words).encode()).hexdigest(), 16)


def _scores(bench: Benchmark, setting: str, question: Question) -> Sequence[Score]:
    drawn = _drawn(setting, question) % (len(ANSWERS) + 1)
    if drawn == len(ANSWERS):
        return [Score(rule=rule, value=0.0, parsed=None, status="error") for rule in bench.rules]
    return bench.score(question, ANSWERS[drawn])


@pytest.mark.parametrize("n_parts", range(1, 9))
def test_parts_put_together_again_report_the_same(
    bench: Benchmark, records: list[Record], n_parts: int
) -> None:
    mixed = sorted(records, key=lambda record: _drawn(n_parts, record.setting, record.question.id))
    parts = [mixed[i::n_parts] for i in range(n_parts)]
    again = [record for part in parts for record in part]
    assert again != records
    assert report_of(bench, again) == report_of(bench, records)
