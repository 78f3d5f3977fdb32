"""Sheets of wrong answers: what is drawn, what a spreadsheet sees, how causes are counted."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from edgeval.analyses import erroranalysis
from edgeval.errors import DataError, UnknownName
from edgeval.types import Failure, Generation, Question, Record, Score, Timing


def make_record(i: int, *, value: float = 0.0, answer: str = "B") -> Record:
    question = Question(
        id=f"t:{i}", row_id=str(i), clip_id="c", task="t", text="Why?", answer="A", kind="text"
    )
    return Record(
        question=question,
        setting="video",
        generation=Generation(text=answer, token_ids=(1,), stop="eos", timing=Timing()),
        answer=answer,
        scores={"r": Score(rule="r", value=value, parsed=answer, status="scored")},
    )


def test_the_same_seed_draws_the_same_wrong_answers() -> None:
    records = [make_record(i, value=float(i % 2)) for i in range(200)]
    drawn = erroranalysis.sample_wrong(records, "r", 20, seed=3)
    assert drawn == erroranalysis.sample_wrong(list(reversed(records)), "r", 20, seed=3)[::-1]
    assert len(drawn) == 20
    assert all(record.scores["r"].value == 0 for record in drawn)
    assert drawn != erroranalysis.sample_wrong(records, "r", 20, seed=4)


def test_failed_questions_and_variants_are_not_wrong_answers() -> None:
    failed = Record(
        question=make_record(0).question,
        setting="video",
        scores={"r": Score(rule="r", value=0.0, parsed=None, status="error")},
        failure=Failure(kind="video", message="gone"),
    )
    varied = Record(
        question=make_record(1).question,
        setting="video",
        variant="blind",
        scores={"r": Score(rule="r", value=0.0, parsed=None, status="scored")},
    )
    assert erroranalysis.sample_wrong([failed, varied], "r", 5, seed=0) == ()


def test_what_looks_like_a_formula_is_text(tmp_path: Path) -> None:
    records = [make_record(0, answer="=HYPERLINK(1)"), make_record(1, answer="@x\nline")]
    path = tmp_path / "sheet.csv"
    erroranalysis.write_sheet(path, records, explanations={"t:0": "+1"}, pictures={})
    rows = list(csv.DictReader(path.read_text().splitlines(keepends=True)))
    assert [row["answer"] for row in rows] == ["'=HYPERLINK(1)", "'@x\nline"]
    assert rows[0]["explanation"] == "'+1"


def filled(path: Path, causes: list[str]) -> Path:
    records = [make_record(i) for i in range(len(causes))]
    erroranalysis.write_sheet(path, records, explanations={}, pictures={})
    rows = list(csv.reader(path.read_text().splitlines(keepends=True)))
    for row, cause in zip(rows[1:], causes, strict=True):
        row[-1] = cause
    with path.open("w", newline="") as stream:
        csv.writer(stream).writerows(rows)
    return path


def test_each_of_several_causes_counts_its_share(tmp_path: Path) -> None:
    known = erroranalysis.categories("vsibench")
    both = "Visual perception; relational reasoning"
    sheet = filled(tmp_path / "s.csv", ["visual perception", both, "", "relational reasoning"])
    counted = erroranalysis.tally(sheet, known)
    assert counted.shares["visual perception"] == pytest.approx(1.5)
    assert counted.shares["relational reasoning"] == pytest.approx(1.5)
    assert sum(counted.shares.values()) == pytest.approx(counted.n_filled) == 3
    assert counted.n_empty == 1


def test_an_unknown_cause_is_named(tmp_path: Path) -> None:
    sheet = filled(tmp_path / "s.csv", ["visual perceptoin"])
    with pytest.raises(UnknownName, match="did you mean visual perception"):
        erroranalysis.tally(sheet, erroranalysis.categories("vsibench"))


def test_another_file_is_no_sheet(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("a,b\n1,2\n")
    with pytest.raises(DataError, match="no column 'causes'"):
        erroranalysis.tally(tmp_path / "x.csv", ("other",))
