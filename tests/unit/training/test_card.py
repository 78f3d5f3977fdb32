"""The card has what the logs have and says what nobody measured; a guesser's interval."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from training import evaluation

pytest.importorskip("torch")

LINES = [
    {"stage": "vision", "step": n, "of": 50, "slots": 2.0 / n, "slot word": n / 100}
    for n in (25, 50)
] + [{"stage": "recall", "step": 25, "of": 25, "answers": 1.234, "tokens": 0.5}]
FIGURES = [
    {"kind": "figures", "leads": True, "benchmark": "mvbench", "precision": "fp32", "name": "acc",
     "rule": "official", "group": "task=x", "value": 81.25, "low": 70.0, "high": 90.0, "n": 306},
    {"kind": "figures", "leads": False, "benchmark": "mvbench", "precision": "fp32", "name": "hid",
     "rule": "official", "group": "", "value": 1.0, "n": 306},
    {"kind": "comparisons", "leads": False, "benchmark": "mvbench", "precision": "fp32",
     "name": "acc, shuffle", "rule": "official", "group": "shuffle", "value": 30.0, "n": 306},
    {"kind": "chance", "benchmark": "mvbench", "precision": "fp32", "group": "task=x",
     "value": 25.0, "low": 20.3, "high": 30.1, "n": 306},
]  # fmt: skip


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
    assert "| mvbench | acc, task=x | official | fp32 | 81.2 (70.0 to 90.0) | 306 |" in page
    assert "| vision | 50 of 50 | 0.040 | 50.0 % |  |  |" in page
    assert "| recall | 25 of 25 |  |  | 1.234 | 50.0 % |" in page
    assert "| mvbench | shuffle | acc, shuffle | official | 30.0 | 306 |" in page
    assert "| mvbench | task=x | 25.0 (20.3 to 30.1) | 306 |" in page
    assert "hid" not in page


def test_what_is_missing_is_said(tmp_path: Path, hf: None) -> None:
    from training.card import UNKNOWN, card

    page = card([tmp_path], None)
    assert page.count(UNKNOWN) == 4


def test_a_guessers_interval_is_the_binomial_one() -> None:
    # Of 100 questions of four options: scipy.stats.binom.ppf([0.025, 0.975], 100, 0.25).
    assert evaluation.middle([0.25] * 100) == (17, 34)
    assert evaluation.middle([1.0] * 3 + [0.0] * 2) == (3, 3)


def test_a_model_is_evaluated_by_runs(tmp_path: Path) -> None:
    from edgeval.modelfolder import manifest

    track = evaluation.Track(benchmark="tempcompass", seed=843_000, clips=5)
    asked = evaluation.Asked(model=manifest.find("tiny"), precision="q4", ablations=False)
    path = evaluation.evaluate(asked, tmp_path, [track])
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    kinds = {row["kind"] for row in rows}
    assert kinds == {"figures", "chance"}
    yes_no = [row for row in rows if row["group"] == "task=tempcompass_yes_no"]
    assert [(row["n"], row["value"]) for row in yes_no] == [(25, 50.0)]
    assert any(row["leads"] and row["n"] == 25 for row in rows if row["kind"] == "figures")
    again = evaluation.evaluate(asked, tmp_path, [track])
    assert again.read_text() == path.read_text()
