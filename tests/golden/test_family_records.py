"""Records of real lmms-eval runs, family by family: frames, pixels, prompts, ids and answers.

The checkpoints have random weights, so only equality counts; where the best two tokens are nearer
than 1e-3 it does not. InternVL's and LLaVA-OneVision's are in test_lmms_records.py. Source:
../shared/e2e (lmms-eval 0.7.3, transformers 5.23.0 and torch 2.13.0 on a CPU in float32; the
Qwen-VL ones with max_num_frames=8).
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from edgeval import frames as frame_rules
from edgeval.media.decode import decode
from edgeval.media.probe import probe
from edgeval.model import Model, open_model
from edgeval.processor import LMMS_EVAL, NATIVE, Setup
from edgeval.types import Ask, Decoding, Frames, Generation, Prompt
from edgeval.view import View

pytest.importorskip("torch")
pytest.importorskip("onnxscript")
pytest.importorskip("transformers")

N_RECORDS = 20
LONGEST = 16
NEAR_TIE = 1e-3
Record = Mapping[str, Any]
Seen = Callable[[Record], tuple[Frames, View]]


@dataclass(frozen=True, kw_only=True)
class Kind:
    """How a family was run. ``around``: what stands before and behind the question."""

    records: str
    protocol: str
    around: tuple[str, str]
    n_frames: int | None = None


QWEN = {"protocol": LMMS_EVAL, "around": ("<|vision_end|>", "<|im_end|>"), "n_frames": 8}
KINDS = {
    "smolvlm": Kind(
        records="smolvlm_ref", protocol=NATIVE, around=("<video>", "<end_of_utterance>")
    ),
    **{name: Kind(records=name, **QWEN) for name in ("qwen2_5_vl", "qwen2_vl", "qwen3_vl")},
}


@pytest.fixture(scope="module", params=KINDS)
def family(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(scope="module")
def records(shared: Path, family: str) -> list[Record]:
    text = (shared / f"e2e/records/{KINDS[family].records}-vsibench.jsonl").read_text("utf-8")
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
        setup=Setup(protocol=KINDS[family].protocol),
    )


@pytest.fixture(scope="module")
def seen(shared: Path, family: str, model: Model) -> Seen:
    """Frames and view of a record's clip, looked at once."""
    rule = model.frame_rule()
    if (n_frames := KINDS[family].n_frames) is not None:
        rule = dataclasses.replace(rule, n=n_frames)

    @lru_cache
    def look(name: str) -> tuple[Frames, View]:
        plan = frame_rules.plan(probe(shared / "videos/real" / name), rule)
        frames = decode(plan, shrink=model.shrinker(plan), digest=True, workers=1)
        return frames, model.see(frames)

    return lambda record: look(Path(record["videos"][0]["source"]).name)


@pytest.fixture(scope="module")
def asked(records: list[Record], family: str, seen: Seen, model: Model) -> list[Prompt]:
    before, behind = KINDS[family].around

    def question(record: Record) -> str:
        """The user's text inside the recorded prompt."""
        text: str = record["prompt"]
        return text.split(before, 1)[1].rsplit(behind, 1)[0]

    return [
        model.prompt(seen(record)[1], Ask(text=question(record), max_new_tokens=LONGEST))
        for record in records
    ]


@pytest.fixture(scope="module")
def answered(
    records: list[Record], seen: Seen, model: Model, asked: list[Prompt]
) -> list[tuple[Record, Generation]]:
    """Those records in which no two tokens were as good as equal, and what our model says."""
    return [
        (record, model.answer(seen(record)[1], prompt, Decoding(), max_new_tokens=LONGEST))
        for record, prompt in zip(records, asked, strict=True)
        if record["min_margin"] >= NEAR_TIE
    ]


def ids_of(record: Record) -> list[int]:
    return [token for token, n in record["input_ids_rle"] for _ in range(n)]


def shown(record: Record) -> tuple[list[int], list[str]]:
    """Indices and digests of the frames that the model saw, after both stages."""
    clip = record["videos"][0]
    places = clip.get("used_positions", range(len(clip["frame_indices"])))
    return [clip["frame_indices"][i] for i in places], [clip["frames_sha256"][i] for i in places]


def pixels_of(record: Record) -> str:
    """The digest of the one tensor of pixels, whatever it is called."""
    (digest,) = (
        tensor["sha256"]
        for name, tensor in record["tensors"].items()
        if name.startswith("pixel_values")
    )
    told: str = digest
    return told


def test_all_records_are_there(records):
    assert len(records) == N_RECORDS


def test_frames_are_the_recorded_ones(records, seen):
    for record in records:
        frames, _ = seen(record)
        assert (list(frames.plan.indices), list(frames.digests)) == shown(record)


def test_pixels_are_the_recorded_ones(records, seen):
    got = [seen(record)[1].pixel_sha256() for record in records]
    assert got == [pixels_of(record) for record in records]


def test_prompts_are_the_recorded_ones(records, asked):
    assert [prompt.text for prompt in asked] == [record["prompt"] for record in records]


def test_input_ids_are_the_recorded_ones(records, asked):
    assert [list(prompt.token_ids) for prompt in asked] == [ids_of(record) for record in records]


def test_hardly_any_record_is_near_a_tie(answered):
    assert len(answered) >= N_RECORDS - 1


def test_generated_ids_are_the_recorded_ones(answered):
    for record, generation in answered:
        ends = {record["other"]["eos_token_id"]}
        wanted = [token for token in record["generated_ids"] if token not in ends]
        assert list(generation.token_ids) == wanted


def test_responses_are_the_recorded_ones(answered):
    got = [generation.text.strip() for _, generation in answered]
    assert got == [record["response"] for record, _ in answered]
