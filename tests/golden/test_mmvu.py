"""MMVU's rule against what the original code returned, and the real annotations."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

from edgeval.benchmarks import mmvu
from edgeval.types import Score

OWN = Path(__file__).parent / "mmvu.json"
OPTIONS = ("a red brick", "the dark sea", "Cable cars run", "to", "No -- 'none' of them")


def _score(kind: str, gold: str, response: str) -> Score:
    row = {"id": "own_1", "question_type": kind, "question": "?", "answer": gold}
    row |= {"choices": dict(zip("ABCDE", OPTIONS, strict=True)), "video_path": "videos/Art/1.mp4"}
    (score,) = mmvu.score(mmvu.question(row), response)
    return score


def test_every_answer_of_ours_is_right_where_the_original_code_says_so() -> None:
    rows = json.loads(OWN.read_text(encoding="utf-8"))["rows"]
    wrong = [row for row in rows if _value(row) != float(row["right"])]
    assert not wrong


def _value(row: dict[str, str]) -> float:
    """What the rule without its judge makes of it."""
    return _score(row["kind"], row["gold"], row["response"]).value or 0.0


def test_every_shared_answer_scores_as_the_original_code_scored_it(shared: Path) -> None:
    wrong = []
    text = (shared / "oracle" / "mmvu.jsonl").read_text(encoding="utf-8")
    for row in map(json.loads, text.splitlines()):
        want = row["oracle"]["lmms_pipeline"]
        (score,) = mmvu.score(mmvu.question(row["doc"]), row["response"])
        judged = score.status == "needs_judge"
        if (judged, score.value) != (want["needs_judge"], want["score"]):
            wrong.append(row["uid"])
    assert text
    assert not wrong


def test_the_real_questions_load(shared: Path) -> None:
    clips = list(mmvu.clips(shared / "annotations" / "mmvu", ("video",), ()))
    questions = [question for clip in clips for question in clip.questions]
    kinds = Counter(question.tags["question_type"] for question in questions)
    assert kinds == {"multiple-choice": 625, "open-ended": 375}
    golds = Counter(question.answer for question in questions if question.kind == "choice")
    assert golds == {"A": 115, "B": 127, "C": 142, "D": 114, "E": 127}
    assert len(clips) == 583
    assert len({question.tags["subject"] for question in questions}) == 27
    assert "Other" not in {question.tags["discipline"] for question in questions}
