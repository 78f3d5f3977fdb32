"""Video-MMMU's rules and figures against what the original code returned."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from edgeval.benchmarks.videommmu import gain, report, rows, rules
from edgeval.benchmarks.videommmu.accuracy import official_accuracy
from edgeval.errors import ArgumentError
from edgeval.tally import cells
from edgeval.types import Question, Record, Score

OWN = Path(__file__).parent / "videommmu.json"
COLUMNS = {"official": "orig", "lmms-eval": "lmms_pipeline", "vlmeval": "vlmeval"}
DOMAINS = {
    "Overall-Art and Design": "Art",
    "Overall-Business": "Business",
    "Overall-Science": "Science",
    "Overall-Health and Medicine": "Medicine",
    "Overall-Humanities and Social Science": "Humanities",
    "Overall-Tech and Engineering": "Engineering",
}


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as stream:
        yield from map(json.loads, stream)


def _scores(doc: Mapping[str, object], response: str) -> dict[str, Score]:
    return {score.rule: score for score in rules.score(rows.question(doc), response)}


def _differs(score: Score, want: Mapping[str, Any]) -> bool:
    if want["excluded"]:
        return score.status != "excluded"
    parsed = want["parsed"]
    if isinstance(parsed, list):
        same = {str(term) for term in parsed} == {str(term) for term in score.parsed or ()}
    else:
        same = score.parsed == (None if parsed.startswith("No Answer") else parsed)
    return not same or score.value != want["score"]


@pytest.mark.parametrize("rule", ["official", "lmms-eval"])
def test_every_answer_of_ours_scores_as_the_original_code_scored_it(rule: str) -> None:
    golden = json.loads(OWN.read_text(encoding="utf-8"))
    wrong = [
        (row["doc"], row["response"])
        for row in golden["rows"]
        if _differs(_scores(golden["docs"][row["doc"]], row["response"])[rule], row[rule])
    ]
    assert not wrong


@pytest.mark.parametrize("lead", ["", "I think.\nAnswer: ", "Answer: A. no\nAnswer:"])
def test_vlmeval_reads_what_stands_behind_the_last_answer_mark(lead: str) -> None:
    golden = json.loads(OWN.read_text(encoding="utf-8"))
    wrong = [
        (row["doc"], row["response"])
        for row in golden["rows"]
        if "Answer:" not in row["response"]
        and _differs(
            _scores(golden["docs"][row["doc"]], lead + row["response"])["vlmeval"],
            _as_json(_scores(golden["docs"][row["doc"]], row["response"].strip())["official"]),
        )
    ]
    assert not wrong


def _as_json(score: Score) -> Mapping[str, Any]:
    parsed = list(score.parsed) if isinstance(score.parsed, tuple) else score.parsed or "No Answer"
    return {"excluded": score.status == "excluded", "parsed": parsed, "score": score.value}


@pytest.mark.parametrize("rule", rules.RULES)
def test_every_shared_answer_scores_as_the_original_code_scored_it(shared: Path, rule: str) -> None:
    golden = list(_lines(shared / "oracle" / "videommmu.jsonl"))
    wrong = [
        row["uid"]
        for row in golden
        if _differs(
            _scores({**row["doc"], "track": row["track"]}, row["response"])[rule],
            row["oracle"][COLUMNS[rule]],
        )
    ]
    assert golden
    assert not wrong


def _question(row: Mapping[str, Any], task: str = "video_mmmu_adaptation") -> Question:
    """A question with what a golden row keeps of it."""
    asked = rows.question(
        {**row, "track": "adaptation", "question": "?", "question_type": row.get("question_type")}
        | ({"options": ["x"] * 26} if row.get("question_type") == "multiple-choice" else {})
    )
    return Question(
        id=f"{task}:{row.get('uid', asked.row_id)}",
        row_id=asked.row_id,
        clip_id=asked.row_id,
        task=task,
        text=asked.text,
        answer=asked.answer,
        kind=asked.kind,
        choices=asked.choices,
        tags=asked.tags,
    )


def _score(rule: str, row: Mapping[str, Any]) -> Score:
    """The score whose parsed answer and worth the original code left in a golden row."""
    parsed = row["parsed"]
    if row["excluded"]:
        return Score(rule=rule, value=None, parsed=None, status="excluded")
    if isinstance(parsed, str) and parsed.startswith("No Answer"):
        return Score(rule=rule, value=0.0, parsed=None, status="unparsed")
    held = tuple(parsed) if isinstance(parsed, list) else parsed
    return Score(rule=rule, value=float(row["score"]), parsed=held, status="scored")


def _records(rule: str, golden: Sequence[Mapping[str, Any]], setting: str) -> list[Record]:
    return [
        Record(
            question=_question({**row.get("doc", row), "uid": row["uid"]}),
            setting=setting,
            scores={rule: _score(rule, row)},
        )
        for row in golden
    ]


def _aggregates(shared: Path) -> list[dict[str, Any]]:
    every = _lines(shared / "oracle" / "aggregates.jsonl")
    return [case for case in every if case["benchmark"] == "videommmu"]


def test_figures_are_those_of_the_original_aggregators(shared: Path) -> None:
    cases = _aggregates(shared)
    assert cases
    for case in cases:
        rule = "official" if case["rule"] == "orig" else "lmms-eval"
        told = report.report(_records(rule, case["rows"], "video"))
        by_group = {figure.group: figure for figure in told.figures if figure.rule == rule}
        for name, want in case["expected"]["printable"].items():
            group = f"subject={name}"
            if name in DOMAINS:
                group = f"discipline={DOMAINS[name]}"
            group = "track=adaptation" + ("" if name == "Overall" else f",{group}")
            figure = by_group.get(group)
            where = (case["case"], name)
            assert (figure.n if figure else 0) == want["num"], where
            got = figure.value if figure and figure.value is not None else 0.0
            assert got == pytest.approx(100 * want["acc"], abs=5.01e-4), where


def test_accuracies_round_to_the_fifth_decimal_that_the_original_prints(shared: Path) -> None:
    for case in _aggregates(shared):
        counted = cells(_records("official", case["rows"], "video"), "official")
        got = round(official_accuracy(counted) or 0, 5)
        assert got == case["expected"]["overall"], case["case"]


def _printed(case: Mapping[str, Any], number: int) -> float:
    line = next(x for x in case["expected"]["stdout"].splitlines() if x.startswith(f"{number}. "))
    return float(line.rsplit(": ", 1)[1])


def test_knowledge_gain_is_that_of_the_authors_scripts(shared: Path) -> None:
    cases = list(_lines(shared / "oracle" / "delta.jsonl"))
    assert cases
    for case in cases:
        right = {
            name: {
                row["id"]
                for row in case[name]
                if gain.script_correct(row["answer"], _score("official", row))
            }
            for name in ("adaptation", "question_only")
        }
        want = case["expected"]
        assert sorted(right["adaptation"]) == sorted(set(want["correct_ids_adaptation"]))
        assert sorted(right["question_only"]) == sorted(set(want["correct_ids_question_only"]))
        if "ZeroDivisionError" in want["stderr"]:
            with pytest.raises(ArgumentError, match="division by zero"):
                gain.script_rates(right["adaptation"], right["question_only"])
            continue
        rates = gain.script_rates(right["adaptation"], right["question_only"])
        assert rates.wrong_to_right == _printed(case, 6)
        assert rates.right_to_wrong == _printed(case, 7)


def test_the_report_counts_the_gain_cases_as_the_original_does(shared: Path) -> None:
    for case in _lines(shared / "oracle" / "delta.jsonl"):
        records = [
            *_records("official", case["adaptation"], "video"),
            *_records("official", case["question_only"], "question-only"),
        ]
        told = {f.name: f for f in report.report(records).figures if f.rule == "official"}
        means = case["expected"]["evaluate_mmmu_acc_incl_api_error_as_wrong"]
        right = [
            sum(row["score"] for row in case[name]) / len(case[name])
            for name in ("adaptation", "question_only")
        ]
        assert right == pytest.approx(means), case["case"]
        if "ZeroDivisionError" in case["expected"]["stderr"]:
            assert told["wrong-to-right" + gain.SCRIPT].value is None
            continue
        got = told["wrong-to-right" + gain.SCRIPT].value
        assert got == _printed(case, 6), case["case"]
        assert told["right-to-wrong" + gain.SCRIPT].value == _printed(case, 7), case["case"]
