"""Verdicts on two answers: which stage is named, and what is let pass."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from edgeval.selftest.compare import STAGES, Verdict, compared
from edgeval.selftest.reference import Answer, Signature, Tolerance
from edgeval.types import (
    Generation,
    Logits,
    PromptDigest,
    Question,
    Record,
    Score,
    Stages,
    Timing,
)

TOLERANCE = Tolerance(features=0.01, logits=0.1)
RECORD = Record(
    question=Question(
        id="t:1", row_id="1", clip_id="c", task="t", text="?", answer="A", kind="text"
    ),
    setting="video",
    frame_indices=(0, 9),
    video="c.mp4",
    video_sha256="aa",
    prompt=PromptDigest(text="p", n_tokens=2, shared_prefix_len=1, sha256="bb"),
    generation=Generation(text="A B", token_ids=(5, 6), stop="eos", stop_id=2, timing=Timing()),
    answer="A B",
    scores={"official": Score(rule="official", value=1.0, parsed="A", status="scored")},
    stages=Stages(pictures=("cc", "dd"), pixels="ee", prompt_ids=((1, 2),)),
)
THEN = Answer(
    benchmark="b",
    record=RECORD,
    features=Signature(shape=(2, 2), sha256="ff", values=(3.0, -3.0)),
    logits=(
        Logits(sha256="00", top=((5, 9.0), (6, 2.0))),
        Logits(sha256="11", top=((6, 9.0), (7, 8.9))),
        Logits(sha256="22", top=((2, 9.0), (5, 2.0))),
    ),
)


def verdict(**changes: object) -> Verdict:
    record = {key: changes.pop(key) for key in list(changes) if key in RECORD.__slots__}
    now = replace(THEN, record=replace(RECORD, **record), **changes)
    return compared(THEN, now, TOLERANCE)


def said(*ids: int, stop_id: int | None = 2) -> Generation:
    return replace(RECORD.generation, token_ids=ids, stop_id=stop_id, text=str(ids))


def test_the_same_is_the_same() -> None:
    assert verdict() == Verdict(question="t:1")


@pytest.mark.parametrize(
    ("stage", "changes"),
    [
        ("video", {"video_sha256": "ab"}),
        ("plan", {"frame_indices": (0, 8)}),
        ("frames", {"stages": replace(RECORD.stages, pictures=("cc", "de"))}),
        ("pixels", {"stages": replace(RECORD.stages, pixels="ef")}),
        ("prompt", {"prompt": replace(RECORD.prompt, text="q")}),
        ("features", {"features": replace(THEN.features, sha256="", values=(3.0, -3.1))}),
        ("features", {"features": replace(THEN.features, sha256="", shape=(4, 1))}),
        ("features", {"features": replace(THEN.features, sha256="", values=(3.0, math.nan))}),
        ("features", {"features": None}),
        ("logits", {"logits": (replace(THEN.logits[0], sha256="", top=((5, 8.8),)),)}),
        ("logits", {"logits": THEN.logits[:2]}),
        ("tokens", {"generation": said(4, 6)}),
        ("answer", {"answer": "A"}),
        ("scores", {"scores": {}}),
    ],
)
def test_the_stage_is_named(stage: str, changes: dict[str, object]) -> None:
    found = verdict(**changes)
    assert (found.stage, bool(found.said)) == (stage, True)
    assert stage in STAGES


def test_an_earlier_stage_is_named_before_a_later_one() -> None:
    assert verdict(scores={}, video_sha256="ab", features=None).stage == "video"


def test_what_is_off_within_the_tolerance_passes_and_is_told() -> None:
    near = replace(THEN.logits[1], sha256="", top=((6, 8.95), (7, 8.9)))
    features = replace(THEN.features, sha256="", values=(3.003, -3.0))
    found = verdict(logits=(THEN.logits[0], near, THEN.logits[2]), features=features)
    assert found.stage == ""
    assert found.logits_off == pytest.approx(0.05)
    assert found.features_off == pytest.approx(0.001)


def test_tokens_that_part_where_two_were_as_good_are_a_tie() -> None:
    near = replace(THEN.logits[1], sha256="", top=((7, 8.96), (6, 8.95)))
    far = replace(THEN.logits[2], sha256="", top=((1, -50.0),))
    found = verdict(logits=(THEN.logits[0], near, far), generation=said(5, 7), scores={})
    assert (found.stage, found.tie) == ("", True)


def test_tokens_that_part_where_one_was_better_are_no_tie() -> None:
    assert verdict(generation=said(5, 6, 8), logits=THEN.logits).stage == "tokens"
