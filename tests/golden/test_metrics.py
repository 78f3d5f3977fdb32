"""Metric kernels against rows computed by their sources."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edgeval import _core, metrics

ROWS = [
    json.loads(line)
    for line in (Path(__file__).parent / "rouge.jsonl").read_text("utf-8").splitlines()
]
NUMERIC = {
    "object_counting",
    "object_abs_distance",
    "object_size_estimation",
    "room_size_estimation",
}


def as_list(overlap: metrics.Overlap) -> list[float]:
    return [overlap.precision, overlap.recall, overlap.f_measure]


@pytest.mark.parametrize("kind", ["rouge1", "rouge2", "rougeL"])
def test_rouge_is_rouge_scores(kind: str) -> None:
    wrong = []
    for row in (row for row in ROWS if "got" in row):
        if kind == "rougeL":
            overlap = metrics.rouge_l(row["got"], row["want"], stem=row["stem"])
        else:
            n = int(kind[-1])
            overlap = metrics.rouge_n(row["got"], row["want"], n=n, stem=row["stem"])
        if as_list(overlap) != row[kind]:
            wrong.append((row, overlap))
    assert wrong == []


def test_stems_are_nltks() -> None:
    words = {row["word"]: row["stem_of_word"] for row in ROWS if "word" in row}
    assert {word: _core.porter_stem(word) for word in words} == words


def oracle(shared: Path, name: str) -> list[dict]:
    lines = (shared / f"oracle/{name}.jsonl").read_text("utf-8").splitlines()
    return [json.loads(line) for line in lines]


def test_mean_relative_accuracy_is_vsi_benchs(shared: Path) -> None:
    wrong, seen = [], 0
    for row in oracle(shared, "vsibench"):
        theirs = row["oracle"]["orig"]
        gold = row["doc"]["ground_truth"]
        if row["doc"]["question_type"] not in NUMERIC or theirs["parsed"] is None:
            continue
        if gold == "abc" or float(gold) == 0:  # the source crashes on both
            continue
        seen += 1
        # JSON has no NaN: the rows spell it.
        ours = metrics.mean_relative_accuracy(
            float(theirs["parsed"]), float(gold), definition="float64"
        )
        if ours != theirs["score"]:
            wrong.append((row["uid"], ours, theirs["score"]))
    assert (wrong, seen > 500) == ([], True)


def number(text: str) -> float:
    return float(text.replace(",", ""))


def test_mean_relative_accuracy_is_video_r1s(shared: Path) -> None:
    wrong, seen = [], 0
    for row in oracle(shared, "video_r1"):
        theirs = row["oracle"]["orig"]
        if row["doc"]["problem_type"] != "regression":
            continue
        gold = row["doc"]["solution"].removeprefix("<answer>").removesuffix("</answer>")
        try:
            got, want = number(theirs["parsed"]), number(gold)
        except ValueError:
            continue
        seen += 1
        ours = metrics.mean_relative_accuracy(got, want, definition="float32")
        if ours != theirs["score"]:
            wrong.append((row["uid"], theirs["parsed"], gold, ours, theirs["score"]))
    assert (wrong, seen > 300) == ([], True)


def tagged(text: str) -> str:
    """What Video-R1's training rewards read: the first <answer>, else nothing."""
    _, found, rest = text.partition("<answer>")
    return rest.partition("</answer>")[0].strip() if found and "</answer>" in rest else ""


def test_word_error_rate_makes_video_r1s_ocr_reward(shared: Path) -> None:
    rows = [row for row in oracle(shared, "video_r1") if row["doc"]["problem_type"] == "OCR"]
    got = [tagged(row["response"]) for row in rows]
    want = [tagged(row["doc"]["solution"]) for row in rows]
    rewards = [max(0.0, min(1.0, 1 - rate)) for rate in metrics.word_error_rates(got, want)]
    assert rewards == [row["oracle"]["grpo"]["score"] for row in rows] != []


def test_rouge_makes_video_r1s_free_form_reward(shared: Path) -> None:
    rows = [row for row in oracle(shared, "video_r1") if row["doc"]["problem_type"] == "free-form"]
    got = [tagged(row["response"]) for row in rows]
    want = [tagged(row["doc"]["solution"]) for row in rows]
    parts = [
        metrics.rouge_n_rows(got, want, n=1)[:, 2],
        metrics.rouge_n_rows(got, want, n=2)[:, 2],
        metrics.rouge_l_rows(got, want)[:, 2],
    ]
    rewards = [max(0.0, min(1.0, sum(f) / 3)) for f in zip(*parts, strict=True)]
    assert rewards == [row["oracle"]["grpo"]["score"] for row in rows] != []
