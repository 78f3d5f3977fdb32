"""Twenty records of a real lmms-eval run of SmolVLM: frames, pixels, prompt, ids and answers.

The checkpoint has random weights, so only equality counts. Source: ../shared/e2e (lmms-eval 0.7.3,
transformers 5.23.0 and torch 2.13.0 on a CPU in float32).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from edgeval import frames as frame_rules
from edgeval.media.decode import decode
from edgeval.media.probe import probe
from edgeval.model import Model, open_model
from edgeval.types import Ask, Decoding, Frames, Generation, Prompt
from edgeval.view import View

pytest.importorskip("torch")
pytest.importorskip("onnxscript")
pytest.importorskip("transformers")

N_RECORDS = 20
LONGEST = 16
Record = Mapping[str, Any]
Seen = Callable[[Record], tuple[Frames, View]]


@pytest.fixture(scope="module")
def records(shared: Path) -> list[Record]:
    text = (shared / "e2e/records/smolvlm_ref-vsibench.jsonl").read_text("utf-8")
    return [json.loads(line) for line in text.splitlines()]


@pytest.fixture(scope="module")
def folder(shared: Path, hf: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The checkpoint as our own export writes it."""
    from edgeval.export.folder import Plan, export

    output = tmp_path_factory.mktemp("records") / "model"
    export(
        Plan(
            checkpoint=shared / "e2e/ckpt/smolvlm",
            output=output,
            precision="fp32",
            flavour="plain",
            name="records",
            source="random weights",
            licence="unknown",
        )
    )
    return output


@pytest.fixture(scope="module", params=[True, False], ids=["shared", "unshared"])
def model(request: pytest.FixtureRequest, folder: Path) -> Model:
    return open_model(folder, engine="cpu", precision=None, threads=2, share=request.param)


@pytest.fixture(scope="module")
def seen(shared: Path, model: Model) -> Seen:
    """Frames and view of a record's clip, looked at once."""

    @lru_cache
    def look(name: str) -> tuple[Frames, View]:
        plan = frame_rules.plan(probe(shared / "videos/real" / name), model.frame_rule())
        frames = decode(plan, shrink=model.shrinker(plan), digest=True, workers=1)
        return frames, model.see(frames)

    return lambda record: look(Path(record["videos"][0]["source"]).name)


def question(record: Record) -> str:
    """The user's text inside the recorded prompt."""
    text: str = record["prompt"]
    return text.split("<video>", 1)[1].rsplit("<end_of_utterance>", 1)[0]


@pytest.fixture(scope="module")
def asked(records: list[Record], seen: Seen, model: Model) -> list[Prompt]:
    return [
        model.prompt(seen(record)[1], Ask(text=question(record), max_new_tokens=LONGEST))
        for record in records
    ]


@pytest.fixture(scope="module")
def answered(
    records: list[Record], seen: Seen, model: Model, asked: list[Prompt]
) -> list[Generation]:
    pairs = zip(records, asked, strict=True)
    return [
        model.answer(seen(record)[1], prompt, Decoding(), max_new_tokens=LONGEST)
        for record, prompt in pairs
    ]


def ids_of(record: Record) -> list[int]:
    return [token for token, n in record["input_ids_rle"] for _ in range(n)]


def test_all_records_are_there(records):
    assert len(records) == N_RECORDS


def test_frames_are_the_recorded_ones(records, seen):
    for record in records:
        frames, _ = seen(record)
        assert list(frames.plan.indices) == record["videos"][0]["frame_indices"]
        assert list(frames.digests) == record["videos"][0]["frames_sha256"]


def test_pixels_are_the_recorded_ones(records, seen):
    got = [seen(record)[1].pixel_sha256() for record in records]
    assert got == [record["tensors"]["pixel_values"]["sha256"] for record in records]


def test_prompts_are_the_recorded_ones(records, asked):
    assert [prompt.text for prompt in asked] == [record["prompt"] for record in records]


def test_input_ids_are_the_recorded_ones(records, asked):
    assert [list(prompt.token_ids) for prompt in asked] == [ids_of(record) for record in records]


def test_generated_ids_are_the_recorded_ones(records, answered):
    got = [list(generation.token_ids) for generation in answered]
    ends = {record["other"]["eos_token_id"] for record in records}
    assert got == [[i for i in record["generated_ids"] if i not in ends] for record in records]


def test_responses_are_the_recorded_ones(records, answered):
    got = [generation.text.strip() for generation in answered]
    assert got == [record["response"] for record in records]
