"""The whole engine but for TensorRT: a model sees and answers on it as on the engine cpu."""

from __future__ import annotations

import numpy as np
import pytest

from edgeval.engines import GraphFiles, choose, open_graphs
from edgeval.engines.trt import library
from edgeval.footprint import rehearsal
from edgeval.footprint.rehearsal import Clip, rehearse
from edgeval.model import open_model
from edgeval.modelfolder import manifest
from edgeval.types import Ask, Decoding, Frames


@pytest.fixture(scope="module")
def clip(tiny) -> Frames:
    """Noise in five frames of the size that the carried model sees."""
    wanted = rehearse(manifest.load(tiny), Clip(width=64, height=64, n_frames=5))
    plan = rehearsal._plan(wanted.processor, Clip(width=64, height=64, n_frames=5))
    rng = np.random.default_rng(4)
    pixels = tuple(rng.integers(0, 256, image.shape, np.uint8) for image in wanted.images)
    return Frames(plan=plan, pixels=pixels, pts_s=plan.info.pts_s[list(plan.indices)])


def answers(tiny, engine: str, clip: Frames) -> list[tuple[int, ...]]:
    model = open_model(tiny, engine=engine, precision="fp32", threads=1)
    view = model.see(clip)
    said = []
    for text in ("Which sign stood first?", "What colour was the last one?"):
        prompt = model.prompt(view, Ask(text=text, max_new_tokens=12))
        said.append(model.answer(view, prompt, Decoding(), max_new_tokens=12).token_ids)
    model.close()
    return said


def test_a_clip_and_its_questions_get_the_same_tokens(tiny, clip, host_engine):
    assert answers(tiny, "trt", clip) == answers(tiny, "cpu", clip)


@pytest.mark.parametrize("door", [library.FULL, library.RTX])
def test_and_so_they_do_with_the_cache_in_place(
    tiny, clip, host_engine, tensor_scatter, monkeypatch, door
):
    """TensorRT's steps are replayed here; TensorRT-RTX does that by itself."""
    found = library.Library(name=door, version="11.0", trt=None)
    if door == library.RTX:
        found = library.load()
    monkeypatch.setattr(library, "load", lambda *_: found)
    assert answers(tiny, "trt-inplace", clip) == answers(tiny, "cpu", clip)
    assert [source.role for source, _ in host_engine] == ["vision", "decoder"]


def test_one_engine_a_graph_serves_all_questions(tiny, clip, host_engine):
    answers(tiny, "trt", clip)
    assert [source.role for source, _ in host_engine] == ["vision", "decoder"]


def test_the_engine_says_what_runs_where(tiny, host_engine):
    model = open_model(tiny, engine="trt", precision="fp32", threads=1)
    card = model.card()
    assert card["engine_version"] == "tensorrt_rtx 1.7.1 on no GPU (sm_86), CUDA 13.0"
    assert card["placement"]["embedding"] == "a table read on the host"
    assert card["placement"]["decoder"].endswith(", rows of the cache behind rows")
    model.close()
    model.close()


def test_pictures_beyond_the_engine_are_built_for(tiny, host_engine):
    onnx = tiny / "onnx"
    files = GraphFiles(
        vision=onnx / "vision_encoder.onnx",
        embed=onnx / "embed_tokens.onnx",
        decoder=onnx / "decoder_model_merged.onnx",
    )
    assert choose("trt", files).name == "trt"
    graphs = open_graphs("trt", files)
    for n in (3, 4, 2, 5):
        feeds = {
            "pixel_values": np.zeros((1, n, 3, 64, 64), np.float32),
            "pixel_attention_mask": np.ones((1, n, 64, 64), bool),
        }
        assert graphs.see(feeds)["image_features"].shape == (4 * n, 128)
    highs = [wanted[0].shapes["pixel_values"].high[1] for _, wanted in host_engine]
    assert highs == [4, 8]
    graphs.close()
