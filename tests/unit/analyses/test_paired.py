"""Paired differences of headlines: right, covered as often as they say, and without a report's own
intervals."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from edgeval import tally
from edgeval.analyses.paired import differences, student
from edgeval.figures import Report
from edgeval.types import Question, Record, Score

KEY = ("accuracy", "rule", "")
MACRO = ("mean of tasks", "rule", "")


def record(at: int, video: int, value: float) -> Record:
    question = Question(
        id=f"q{at}",
        row_id=str(at),
        clip_id=f"clip{at}",
        task="t",
        text="?",
        answer="A",
        kind="text",
        tags={"video": f"v{video}", "task": "easy" if at % 3 else "hard"},
    )
    score = Score(rule="rule", value=value, parsed="A", status="scored")
    return Record(question=question, setting="", scores={"rule": score})


def report(records: Sequence[Record]) -> Report:
    cells = tally.cells(records, "rule")
    figures = (
        tally.accuracy(KEY, cells, tally.mean(cells)),
        tally.macro(MACRO, tally.by_tag(cells, "task")),
    )
    return Report(benchmark="toy", figures=figures, headline=(KEY, MACRO))


def two_runs(
    seed: int, *, videos: int, each: int, gain: float
) -> tuple[list[Record], list[Record]]:
    """Runs whose answers share a video's difficulty; B is right ``gain`` more often on average."""
    chance = np.random.default_rng(seed)
    a, b = [], []
    for video in range(videos):
        level, lift = chance.uniform(0.2, 0.8), gain + chance.uniform(-0.15, 0.15)
        for at in range(each):
            name = video * each + at
            a.append(record(name, video, float(chance.random() < level)))
            b.append(record(name, video, float(chance.random() < min(1.0, max(0.0, level + lift)))))
    return a, b


def test_a_difference_is_b_less_a() -> None:
    a = [record(at, at, 0.0) for at in range(12)]
    b = [record(at, at, float(at < 3)) for at in range(12)]
    (found, _) = differences(report, a, b)
    assert (found.a, found.b, found.value) == (0.0, 25.0, 25.0)


def test_a_mean_over_single_questions_has_the_textbook_interval() -> None:
    a = [record(at, at, 0.0) for at in range(30)]
    b = [record(at, at, float(at % 2)) for at in range(30)]
    (found, _) = differences(report, a, b)
    error = 100 * np.std([float(at % 2) for at in range(30)], ddof=1) / np.sqrt(30)
    assert found.low is not None
    assert found.low == pytest.approx(50 - student(29) * error)


def test_questions_of_one_video_are_one_observation() -> None:
    a = [record(at, at // 10, 0.0) for at in range(100)]
    b = [record(at, at // 10, float(at // 10 % 2)) for at in range(100)]
    (found, _) = differences(report, a, b)
    error = 100 * np.std([0, 1] * 5, ddof=1) / np.sqrt(10)
    assert found.low == pytest.approx(50 - student(9) * error)


@pytest.mark.parametrize(("videos", "each"), [(40, 2), (12, 5)])
def test_an_interval_holds_the_truth_as_often_as_it_says(videos: int, each: int) -> None:
    held = 0
    rounds = 60
    for seed in range(rounds):
        (found, _) = differences(report, *two_runs(seed, videos=videos, each=each, gain=0.1))
        assert found.low is not None
        assert found.high is not None
        held += found.low <= 10.0 <= found.high
    assert held / rounds >= 0.88  # 0.95 less two standard errors and a half.


def test_few_videos_have_no_interval() -> None:
    a, b = two_runs(1, videos=4, each=10, gain=0.3)
    assert [found.low for found in differences(report, a, b)] == [None, None]


@pytest.mark.parametrize(("freedom", "point"), [(4, 2.7764), (9, 2.2622), (39, 2.0227)])
def test_student_as_the_tables_have_it(freedom: int, point: float) -> None:
    assert student(freedom) == pytest.approx(point, rel=3e-3)
