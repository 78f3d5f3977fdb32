"""Engines by name: the one that is here, those that are not; none falls back in silence."""

from __future__ import annotations

from importlib import metadata

import pytest

from edgeval import cudadriver
from edgeval.engines import AUTO, GraphFiles, choose, open_graphs
from edgeval.engines.ort import place
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


@pytest.fixture
def no_driver(monkeypatch):
    """A machine without an NVIDIA driver, wherever the test runs."""

    def cdll(name: str):
        raise OSError(f"{name}: cannot open shared object file")

    monkeypatch.setattr(cudadriver.ctypes, "CDLL", cdll)


@pytest.mark.parametrize("name", ["cuda", "trt"])
@pytest.mark.usefixtures("no_driver")
def test_engines_of_a_gpu_that_is_not_there_say_what_to_use(files, name):
    with pytest.raises(EngineError, match="use --engine cpu"):
        open_graphs(name, files)


@pytest.mark.usefixtures("no_driver")
def test_auto_takes_what_is_there_and_says_why_not_the_others(files):
    choice = choose(AUTO, files)
    assert choice.name == "cpu"
    assert choice.why[0].startswith("onnxruntime")
    assert "engine cuda: no NVIDIA driver on this machine" in choice.why[-1]


@pytest.mark.usefixtures("no_driver")
def test_auto_with_nothing_installed_names_every_reason(files, monkeypatch):
    monkeypatch.setattr(place.metadata, "version", installed())
    with pytest.raises(EngineError, match=r"engine auto: none can run here: .*cuda.*engine cpu"):
        choose(AUTO, files)


def test_cuda_wants_the_package_that_has_it(files, monkeypatch):
    found = cudadriver.Driver(
        cuda=(13, 0), devices=(cudadriver.Device(name="a GPU", sm=90, integrated=False),)
    )
    monkeypatch.setattr(cudadriver, "probe", lambda _: found)
    monkeypatch.setattr(place.metadata, "version", installed("onnxruntime"))
    with pytest.raises(
        EngineError, match=r"got onnxruntime 1\.31\.1; run pip install 'edgeval\[cuda"
    ):
        choose("cuda", files)
    monkeypatch.setattr(place.metadata, "version", installed("onnxruntime-gpu"))
    assert choose("cuda", files).why == ("onnxruntime-gpu 1.31.1 on a GPU (sm_90)",)


def test_a_provider_that_does_not_start_is_never_replaced_by_the_cpu(files, monkeypatch):
    """The CPU package, asked for CUDA behind a driver's back: what it opens must not be used."""
    found = cudadriver.Driver(
        cuda=(13, 0), devices=(cudadriver.Device(name="a GPU", sm=90, integrated=False),)
    )
    monkeypatch.setattr(cudadriver, "probe", lambda _: found)
    monkeypatch.setattr(place.metadata, "version", installed("onnxruntime-gpu"))
    with pytest.raises(
        EngineError, match=r"^engine cuda: this onnxruntime has no CUDAExecutionProvider"
    ):
        open_graphs("cuda", files)


def test_the_card_tells_where_each_graph_runs(files):
    graphs = open_graphs("cpu", files)
    assert set(graphs.placement) == {"vision", "embedding", "decoder"}
    assert graphs.placement["decoder"] == "CPUExecutionProvider"
    graphs.close()


def test_an_unknown_engine_gets_a_suggestion(files):
    with pytest.raises(UnknownName, match="did you mean cuda"):
        open_graphs("cuda12", files)


def test_a_missing_onnxruntime_names_the_extra(files, monkeypatch):
    monkeypatch.setattr(place.metadata, "version", installed())
    with pytest.raises(EngineError, match=r"pip install 'edgeval\[cpu\]'"):
        open_graphs("cpu", files)


def test_two_onnxruntimes_are_refused(files, monkeypatch):
    monkeypatch.setattr(place.metadata, "version", installed("onnxruntime", "onnxruntime-gpu"))
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
