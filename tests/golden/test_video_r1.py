"""Video-R1's rules against what the authors' evaluation and training code returned."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from edgeval import rewards
from edgeval.benchmarks import video_r1
from edgeval.benchmarks.video_r1 import rules
from edgeval.types import Score

COLUMNS = {"official": "orig", "rewards": "grpo"}


@cache
def _golden(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


@pytest.fixture(scope="module")
def golden(shared: Path) -> list[dict[str, Any]]:
    return _golden(shared / "oracle" / "video_r1.jsonl")


def _scores(doc: dict[str, Any], response: str) -> dict[str, Score]:
    return {score.rule: score for score in rules.score(video_r1.question(doc), response)}


@pytest.mark.parametrize("rule", rules.RULES)
def test_every_shared_answer_scores_as_the_original_code_scored_it(
    golden: list[dict[str, Any]], rule: str
) -> None:
    wrong = []
    for row in golden:
        score, want = _scores(row["doc"], row["response"])[rule], row["oracle"][COLUMNS[rule]]
        # The training code logs no parsed answer.
        misread = rule == "official" and score.parsed not in (None, want["parsed"].strip())
        if score.value != want["score"] or misread:
            wrong.append((row["uid"], score, want))
    assert golden
    assert wrong == []


def test_the_format_reward_is_the_original_codes(golden: list[dict[str, Any]]) -> None:
    earned = rewards.form([row["response"] for row in golden]).tolist()
    assert earned == [row["oracle"]["grpo"]["format"] for row in golden]


def test_a_whole_batch_earns_what_its_answers_earn(golden: list[dict[str, Any]]) -> None:
    docs = [row["doc"] for row in golden]
    earned = rewards.accuracy(
        [row["response"] for row in golden],
        [doc["solution"] for doc in docs],
        [doc["problem_type"] for doc in docs],
    )
    assert earned.tolist() == [row["oracle"]["grpo"]["score"] for row in golden]


# Our own rows, scored by hand after the two files: type, solution, response, official, rewards.
OWN = [
    ("multiple choice", "<answer>B</answer>", "<think>x</think><answer> B\n</answer>", 1.0, 1.0),
    ("multiple choice", "<answer>B</answer>", "B", 1.0, 0.0),
    ("multiple choice", "<answer>B</answer>", " B\n", 1.0, 0.0),
    ("multiple choice", "<answer>B</answer>", "<answer>B. a cat</answer>", 0.0, 0.0),
    ("multiple choice", "<answer>B</answer>", "<answer>A</answer><answer>B</answer>", 0.0, 0.0),
    ("multiple choice", "<answer>B</answer>", "<answer></answer>B", 0.0, 0.0),
    ("numerical", "<answer>3</answer>", "<answer>3.0</answer>", 0.0, 0.0),
    ("numerical", "<answer>3.14</answer>", "<answer>3.141</answer>", 1.0, 1.0),
    ("numerical", "<answer>1,000</answer>", "<answer>1,000</answer>", 1.0, 1.0),
    ("numerical", "<answer>3</answer>", "<answer>nan</answer>", 0.0, 0.0),
    ("regression", "<answer>10</answer>", "<answer>10</answer>", 1.0, 1 - 1e-9 / (10 + 1e-9)),
    ("regression", "<answer>10</answer>", "<answer>nan</answer>", 0.0, 1.0),
    ("regression", "<answer>10</answer>", "<answer>30</answer>", 0.0, 0.0),
    ("regression", "<answer>0</answer>", "<answer>0</answer>", 1.0, 0.0),
    ("OCR", "<answer>STOP here</answer>", "<answer>STOP there</answer>", 0.0, 0.5),
    ("free-form", "<answer>EXIT</answer>", "<answer>exit</answer>", 0.0, 2 / 3),
    ("free-form", "<answer>EXIT</answer>", "EXIT", 0.0, 0.0),
]


@pytest.mark.parametrize(("kind", "solution", "response", "official", "reward"), OWN)
def test_answers_of_our_own(
    kind: str, solution: str, response: str, official: float, reward: float
) -> None:
    options = ["A. a dog", "B. a cat"] if kind == "multiple choice" else []
    row = {"problem": "?", "problem_type": kind, "options": options, "solution": solution}
    scores = _scores(row, response)
    assert scores["official"].value == official
    assert scores["rewards"].value == pytest.approx(reward, abs=1e-15)
