"""Engines by name: the one that is here, those that are not; none falls back in silence."""

from __future__ import annotations

from importlib import metadata

import pytest

from edgeval.engines import GraphFiles, open_graphs
from edgeval.engines.ort import session
from edgeval.errors import EngineError, UnknownName


@pytest.fixture
def files(tiny) -> GraphFiles:
    onnx = tiny / "onnx"
    return GraphFiles(
        vision=onnx / "vision_encoder.onnx",
        embed=onnx / "embed_tokens.onnx",
        decoder=onnx / "decoder_model_merged.onnx",
        threads=1,
    )


def installed(*packages: str):
    def version(name: str) -> str:
        if name not in packages:
            raise metadata.PackageNotFoundError(name)
        return "1.31.1"

    return version


@pytest.mark.parametrize("name", ["cuda", "trt"])
def test_engines_to_come_say_what_to_use(files, name):
    with pytest.raises(EngineError, match="use --engine cpu"):
        open_graphs(name, files)


def test_an_unknown_engine_gets_a_suggestion(files):
    with pytest.raises(UnknownName, match="did you mean cuda"):
        open_graphs("cuda12", files)


def test_a_missing_onnxruntime_names_the_extra(files, monkeypatch):
    monkeypatch.setattr(session.metadata, "version", installed())
    with pytest.raises(EngineError, match=r"pip install 'edgeval\[cpu\]'"):
        open_graphs("cpu", files)


def test_two_onnxruntimes_are_refused(files, monkeypatch):
    monkeypatch.setattr(session.metadata, "version", installed("onnxruntime", "onnxruntime-gpu"))
    with pytest.raises(EngineError, match="overwrite each other"):
        open_graphs("cpu", files)


def test_a_broken_graph_is_one_sentence(files, tmp_path):
    broken = tmp_path / "vision_encoder.onnx"
    broken.write_bytes(files.vision.read_bytes()[:5000])
    bad = GraphFiles(vision=broken, embed=files.embed, decoder=files.decoder, threads=1)
    with pytest.raises(EngineError, match=r"^engine cpu: vision_encoder\.onnx [^\n]+$"):
        open_graphs("cpu", bad)


def test_a_graph_that_wants_more_than_it_gets_is_named(files):
    graphs = open_graphs("cpu", files)
    with pytest.raises(EngineError, match="pixel_values"):
        graphs.see({})
