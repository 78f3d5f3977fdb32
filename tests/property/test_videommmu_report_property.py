"""Any set of records, however partial, gives a report that adds up."""

from __future__ import annotations

import json
from dataclasses import asdict

from hypothesis import given, settings
from hypothesis import strategies as st

from edgeval.benchmarks.videommmu import data, report, rows, rules
from edgeval.types import Failure, Record

ANSWERS = st.sampled_from(["B", "A", "", "API Error", "none of it", "3", None])
KINDS = st.sampled_from(["multiple-choice", "open"])
PLACES = st.sampled_from([(s, track) for s in data.SETTINGS for track in data.TASKS[s]])


@st.composite
def records(draw: st.DrawFn) -> Record:
    setting, track = draw(PLACES)
    number = draw(st.integers(0, 8))
    row = {
        "id": f"dev_{draw(st.sampled_from(['Art', 'Math', 'Own']))}_{number}",
        "track": track,
        "question": "?",
        "options": ["x", "y"],
        "answer": "B",
        "question_type": draw(KINDS),
    }
    question = rows.question(row)
    said = draw(ANSWERS)
    if said is None:
        failure = Failure(kind="video", message="gone")
        return Record(question=question, setting=setting, failure=failure)
    scores = {score.rule: score for score in rules.score(question, said)}
    return Record(question=question, setting=setting, scores=scores)


@settings(max_examples=30, deadline=None)
@given(asked=st.lists(records(), max_size=24))
def test_a_report_on_any_records_adds_up(asked: list[Record]) -> None:
    told = report.report(asked)
    assert json.dumps(asdict(told), allow_nan=False)
    keys = [(figure.name, figure.rule, figure.group) for figure in told.figures]
    assert len(set(keys)) == len(keys)
    assert set(told.headline) <= set(keys)
    for figure in told.figures:
        assert figure.value is not None or figure.note
        assert (figure.low is None) == (figure.high is None)
        if figure.name == "accuracy" and figure.value is not None:
            assert 0 <= figure.value <= 100
            assert figure.n + figure.n_excluded <= len(asked)
