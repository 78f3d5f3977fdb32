"""Deadlines: the curve of scripted times equals what can be counted by hand."""

from __future__ import annotations

import math

import pytest

from edgeval.analyses import deadline
from edgeval.errors import ArgumentError
from edgeval.tables import deadline_table
from edgeval.types import Failure, Generation, Question, Record, Score, Timing

RULE = "official"


def answered(i: int, *, right: bool, timing: Timing | None, variant: str = "") -> Record:
    question = Question(
        id=f"t:{i}", row_id=str(i), clip_id=f"c{i}", task="t", text="?", answer="x", kind="text"
    )
    said = None
    if timing is not None:
        said = Generation(text="x", token_ids=(1,), stop="eos", timing=timing)
    score = Score(rule=RULE, value=float(right), parsed="x", status="scored")
    return Record(
        question=question,
        setting="video",
        variant=variant,
        generation=said,
        scores={RULE: score},
        failure=None if said else Failure(kind="video", message="gone"),
    )


def took(question_s: float, clip_s: float = 0.0) -> Timing:
    """``question_s`` spread over all that a question pays, ``clip_s`` over all that a clip pays."""
    return Timing(
        decode_s=clip_s / 2,
        preprocess_s=clip_s / 4,
        vision_s=clip_s / 8,
        prefix_s=clip_s / 8,
        other_turns_s=question_s / 2,
        prefill_s=question_s / 4,
        step_s=(question_s / 8, question_s / 8),
    )


def test_a_scripted_engine_gives_the_curve_of_closed_form() -> None:
    """Answer i of 100 takes (i + 1) / 100 s and is right: within t seconds it is t right."""
    records = [answered(i, right=True, timing=took((i + 1) / 100)) for i in range(100)]
    for percent in (1, 2, 25, 50, 99, 100):
        figure = deadline.in_time(records, RULE, "seen", percent / 100 + 1e-9)
        assert figure.value == pytest.approx(percent)
        assert figure.n == 100
        assert figure.note == f"{100 - percent} of 100 late"


def test_answers_that_shared_their_steps_have_no_curve() -> None:
    shared = Timing(prefill_s=1.0, step_s=(0.1,), together=2)
    records = [answered(0, right=True, timing=took(1.0)), answered(1, right=True, timing=shared)]
    with pytest.raises(ArgumentError, match="generated together"):
        deadline.curve(records, RULE)


@pytest.mark.parametrize("scale", [0.1, 1.0, 10.0])
def test_a_slower_machine_moves_the_curve_and_nothing_else(scale: float) -> None:
    records = [answered(i, right=i % 2 == 0, timing=took(scale * (i + 1))) for i in range(10)]
    values = [deadline.in_time(records, RULE, "seen", scale * (t + 0.5)).value for t in range(11)]
    assert values == pytest.approx([0, 10, 10, 20, 20, 30, 30, 40, 40, 50, 50])


def test_a_cold_start_waits_for_the_clip_as_well() -> None:
    records = [answered(0, right=True, timing=took(1.0, clip_s=4.0))]
    assert deadline.latency_s(records[0], "seen") == 1.0
    assert deadline.latency_s(records[0], "cold") == 5.0
    assert deadline.in_time(records, RULE, "cold", 4.9).value == 0
    assert deadline.in_time(records, RULE, "seen", 4.9).value == 100


def test_a_late_wrong_answer_is_no_worse_and_a_failed_one_is_always_late() -> None:
    records = [
        answered(0, right=False, timing=took(9.0)),
        answered(1, right=True, timing=took(1.0)),
        answered(2, right=True, timing=None),
    ]
    assert math.isinf(deadline.latency_s(records[2], "seen"))
    figure = deadline.in_time(records, RULE, "seen", 2.0)
    assert figure.value == pytest.approx(100 / 3)
    assert (figure.n, figure.n_failed, figure.note) == (3, 1, "2 of 3 late")


def test_the_curve_goes_from_nothing_to_everything() -> None:
    records = [answered(i, right=True, timing=took(0.3 * (i + 1), clip_s=2.0)) for i in range(8)]
    assert deadline.deadlines(records, [0.7]) == (0.2, 0.5, 0.7, 1, 2, 5, deadline.NO_DEADLINE)
    curve = deadline.curve(
        [*records, answered(9, right=False, timing=took(1), variant="blind")], RULE
    )
    assert all(figure.n == 8 for figure in curve), "a variant is not what is used"
    by_start = [figure.value for figure in curve if "seen before" in figure.name]
    assert (by_start[0], by_start[-1]) == (0, 100)
    assert by_start == sorted(by_start)
    shown = deadline_table(curve)
    assert all(text in shown for text in ("within 0.2 s", "no deadline", "8 of 8 late"))


@pytest.mark.parametrize("wanted", [0.0, -1.0, math.inf, math.nan])
def test_a_deadline_that_is_none_is_refused(wanted: float) -> None:
    with pytest.raises(ArgumentError, match="deadline"):
        deadline.deadlines([], [wanted])
