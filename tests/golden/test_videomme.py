"""Video-MME's rules against what the original code returned, and the real annotations."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from edgeval.benchmarks import videomme
from edgeval.types import Score

COLUMNS = {"official": "orig", "lmms-eval": "lmms_pipeline", "vlmeval": "vlmeval"}


def _differs(score: Score, want: Mapping[str, Any]) -> bool:
    if want.get("needs_judge"):
        return score.status != "needs_judge" or score.value is not None
    return score.value != want["score"] or (score.parsed or "") != want["parsed"]


@pytest.mark.parametrize("rule", videomme.RULES)
def test_every_shared_answer_scores_as_the_original_code_scored_it(shared: Path, rule: str) -> None:
    wrong = []
    text = (shared / "oracle" / "videomme.jsonl").read_text(encoding="utf-8")
    for row in map(json.loads, text.splitlines()):
        scores = videomme.score(videomme.question(row["doc"]), row["response"])
        by_rule = {score.rule: score for score in scores}
        if _differs(by_rule[rule], row["oracle"][COLUMNS[rule]]):
            wrong.append(row["uid"])
    assert text
    assert not wrong


# Worked out by hand from the descriptions of the three codes; D is right.
@pytest.mark.parametrize(
    ("response", "letters"),
    [
        ("D", ("D", "D", "D")),
        (" D.", ("D", "D", "D")),
        ("The best answer is D.", ("D", "D", "D")),
        ("Best option: (D)", ("B", "D", "B")),
        ("Choice A, no, D", ("C", "D", "C")),
        ("Answer: D", ("D", "D", "D")),
        ("The correct answer: D", ("D", "D", "D")),
        ("ANSWER: D", ("A", "D", "A")),
        ("<think>B or C</think>D", ("B", "D", "B")),
        ("", (None, None, None)),
        ("no idea", (None, None, None)),
    ],
)
def test_the_traps_of_all_rules(response: str, letters: tuple[str | None, ...]) -> None:
    row = {"question": "?", "options": ["A. a", "B. b", "C. c", "D. d"], "answer": "D"}
    scores = videomme.score(videomme.question(row), response)
    assert tuple(score.parsed for score in scores) == letters


def test_the_real_annotations_load_whole(shared: Path) -> None:
    pytest.importorskip("duckdb", reason="the extra 'parquet' is not installed")
    clips = list(videomme.clips(shared / "annotations" / "videomme", ("video",), ()))
    asked = [question for clip in clips for question in clip.questions]
    assert len({clip.video for clip in clips}) == len(clips) == 900
    assert len({question.id for question in asked}) == len(asked) == 2700
    assert Counter(q.tags["duration"] for q in asked) == dict.fromkeys(
        ("short", "medium", "long"), 900
    )
    kinds = {tag: len({question.tags[tag] for question in asked}) for tag in videomme.TAGS}
    assert kinds == {"duration": 3, "domain": 6, "sub_category": 30, "task_type": 12}
