"""Records of real lmms-eval runs of the Qwen-VL families: frames, pixels, prompts, ids, answers.

The checkpoints have random weights, so only equality counts; where the best two tokens are nearer
than 1e-3 it does not. Source: ../shared/e2e (lmms-eval 0.7.3, transformers 5.23.0 and torch 2.13.0
on a CPU in float32, max_num_frames=8).
"""

from __future__ import annotations

import dataclasses
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
from edgeval.processor import LMMS_EVAL, Setup
from edgeval.types import Ask, Decoding, Frames, Generation, Prompt
from edgeval.view import View

pytest.importorskip("torch")
pytest.importorskip("onnxscript")
pytest.importorskip("transformers")

N_RECORDS, N_FRAMES = 20, 8
LONGEST = 16
NEAR_TIE = 1e-3
FAMILIES = ("qwen2_5_vl", "qwen2_vl", "qwen3_vl")
Record = Mapping[str, Any]
Seen = Callable[[Record], tuple[Frames, View]]


@pytest.fixture(scope="module", params=FAMILIES)
def family(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(scope="module")
def records(shared: Path, family: str) -> list[Record]:
    text = (shared / f"e2e/records/{family}-vsibench.jsonl").read_text("utf-8")
    return [json.loads(line) for line in text.splitlines()]


@pytest.fixture(scope="module")
def exported(shared: Path, hf: None, tmp_path_factory: Any) -> Callable[[str], Path]:
    """Each checkpoint as our own export writes it, once."""
    from edgeval.export.folder import Plan, export

    @lru_cache
    def write(family: str) -> Path:
        output: Path = tmp_path_factory.mktemp("records") / family
        export(
            Plan(
                checkpoint=shared / "e2e/ckpt" / family,
                output=output,
                precision="fp32",
                flavour="plain",
                name="records",
                source="random weights",
                licence="unknown",
            )
        )
        return output

    return write


@pytest.fixture(scope="module", params=[True, False], ids=["shared", "unshared"])
def model(request: pytest.FixtureRequest, family: str, exported: Callable[[str], Path]) -> Model:
    return open_model(
        exported(family),
        engine="cpu",
        precision=None,
        threads=2,
        share=request.param,
        setup=Setup(protocol=LMMS_EVAL),
    )


@pytest.fixture(scope="module")
def seen(shared: Path, model: Model) -> Seen:
    """Frames and view of a record's clip, looked at once."""
    rule = dataclasses.replace(model.frame_rule(), n=N_FRAMES)

    @lru_cache
    def look(name: str) -> tuple[Frames, View]:
        plan = frame_rules.plan(probe(shared / "videos/real" / name), rule)
        frames = decode(plan, shrink=model.shrinker(plan), digest=True, workers=1)
        return frames, model.see(frames)

    return lambda record: look(Path(record["videos"][0]["source"]).name)


def question(record: Record) -> str:
    """The user's text inside the recorded prompt."""
    text: str = record["prompt"]
    return text.split("<|vision_end|>", 1)[1].rsplit("<|im_end|>", 1)[0]


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
    return [
        model.answer(seen(record)[1], prompt, Decoding(), max_new_tokens=LONGEST)
        for record, prompt in zip(records, asked, strict=True)
    ]


def ids_of(record: Record) -> list[int]:
    return [token for token, n in record["input_ids_rle"] for _ in range(n)]


def shown(record: Record) -> tuple[list[int], list[str]]:
    """Indices and digests of the frames that the model saw, after both stages."""
    clip = record["videos"][0]
    places = clip.get("used_positions", range(len(clip["frame_indices"])))
    return [clip["frame_indices"][i] for i in places], [clip["frames_sha256"][i] for i in places]


def test_all_records_are_there(records):
    assert len(records) == N_RECORDS


def test_frames_are_the_recorded_ones(records, seen):
    for record in records:
        frames, _ = seen(record)
        assert (list(frames.plan.indices), list(frames.digests)) == shown(record)


def test_pixels_are_the_recorded_ones(records, seen):
    got = [seen(record)[1].pixel_sha256() for record in records]
    assert got == [record["tensors"]["pixel_values_videos"]["sha256"] for record in records]


def test_prompts_are_the_recorded_ones(records, asked):
    assert [prompt.text for prompt in asked] == [record["prompt"] for record in records]


def test_input_ids_are_the_recorded_ones(records, asked):
    assert [list(prompt.token_ids) for prompt in asked] == [ids_of(record) for record in records]


def test_answers_are_the_recorded_ones(records, answered):
    clear = [
        (record, generation)
        for record, generation in zip(records, answered, strict=True)
        if record["min_margin"] >= NEAR_TIE
    ]
    assert len(clear) >= N_RECORDS - 1
    for record, generation in clear:
        ends = {record["other"]["eos_token_id"]}
        wanted = [token for token in record["generated_ids"] if token not in ends]
        assert list(generation.token_ids) == wanted
        assert generation.text.strip() == record["response"]
