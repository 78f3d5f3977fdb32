"""MVBench's rules against what the original code returned, and the real annotations."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from edgeval.benchmarks import mvbench
from edgeval.types import Score

COLUMNS = {"official": "orig", "lmms-eval": "lmms_pipeline"}


def _differs(score: Score, want: Mapping[str, Any]) -> bool:
    if want.get("excluded"):
        return score.status != "excluded" or score.value is not None
    return score.value != want["score"]


@pytest.mark.parametrize("rule", mvbench.RULES)
def test_every_shared_answer_scores_as_the_original_code_scored_it(shared: Path, rule: str) -> None:
    wrong = []
    text = (shared / "oracle" / "mvbench.jsonl").read_text(encoding="utf-8")
    for row in map(json.loads, text.splitlines()):
        scores = mvbench.score(mvbench.question(row["doc"]), row["response"])
        by_rule = {score.rule: score for score in scores}
        if _differs(by_rule[rule], row["oracle"][COLUMNS[rule]]):
            wrong.append(row["uid"])
    assert text
    assert not wrong


# What the notebook's check_ans and lmms-eval's mcq_acc make of it, where B of three is right:
# worked out by hand from their descriptions, None where lmms-eval leaves it out.
@pytest.mark.parametrize(
    ("response", "official", "lmms"),
    [
        ("B) a dog", 1, 1),
        ("B", 1, 1),
        ("B.", 1, 1),
        ("B: a dog", 0, 1),
        ("", 1, None),
        (" ", 1, None),
        (".", 1, 0),
        ("A)(B) both", 1, 0),
        ("A", 0, 0),
        ("It is a dog, B", 0, 0),
        ("b. a dog", 1, 1),
        ("B.\na dog", 1, 1),
        ("<think>A</think>B", 0, 1),
        ("1,000 dogs (B)", 0, 1),
        ("the second", 0, 0),
        ("B)\nbecause of A", 1, 1),
    ],
)
def test_the_traps_of_both_rules(response: str, official: int, lmms: int | None) -> None:
    row = {"video": "x.mp4", "question": "?", "candidates": ["a cat", "a dog", "no"]}
    scores = mvbench.score(mvbench.question({**row, "answer": "a dog"}), response)
    assert [score.value for score in scores] == [official, lmms]


def test_the_real_annotations_load_whole(shared: Path) -> None:
    root = shared / "annotations" / "mvbench"
    clips = list(mvbench.clips(root, ("video",), ()))
    asked = [question for clip in clips for question in clip.questions]
    assert Counter(q.task for q in asked) == dict.fromkeys(mvbench.TASKS["video"], 200)
    assert len({question.id for question in asked}) == 4000
    bounded = {q.tags["task"] for clip in clips if clip.segment_s for q in clip.questions}
    assert bounded == {
        "action_sequence",
        "action_prediction",
        "object_interaction",
        "action_localization",
        "episodic_reasoning",
    }
