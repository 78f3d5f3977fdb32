"""A published decoder with dynamic activations: its prompts are read whole, whatever was asked."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from edgeval.engines.told import told
from edgeval.model import Model, open_model
from edgeval.modelfolder import manifest
from edgeval.types import Ask, Decoding, FramePlan, FrameRule, Frames, VideoInfo

pytest.importorskip("onnx")
quantization = pytest.importorskip("onnxruntime.quantization")

PROCESSOR = {
    "image_seq_len": 4,
    "video_processor": {
        "image_mean": [0.5, 0.5, 0.5],
        "image_std": [0.5, 0.5, 0.5],
        "resample": 3,
        "max_image_size": {"longest_edge": 64},
        "video_sampling": {"fps": 1, "max_frames": 8, "video_size": {"longest_edge": 64}},
    },
}
TEXTS = ("Which sign stood first?", "What came last?", "How many were red?")


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The carried model as others publish it: no manifest, int8 by quantize_dynamic."""
    folder = tmp_path_factory.mktemp("published") / "model"
    shutil.copytree(manifest.find("tiny"), folder, copy_function=os.link)
    (folder / manifest.FILE).unlink()
    (folder / "processor_config.json").write_text(json.dumps(PROCESSOR), "utf-8")
    onnx = folder / "onnx"
    for name in ("vision_encoder", "embed_tokens"):
        os.link(onnx / f"{name}.onnx", onnx / f"{name}_int8.onnx")
    quantization.quantize_dynamic(
        onnx / "decoder_model_merged.onnx",
        onnx / "decoder_model_merged_int8.onnx",
        weight_type=quantization.QuantType.QInt8,
    )
    return folder


def opened(folder: Path, *, share: bool) -> Model:
    return open_model(folder, engine="cpu", precision="int8", threads=1, share=share)


def clip() -> Frames:
    indices = tuple(range(4))
    rng = np.random.default_rng(11)
    info = VideoInfo(
        path=Path("noise.mp4"),
        n_frames=4,
        fps=1.0,
        duration_s=4.0,
        width=64,
        height=64,
        rotation_deg=0,
        pix_fmt="yuv420p",
        codec="h264",
        pts_s=np.arange(4.0),
    )
    return Frames(
        plan=FramePlan(info=info, indices=indices, rule=FrameRule(how="indices", indices=indices)),
        pixels=tuple(rng.integers(0, 256, (64, 64, 3), dtype=np.uint8) for _ in indices),
        pts_s=np.arange(4.0),
    )


def first_logits(model: Model) -> list[str]:
    view = model.see(clip())
    found = []
    for text in TEXTS:
        prompt = model.prompt(view, Ask(text=text, max_new_tokens=4))
        said = model.answer(view, prompt, Decoding(), max_new_tokens=4)
        assert said.logits is not None
        found.append(said.logits.sha256)
    return found


def test_shared_or_not_the_logits_are_those_of_the_whole_prompt(published):
    assert first_logits(opened(published, share=True)) == first_logits(
        opened(published, share=False)
    )


def test_no_token_of_the_prompt_is_shared(published):
    model = opened(published, share=True)
    prompt = model.prompt(model.see(clip()), Ask(text=TEXTS[0], max_new_tokens=1))
    assert (model.reading.prefix, prompt.shared_prefix_len) == (False, 0)


def test_the_picture_is_looked_at_once_all_the_same(published):
    model = opened(published, share=True)
    entered: list[str] = []
    model.through(lambda graphs: told(graphs, entered.append))
    first_logits(model)
    assert entered.count("vision") == 1


def test_a_long_prompt_is_read_in_one_call(published, monkeypatch):
    monkeypatch.setattr("edgeval.view.PIECE", 8)
    whole = first_logits(opened(published, share=True))
    monkeypatch.undo()
    assert whole == first_logits(opened(published, share=True))


def test_other_decoders_share_as_before(published):
    model = open_model(published, engine="cpu", precision="fp32", threads=1)
    assert model.reading.prefix
    assert "dynamic_activations" not in model.card()


def test_a_run_says_so_and_its_card_too(published, tmp_path):
    command = [sys.executable, "-m", "edgeval", "run", "videommmu", "--limit", "1"]
    command += ["--model", str(published), "--precision", "int8", "-o", "run"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "rounds activations by scales of the whole call" in done.stderr
    identity = json.loads((tmp_path / "run/run.json").read_text())["identity"]
    assert identity["share_prefix"] is False
    assert identity["model"]["dynamic_activations"] == ["DynamicQuantizeLinear", "MatMulInteger"]


def test_nothing_is_said_to_who_did_not_want_to_share(published, tmp_path):
    command = [sys.executable, "-m", "edgeval", "run", "videommmu", "--limit", "1", "--no-share"]
    command += ["--model", str(published), "--precision", "int8", "-o", "run"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "rounds activations" not in done.stderr
