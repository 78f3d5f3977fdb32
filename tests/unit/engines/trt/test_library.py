"""The door: driver first, then a library of a version that is known, each with its reason."""

from __future__ import annotations

import subprocess
import sys
import types

import pytest

from edgeval import cudadriver
from edgeval.engines import GraphFiles, choose
from edgeval.engines.trt import library
from edgeval.errors import EngineError


@pytest.fixture
def modules(monkeypatch):
    """Put modules of given versions in the place of the libraries; None is not installed."""

    def put(**versions: str | None) -> None:
        for name in (library.FULL, library.RTX, library.RTX_BINDINGS):
            version = versions.get(name)
            module = None
            if version is not None:
                module = types.ModuleType(name)
                module.__version__ = version
            monkeypatch.setitem(sys.modules, name, module)

    monkeypatch.setattr(library.importlib.util, "find_spec", lambda _name: None)
    return put


@pytest.mark.parametrize("version", ["10.3.0", "10.16.1", "10.3.0.post1", "11.4.0.106"])
def test_tensorrt_from_10_3_to_below_12_is_taken(modules, version):
    modules(tensorrt=version)
    assert library.load().version == version


@pytest.mark.parametrize("version", ["8.6.1", "10.0.1", "10.2.0", "12.0.0", "nightly"])
def test_other_versions_are_refused_with_the_range(modules, version):
    modules(tensorrt=version)
    with pytest.raises(EngineError, match=rf"{version}, wants 10\.3 to < 12"):
        library.load((library.FULL,))


def test_the_other_library_is_tried_when_the_first_is_too_old(modules):
    modules(tensorrt="8.6.1", tensorrt_rtx_bindings="1.7.1.116")
    assert library.load().name == library.RTX


def test_with_neither_both_reasons_are_given_in_one_sentence(modules):
    modules()
    with pytest.raises(EngineError) as caught:
        library.load()
    said = str(caught.value)
    assert "apt install python3-libnvinfer" in said
    assert "pip install 'edgeval[trt-rtx]'" in said
    assert said.endswith("use --engine cpu")
    assert "\n" not in said


def refuses(_logger: object) -> None:
    raise TypeError("factory function returned nullptr")


@pytest.mark.parametrize("make", [refuses, lambda _logger: None])
def test_what_tensorrt_does_not_make_is_said_with_its_own_first_error(make):
    heard = library.Listener(object(), ["CUDA initialization failure\nwith error 35"])
    with pytest.raises(EngineError, match=r"^engine trt: CUDA initialization failure$"):
        library.born(make, heard, "it does not start")


def test_the_driver_is_asked_before_a_library(tiny, monkeypatch):
    def cdll(name: str):
        raise OSError(f"{name}: cannot open shared object file")

    monkeypatch.setattr(cudadriver.ctypes, "CDLL", cdll)
    monkeypatch.setattr(library, "load", lambda: pytest.fail("a library was loaded"))
    onnx = tiny / "onnx"
    files = GraphFiles(
        vision=onnx / "vision_encoder.onnx",
        embed=onnx / "embed_tokens.onnx",
        decoder=onnx / "decoder_model_merged.onnx",
    )
    with pytest.raises(EngineError, match=r"^engine trt: no NVIDIA driver on this machine"):
        choose("trt", files)


def test_importing_the_room_loads_no_library():
    script = (
        "import sys, edgeval.engines.trt, edgeval.engines.trt.child\n"
        "print([n for n in sys.modules if n.split('.')[0] in ('cuda', 'tensorrt', 'onnx')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd="/"
    )
    assert done.stdout.strip() == "[]"
