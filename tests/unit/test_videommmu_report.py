"""Video-MMMU's figures on small sets whose truth is known by counting."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import pytest

from edgeval.benchmarks.videommmu import gain, report, rows, rules
from edgeval.benchmarks.videommmu.rows import TRACKS
from edgeval.errors import ArgumentError
from edgeval.figures import Figure, Report
from edgeval.types import Failure, Record, Score

SUBJECTS = ("Art", "Math", "Finance", "Music", "Physics", "History")


def _record(
    setting: str, track: str, n: int, said: str | None, *, link: str = "", kind: str = ""
) -> Record:
    """The answer ``said`` to question n, whose right answer is B; None for a failure."""
    row = {"id": f"dev_{SUBJECTS[n % 6]}_{n}", "track": track, "question": "?", "answer": "B"}
    row |= {"options": ["x", "y"], "question_type": kind or "multiple-choice"}
    question = rows.question({**row, "link_selected": link})
    task = f"{question.task}:{setting}"
    question = dataclasses.replace(question, id=f"{task}:{question.row_id}", task=task)
    if said is None:
        failure = Failure(kind="model", message="no")
        return Record(question=question, setting=setting, failure=failure)
    scores = {score.rule: score for score in rules.score(question, said)}
    return Record(question=question, setting=setting, scores=scores)


def _records(setting: str, track: str, answers: Sequence[str | None]) -> list[Record]:
    return [_record(setting, track, n, said) for n, said in enumerate(answers)]


def _figure(told: Report, name: str, group: str = "", rule: str = "official") -> Figure:
    (found,) = (f for f in told.figures if (f.name, f.rule, f.group) == (name, rule, group))
    return found


def _both(after: Sequence[str | None], before: Sequence[str | None]) -> Report:
    return report.report(
        [*_records("video", "adaptation", after), *_records("question-only", "adaptation", before)]
    )


def test_the_headline_is_tracks_overall_and_gain_under_each_rule() -> None:
    answers = ["B"] * 3 + ["A"] * 3
    records = [r for track in TRACKS for r in _records("video", track, answers)]
    records += _records("question-only", "adaptation", ["A"] * 6)
    told = report.report(records)
    want = [("accuracy", f"track={track}") for track in TRACKS]
    want += [(name, "") for name in ("overall", "delta-knowledge", "wrong-to-right")]
    want += [("right-to-wrong", "")]
    assert told.headline == tuple((n, rule, g) for rule in rules.RULES for n, g in want)
    assert _figure(told, "overall").value == 50.0


def test_overall_is_the_mean_of_tracks_not_of_questions() -> None:
    told = report.report(
        [*_records("video", "perception", ["B"] * 4), *_records("video", "adaptation", ["A"])]
    )
    assert _figure(told, "overall").value == 50.0
    assert _figure(told, "accuracy").value == 80.0
    assert _figure(told, "overall").note == "mean of 2 of 3 tracks"


def test_a_failure_is_worth_nothing_and_stays() -> None:
    told = report.report(_records("video", "adaptation", ["B", None]))
    for rule in rules.RULES:
        figure = _figure(told, "accuracy", "track=adaptation", rule)
        assert (figure.value, figure.n, figure.n_failed) == (50.0, 2, 1)


def test_an_empty_answer_leaves_n_under_the_official_rule_alone() -> None:
    told = report.report(_records("video", "adaptation", ["B", ""]))
    official = _figure(told, "accuracy", "track=adaptation")
    lmms = _figure(told, "accuracy", "track=adaptation", "lmms-eval")
    assert (official.value, official.n, official.n_excluded) == (100.0, 1, 1)
    assert (lmms.value, lmms.n, lmms.n_unparsed) == (50.0, 2, 1)


def test_groups_are_by_discipline_subject_and_type() -> None:
    told = report.report(_records("video", "adaptation", ["B", "A", "A", "B", "A", "A"]))
    groups = {
        f.group: f.value
        for f in told.figures
        if f.rule == "official" and f.group.startswith("track=adaptation,discipline")
    }
    assert groups == {
        "track=adaptation,discipline=Art": 100.0,
        "track=adaptation,discipline=Business": 0.0,
        "track=adaptation,discipline=Humanities": 0.0,
        "track=adaptation,discipline=Science": 0.0,
    }
    assert _figure(told, "accuracy", "track=adaptation,subject=Music").value == 100.0
    assert _figure(told, "accuracy", "track=adaptation,question_type=multiple-choice").n == 6


def test_knowledge_gain_by_hand() -> None:
    told = _both(["B", "B", "B", "A"], ["B", "A", "A", "B"])
    assert _figure(told, "delta-knowledge").value == pytest.approx(50.0)
    changed = [_figure(told, name) for name in ("wrong-to-right", "right-to-wrong")]
    assert [(figure.value, figure.n) for figure in changed] == [(100.0, 2), (50.0, 2)]


def test_a_whole_gain_still_has_an_interval() -> None:
    figure = _figure(_both(["B"] * 10, ["A"] * 5 + ["B"] * 5), "delta-knowledge")
    assert figure.value == 100.0
    # All ten right leave 69.15 % as the lower bound; from 50 % before, that is a gain of 38.3.
    assert (figure.low, figure.high) == pytest.approx((38.3, 100.0), abs=0.05)


def test_gain_is_over_questions_asked_both_ways() -> None:
    told = _both(["B", "B", "A", "A"], ["A", "B"])
    assert _figure(told, "delta-knowledge").n == 2
    assert _figure(told, "delta-knowledge").value == 100.0


def test_gain_with_nothing_left_to_learn_says_so() -> None:
    told = _both(["B", "A"], ["B", "B"])
    for name in ("delta-knowledge", "wrong-to-right"):
        assert _figure(told, name).value is None
        assert "division by zero" in _figure(told, name).note


def test_a_failed_pass_counts_as_wrong_in_the_gain() -> None:
    told = _both(["B", None], [None, "B"])
    assert _figure(told, "wrong-to-right").value == 100.0
    assert _figure(told, "right-to-wrong").value == 100.0
    assert _figure(told, "delta-knowledge").n_failed == 2


def test_without_the_question_only_pass_a_note_says_what_is_missing() -> None:
    told = report.report(_records("video", "adaptation", ["B"]))
    assert any("question-only" in note for note in told.notes)
    assert not any(figure.name.startswith("delta") for figure in told.figures)


def test_other_settings_are_told_apart() -> None:
    told = report.report(_records("blind", "perception", ["B"]))
    assert {figure.name for figure in told.figures} == {"accuracy, blind"}


def test_nothing_recorded_is_an_empty_report() -> None:
    told = report.report([])
    assert (told.figures, told.headline) == ((), ())


def test_published_figures_are_told_apart_from_other_videos() -> None:
    own = _record("video", "perception", 1, "B")
    real = _record("video", "perception", 1, "B", link="https://youtu.be/abcdefghijk")
    (human,) = (r for r in report.report([own]).references if r.name == "Human")
    assert "not on these" in human.source
    (human,) = (r for r in report.report([real]).references if r.name == "Human")
    assert "not on these" not in human.source


def test_guessing_is_computed_from_the_options_asked() -> None:
    records = [_record("video", "perception", 1, "B"), _record("video", "perception", 2, "B")]
    (guess,) = (r for r in report.report(records).references if r.name == "Guessing")
    assert guess.values == {"track=perception": 50.0, "overall": 50.0}


def test_intervals_do_not_depend_on_the_order_of_records() -> None:
    records = _records("video", "adaptation", ["B", "A", "B", "A", "A", "B"])
    there, back = report.report(records), report.report(records[::-1])
    assert _figure(there, "accuracy", "track=adaptation") == _figure(
        back, "accuracy", "track=adaptation"
    )


@pytest.mark.parametrize(
    ("gold", "score", "want"),
    [
        ("A", Score(rule="r", value=None, parsed=None, status="excluded"), True),
        ("B", Score(rule="r", value=None, parsed=None, status="excluded"), False),
        ("B", Score(rule="r", value=0.0, parsed=None, status="unparsed"), False),
        ("B", Score(rule="r", value=1.0, parsed="B", status="scored"), True),
        ("5", Score(rule="r", value=1.0, parsed=(5.0,), status="scored"), False),
        ("5", Score(rule="r", value=1.0, parsed=("5 cm", 5.0), status="scored"), True),
        ("A", Score(rule="r", value=0.0, parsed=("nan",), status="scored"), False),
    ],
)
def test_the_authors_script_judges_anew(gold: str, score: Score, *, want: bool) -> None:
    assert gain.script_correct(gold, score) is want


@pytest.mark.parametrize(("after", "before"), [({"a"}, set()), (set(), {"a", "b"})])
def test_the_authors_script_divides_by_zero(after: set[str], before: set[str]) -> None:
    with pytest.raises(ArgumentError, match="division by zero"):
        gain.script_rates(after, before, total=2)


def test_a_perception_type_is_never_right() -> None:
    record = _record("video", "perception", 1, "B", kind="perception")
    assert {score.value for score in record.scores.values()} == {0.0}
