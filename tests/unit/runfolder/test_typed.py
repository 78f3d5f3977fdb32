"""Records out of JSON: each field is of its type, or the record is none."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from edgeval.runfolder.records import from_json, to_json
from edgeval.types import (
    Generation,
    Logits,
    PromptDigest,
    Question,
    Record,
    Score,
    Stages,
    Timing,
    Turn,
)

RECORD = Record(
    question=Question(
        id="t:1",
        row_id="1",
        clip_id="c",
        task="t",
        text="?",
        answer="B",
        kind="choice",
        choices=("x", "y"),
        tags={"track": "perception"},
    ),
    setting="video",
    frame_indices=(0, 5),
    video="v.mp4",
    prompt=PromptDigest(text="?", sha256="aa", n_tokens=3, shared_prefix_len=1),
    generation=Generation(
        text="B",
        token_ids=(4, 5),
        stop="eos",
        stop_id=2,
        timing=Timing(prefill_s=1, step_s=(0.5, 1)),
        logits=Logits(sha256="bb", top=((4, 1.5), (3, -1))),
    ),
    answer="B",
    scores={
        "a": Score(rule="a", value=1.0, parsed="B", status="scored"),
        "b": Score(rule="b", value=None, parsed=("B", 1.5), status="needs_judge"),
    },
    turns=(Turn(role="user", text="?"),),
    stages=Stages(pictures=("cc",), pixels="dd", prompt_ids=((1, 2), (3, 1))),
)


def test_a_record_comes_back_as_it_was() -> None:
    assert from_json(to_json(RECORD)) == RECORD


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("answer",), {}),
        (("note",), 5),
        (("setting",), None),
        (("frame_indices",), [0, "5"]),
        (("frame_indices",), [0, 1.5]),
        (("frame_indices",), [0, True]),
        (("question", "text"), []),
        (("question", "choices"), ["x", 5]),
        (("question", "tags"), {"track": None}),
        (("question", "tags"), []),
        (("generation", "text"), None),
        (("generation", "token_ids"), ["4"]),
        (("generation", "stop_id"), "2"),
        (("timing", "prefill_s"), "1"),
        (("timing", "step_s"), [None]),
        (("scores", "a", "value"), "1"),
        (("scores", "b", "parsed"), [["B"]]),
        (("scores",), []),
        (("turns",), [{"role": "user", "text": 5}]),
        (("damage",), [5]),
        (("stages", "prompt_ids"), [[1, "2"]]),
        (("stages", "pictures"), [5]),
        (("prompt", "n_tokens"), 3.5),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, tuple) else None,
)
def test_a_field_of_another_type_makes_it_none(path: tuple[str, ...], value: object) -> None:
    row: dict[str, Any] = copy.deepcopy(to_json(RECORD))
    place = row
    for key in path[:-1]:
        place = place[key]
    assert path[-1] in place
    place[path[-1]] = value
    with pytest.raises(TypeError, match=path[-1] if len(path) == 1 else "got"):
        from_json(row)
