"""TempCompass's rules against what the original code returned, and the real annotations."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from edgeval.benchmarks.tempcompass import data, rules
from edgeval.types import Score

COLUMNS = {"official": "orig", "lmms-eval": "lmms_pipeline"}
MATCHING = "Which?\nOption 1: a cat\nOption 2: a dog"


def _differs(score: Score, want: Mapping[str, Any]) -> bool:
    if want.get("needs_judge"):
        return score.status != "needs_judge" or score.value is not None
    matched = want.get("match_success", want["score"] >= 0)
    return score.value != want["score"] or (score.status == "scored") != matched


@pytest.mark.parametrize("rule", rules.RULES)
def test_every_shared_answer_scores_as_the_original_code_scored_it(shared: Path, rule: str) -> None:
    wrong = []
    text = (shared / "oracle" / "tempcompass.jsonl").read_text(encoding="utf-8")
    for row in map(json.loads, text.splitlines()):
        question = data.question({**row["doc"], "task": row["task"]})
        by_rule = {score.rule: score for score in rules.score(question, row["response"])}
        if _differs(by_rule[rule], row["oracle"][COLUMNS[rule]]):
            wrong.append(row["uid"])
    assert text
    assert not wrong


# Worked out by hand from the authors' description: worth of the answer under official and under
# lmms-eval, None where a judge must be asked.
@pytest.mark.parametrize(
    ("task", "response", "official", "lmms"),
    [
        ("multi-choice", "B", 1, 1),
        ("multi-choice", " B. a dog</s>", 1, 1),
        ("multi-choice", "B</s>", 1, None),
        ("multi-choice", "B) whatever", 1, 1),
        ("multi-choice", "A. a dog", 0, 0),
        ("multi-choice", "(B)", 0, None),
        ("multi-choice", "<think>A</think>B", 0, 1),
        ("yes_no", "Yes, it is", 1, 1),
        ("yes_no", "north", 0, 0),
        ("yes_no", "It is", 0, None),
        ("caption_matching", "Option 2: a dog", 1, 1),
        ("caption_matching", "a dog", 1, 1),
        ("caption_matching", "B) a dog", 1, 1),
        ("caption_matching", "Option 2.", 1, 1),
        ("caption_matching", "2", 1, 1),
        ("caption_matching", "1", 0, 0),
        ("caption_matching", "a cat", 0, 0),
        ("caption_matching", "the second", 0, None),
        ("captioning", "A dog runs.", None, None),
    ],
)
def test_the_traps_of_both_rules(
    task: str, response: str, official: int | None, lmms: int | None
) -> None:
    asked = {
        "multi-choice": ("What?\nA. a cat\nB. a dog", "B. a dog"),
        "yes_no": ("Is it?", "yes"),
        "caption_matching": (MATCHING, "Option 2: a dog"),
        "captioning": ("Generated Caption:", "B. a dog"),
    }
    text, answer = asked[task]
    row = {"video_id": "1", "dim": "action", "task": task, "question": text, "answer": answer}
    scores = rules.score(data.question(row), response)
    assert [score.value for score in scores] == [official, lmms]


def test_the_real_annotations_load_whole(shared: Path) -> None:
    clips = list(data.clips(shared / "annotations" / "tempcompass", ("video",), ()))
    asked = [question for clip in clips for question in clip.questions]
    assert Counter(question.tags["task"] for question in asked) == {
        "multi-choice": 1580,
        "yes_no": 2453,
        "caption_matching": 1503,
        "captioning": 2004,
    }
    assert len(clips) == 410
    assert len({question.id for question in asked}) == len(asked)
    assert len({question.tags["aspect"] for question in asked}) == 11
    dimensions = Counter(q.tags["dimension"] for q in asked if q.tags["task"] == "multi-choice")
    assert dimensions == dict(zip(data.DIMENSIONS, (338, 335, 317, 302, 288), strict=True))
