"""What is in n, what a group is worth, and how sure that is."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from edgeval import tally
from edgeval.types import Failure, Question, Record, Score, Status

RULE = "rule"


def _record(
    n: int, value: float | None, status: Status = "scored", *, video: str | None = None
) -> Record:
    question = Question(
        id=f"t:{n}",
        row_id=str(n),
        clip_id=f"clip {n}",
        task="t",
        text="?",
        answer="A",
        kind="text",
        tags={} if video is None else {"video": video},
    )
    score = Score(rule=RULE, value=value, parsed=None, status=status)
    return Record(question=question, setting="video", scores={RULE: score})


def _failed(n: int) -> Record:
    record = _record(n, None)
    failure = Failure(kind="video", message="gone")
    return Record(question=record.question, setting="video", failure=failure)


def test_a_failed_question_stays_in_n_and_is_worth_nothing() -> None:
    cells = tally.cells([_record(1, 1.0), _failed(2)], RULE)
    figure = tally.figure(("accuracy", RULE, ""), cells, value=None)
    assert (tally.mean(cells), figure.n, figure.n_failed) == (0.5, 2, 1)


def test_what_a_rule_leaves_out_is_counted_apart() -> None:
    records = [
        _record(1, 1.0),
        _record(2, None, "excluded"),
        _record(3, None, "needs_judge"),
        _record(4, 0.0, "unparsed"),
    ]
    cells = tally.cells(records, RULE)
    figure = tally.figure(("accuracy", RULE, ""), cells, value=None)
    assert tally.mean(cells) == 0.5
    assert (figure.n, figure.n_excluded, figure.n_needs_judge, figure.n_unparsed) == (2, 1, 1, 1)


def test_nothing_in_n_has_no_mean() -> None:
    cells = tally.cells([_record(1, None, "excluded")], RULE)
    figure = tally.accuracy(("accuracy", RULE, ""), cells, tally.mean(cells))
    assert (figure.value, figure.n, figure.note) == (None, 0, tally.NOTHING)


def test_an_interval_holds_its_value_and_widens_when_videos_are_shared() -> None:
    values = [float(n % 3 == 0) for n in range(60)]
    apart = tally.cells([_record(n, x) for n, x in enumerate(values)], RULE)
    # Sixty answers about twelve videos, each all right or all wrong.
    alike = [_record(n, float(n // 5 % 3 == 0), video=str(n // 5)) for n in range(60)]
    shared = tally.cells(alike, RULE)
    widths = []
    for cells in (apart, shared):
        figure = tally.accuracy(("accuracy", RULE, ""), cells, tally.mean(cells))
        assert figure.low is not None
        assert figure.high is not None
        assert figure.low < 100 / 3 < figure.high
        widths.append(figure.high - figure.low)
    assert widths[1] > 1.5 * widths[0]


@pytest.mark.parametrize(("value", "want"), [(1.0, (69.15, 100.0)), (0.0, (0.0, 30.85))])
def test_ten_videos_all_alike_still_leave_doubt(value: float, want: tuple[float, float]) -> None:
    cells = tally.cells([_record(n, value) for n in range(10)], RULE)
    figure = tally.accuracy(("accuracy", RULE, ""), cells, value)
    assert (figure.low, figure.high) == pytest.approx(want, abs=0.005)


def test_few_videos_get_the_exact_interval() -> None:
    cells = tally.cells([_record(n, float(n)) for n in range(2)], RULE)
    figure = tally.accuracy(("accuracy", RULE, ""), cells, 0.5)
    assert (figure.low, figure.high) == pytest.approx((1.26, 98.74), abs=0.005)


def test_few_videos_of_mixed_answers_have_no_interval() -> None:
    cells = tally.cells([_record(n, float(n), video="one") for n in range(2)], RULE)
    assert tally.accuracy(("accuracy", RULE, ""), cells, 0.5).low is None


@pytest.mark.parametrize(
    ("right", "n", "want"),
    [
        (0, 1, (0, 0.975)),
        (5, 10, (0.18709, 0.81291)),
        (3, 300, (0.00207, 0.02894)),
        (2700, 2700, (0.99863, 1)),
    ],
)
def test_the_exact_interval_is_clopper_and_pearsons(
    right: int, n: int, want: tuple[float, float]
) -> None:
    assert tally.exact(right, n) == pytest.approx(want, abs=5e-6)


def test_an_interval_that_cannot_be_known_is_none() -> None:
    assert tally.interval(np.zeros((6, 2)), list("abcdef"), tally.ratio) is None


def test_no_spread_is_no_interval() -> None:
    assert tally.interval(np.ones((6, 2)), list("abcdef"), tally.ratio) is None


def test_dividing_by_nothing_is_nan() -> None:
    got = tally.divided(np.array([1.0, 1.0]), np.array([2.0, 0.0]))
    np.testing.assert_array_equal(got, [0.5, np.nan])


def _tagged(n: int, value: float, tag: str) -> Record:
    record = _record(n, value)
    question = dataclasses.replace(record.question, tags={"level": tag} if tag else {})
    return dataclasses.replace(record, question=question)


def test_a_group_is_broken_down_by_the_tags_that_its_questions_have() -> None:
    cells = tally.cells([_tagged(1, 1, "b"), _tagged(2, 0, "b"), _tagged(3, 1, "a")], RULE)
    cells += tally.cells([_tagged(4, 0, "")], RULE)
    told = [
        (f.group, f.value, f.n) for f in tally.broken_down("accuracy", RULE, "", cells, ["level"])
    ]
    assert told == [("", 50, 4), ("level=a", 100, 1), ("level=b", 50, 2)]


def test_a_fall_is_the_difference_of_the_means() -> None:
    upper = tally.cells([_record(n, float(n % 4 != 0)) for n in range(40)], RULE)
    lower = tally.cells([_record(100 + n, float(n % 2)) for n in range(40)], RULE)
    figure = tally.fall(("gap", RULE, ""), upper, lower)
    assert figure.value == pytest.approx(25)
    assert figure.low is not None
    assert figure.high is not None
    assert figure.low < 25 < figure.high


def test_a_fall_to_nothing_is_told() -> None:
    upper = tally.cells([_record(1, 1.0)], RULE)
    figure = tally.fall(("gap", RULE, ""), upper, ())
    assert (figure.value, figure.note) == (None, tally.NOTHING)


def test_settings_are_told_apart_and_the_main_one_has_no_name() -> None:
    records = [_record(n, 1.0) for n in range(3)]
    records[1] = dataclasses.replace(records[1], setting="blind")
    told = [(suffix, len(group)) for suffix, group in tally.by_setting(records, "video")]
    assert told == [("", 2), (", blind", 1)]


def test_what_is_left_out_is_told_the_same_of_a_record_read_back() -> None:
    """A run folder keeps the rules of a record by name, a record just made in their own order."""
    record = _record(1, None, "needs_judge")
    scores = {
        rule: dataclasses.replace(record.scores[RULE], rule=rule)
        for rule in ("official", "lmms-eval")
    }
    again = dict(sorted(scores.items()))
    told = [
        list(tally.left_out([dataclasses.replace(record, scores=held)])) for held in (scores, again)
    ]
    assert told[0] == told[1]
    assert len(told[0]) == 2


def test_what_a_protocol_does_not_follow_is_told_with_its_count() -> None:
    said = "protocol lmms-eval does not show the last frame"
    records = [
        dataclasses.replace(_record(1, 1.0), damage=(said, "a frame is lost")),
        dataclasses.replace(_record(2, 1.0), damage=(said,)),
        _record(3, 1.0),
    ]
    assert list(tally.notes(records))[1:] == [f"{said}: 2 of 3 questions"]
