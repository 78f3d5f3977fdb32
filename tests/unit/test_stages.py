"""What a record keeps of its stages: logits, runs of token ids, and both through JSON."""

from __future__ import annotations

import hashlib
import json
from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from edgeval.generate import logits_of
from edgeval.run import runs_of
from edgeval.runfolder import dumps
from edgeval.runfolder.records import from_json, to_json
from edgeval.types import Generation, Logits, Question, Record, Stages, Timing


def test_the_largest_logits_are_kept_with_ties_by_the_lower_id() -> None:
    logits = np.zeros(1000, np.float32)
    logits[[900, 7, 8]] = 3.5, 2.25, 2.25
    found = logits_of(logits)
    assert found.top == ((900, 3.5), (7, 2.25), (8, 2.25), *((at, 0.0) for at in range(5)))
    assert found.sha256 == hashlib.sha256(logits.tobytes()).hexdigest()


@given(st.lists(st.floats(width=32), min_size=1, max_size=80))
def test_logits_that_are_no_numbers_are_left_out(values: list[float]) -> None:
    found = logits_of(np.array(values, np.float32))
    real = sorted((-value, at) for at, value in enumerate(values) if np.isfinite(value))
    assert list(found.top) == [(at, -value) for value, at in real[:8]]


@given(st.lists(st.integers(0, 3)))
def test_runs_of_ids_are_the_ids(ids: list[int]) -> None:
    runs = runs_of(ids)
    assert [token for token, times in runs for _ in range(times)] == ids
    assert all(one[0] != other[0] for one, other in pairwise(runs))


def test_stages_and_logits_go_to_json_and_back_and_may_be_missing() -> None:
    question = Question(
        id="t:1", row_id="1", clip_id="c", task="t", text="?", answer="A", kind="text"
    )
    record = Record(
        question=question,
        setting="video",
        generation=Generation(
            text="A",
            token_ids=(1,),
            stop="eos",
            timing=Timing(),
            logits=Logits(sha256="ab", top=((5, 1.5),)),
        ),
        stages=Stages(pictures=("cd",), pixels="ef", prompt_ids=((1, 2), (3, 1))),
    )
    row = json.loads(dumps(to_json(record)))
    assert from_json(row) == record
    del row["stages"], row["generation"]["logits"]
    old = from_json(row)
    assert (old.stages, old.generation and old.generation.logits) == (None, None)
