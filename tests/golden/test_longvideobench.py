"""LongVideoBench's rules and captions against what the original code returned."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from edgeval.benchmarks import longvideobench
from edgeval.benchmarks.longvideobench import subtitles
from edgeval.types import Score

OWN = json.loads((Path(__file__).parent / "longvideobench.json").read_text(encoding="utf-8"))
COLUMNS = {"lmms-eval": "lmms_pipeline", "vlmeval": "vlmeval"}


def _scores(doc: dict[str, object], response: str) -> dict[str, Score]:
    one = longvideobench.question(doc)
    return {score.rule: score for score in longvideobench.score(one, response)}


def test_every_answer_of_ours_is_read_as_the_original_code_read_it() -> None:
    doc: dict[str, object] = {"question": "?", "candidates": list("vwxyz"), "correct_choice": 0}
    wrong = [
        row
        for row in OWN["rows"]
        if _scores(doc, row["response"])["lmms-eval"].parsed != row["letter"]
    ]
    assert not wrong


def _differs(score: Score, want: dict[str, Any]) -> bool:
    if want["random"]:
        return (score.status, score.value) != ("unparsed", 1 / len(want["random_pool"]))
    if want.get("needs_judge"):
        return (score.status, score.value) != ("needs_judge", None)
    return (score.parsed, score.value) != (want["parsed"], want["score"])


@pytest.mark.parametrize("rule", longvideobench.RULES)
def test_every_shared_answer_scores_as_the_original_code_scored_it(shared: Path, rule: str) -> None:
    text = (shared / "oracle" / "longvideobench.jsonl").read_text(encoding="utf-8")
    wrong = [
        row["uid"]
        for row in map(json.loads, text.splitlines())
        if _differs(_scores(row["doc"], row["response"])[rule], row["oracle"][COLUMNS[rule]])
    ]
    assert text
    assert not wrong


@pytest.mark.parametrize("case", OWN["captions"], ids=lambda case: f"{case['duration']} s")
def test_captions_stand_between_the_frames_where_the_original_puts_them(
    tmp_path: Path, case: dict[str, Any]
) -> None:
    (tmp_path / "subtitles").mkdir()
    (tmp_path / "subtitles/own.json").write_text(json.dumps(case["subtitles"]), encoding="utf-8")
    row = {"subtitle_path": "own.json", "duration": case["duration"]}
    row["starting_timestamp_for_subtitles"] = case["offset"]
    shown = []
    captions = list(subtitles.captions(tmp_path, row, "own"))
    for frame in subtitles.frame_times(case["duration"]):
        while captions and captions[0][0] < frame:
            shown.append(captions.pop(0)[1])
        shown.append("")
    assert [*shown, *(text for _, text in captions)] == case["shown"]
