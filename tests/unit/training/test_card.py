"""The card has what the logs have and says what nobody measured; a guesser's interval."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from training import evaluation

from edgeval.modelfolder import manifest
from edgeval.types import Question, Record, Score

pytest.importorskip("torch")

LINES = [
    {"stage": "vision", "step": n, "of": 50, "slots": 2.0 / n, "slot word": n / 100}
    for n in (25, 50)
] + [{"stage": "recall", "step": 25, "of": 25, "answers": 1.234, "tokens": 0.5}]
ROW = {"benchmark": "mvbench", "precision": "fp32", "frames": 16, "n": 306}
FIGURE = {**ROW, "kind": "figures", "leads": True, "rule": "official"}
FIGURES = [
    {**FIGURE, "name": "acc", "group": "task=x", "value": 81.25, "low": 70.0, "high": 90.0},
    {**FIGURE, "name": "hid", "group": "", "value": 1.0, "leads": False},
    {**FIGURE, "kind": "comparisons", "name": "acc, shuffle", "group": "shuffle", "value": 30.0},
    {**FIGURE, "precision": "q4", "name": "acc", "group": "task=x", "value": 79.0},
    {**ROW, "kind": "chance", "group": "task=x", "value": 25.0, "low": 20.3, "high": 30.1},
]


@pytest.fixture
def work(tmp_path: Path) -> Path:
    (tmp_path / "figures").mkdir()
    (tmp_path / "log.jsonl").write_text("".join(json.dumps(row) + "\n" for row in LINES))
    figures = "".join(json.dumps(row) + "\n" for row in FIGURES)
    (tmp_path / "figures" / evaluation.FILE).write_text(figures)
    (tmp_path / "run.json").write_text(json.dumps({"run": 7, "scale": "smoke"}))
    return tmp_path


def test_every_number_comes_from_the_logs(work: Path, hf: None) -> None:
    from training.card import card

    page = card([work], None)
    assert "Figures, training seed 7" in page
    assert "| mvbench | acc, task=x | official | fp32 | 16 | 81.2 (70.0 to 90.0) | 306 |" in page
    assert "| vision | 50 of 50 | 0.040 | 50.0 % |  |  |" in page
    assert "| recall | 25 of 25 |  |  | 1.234 | 50.0 % |" in page
    assert "| mvbench | shuffle | acc, shuffle | official | 30.0 | 306 |" in page
    assert "| mvbench | task=x | 25.0 (20.3 to 30.1) | 306 |" in page
    assert "| mvbench | acc, task=x | official | q4 | 16 | -2.2 | 306 |" in page
    assert "hid" not in page
    assert "docs/LESSON.md" in page


def test_an_order_is_told_from_a_lookup() -> None:
    question = Question(
        id="t:1", row_id="1", clip_id="c", task="t", text="x", answer="A", kind="text"
    )
    records = [
        Record(
            question=replace(question, text=text),
            setting=setting,
            variant=variant,
            scores={"official": Score(rule="official", value=value, parsed="A", status="scored")},
        )
        for text, setting, variant, value in (
            ("Which sign was shown right before the red star?", "video", "", 1.0),
            ("Which sign was shown right before the red star?", "video", "shuffle", 0.0),
            ("If it were reversed, which comes right after the red star?", "video", "", 0.0),
            ("Which number stood beside the red star?", "video", "", 1.0),
            ("Which step comes right after the one in the image?", "blind", "", 1.0),
        )
    ]
    assert list(evaluation.by_order(records)) == [
        {"kind": "order", "group": "as it is", "value": 50.0, "n": 2},
        {"kind": "order", "group": "shuffle", "value": 0.0, "n": 1},
    ]


def test_what_is_missing_is_said(tmp_path: Path, hf: None) -> None:
    from training.card import UNKNOWN, card

    page = card([tmp_path], None)
    assert page.count(UNKNOWN) == 4


def test_a_guessers_interval_is_the_binomial_one() -> None:
    # Of 100 questions of four options: scipy.stats.binom.ppf([0.025, 0.975], 100, 0.25).
    assert evaluation.middle([0.25] * 100) == (17, 34)
    assert evaluation.middle([1.0] * 3 + [0.0] * 2) == (3, 3)


def test_a_model_is_evaluated_by_runs(tmp_path: Path) -> None:
    track = evaluation.Track(benchmark="tempcompass", seed=843_000, clips=5)
    asked = evaluation.Asked(model=manifest.find("tiny"), precision="q4", ablations=False)
    path = evaluation.evaluate(asked, tmp_path, [track])
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    kinds = {row["kind"] for row in rows}
    assert {"figures", "chance"} <= kinds
    yes_no = [row for row in rows if row["group"] == "task=tempcompass_yes_no"]
    assert [(row["n"], row["value"]) for row in yes_no] == [(25, 50.0)]
    assert any(row["leads"] and row["n"] == 25 for row in rows if row["kind"] == "figures")
    again = evaluation.evaluate(asked, tmp_path, [track])
    assert again.read_text() == path.read_text()
    run = tmp_path / "tempcompass-q4-16" / "run.json"
    card = json.loads(run.read_text())
    card["identity"]["model"]["sha256"]["config.json"] = "of another model"
    run.write_text(json.dumps(card))
    with pytest.raises(ValueError, match="is a run of another model"):
        evaluation.evaluate(asked, tmp_path, [track])


def test_a_precision_that_is_not_there_is_told() -> None:
    with pytest.raises(ValueError, match="no fp8"):
        evaluation.files_of(manifest.find("tiny"), "fp8")
