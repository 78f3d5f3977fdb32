"""Memory by cuda-bindings: its names are there, and a machine without a GPU gets one sentence."""

from __future__ import annotations

import ast
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from edgeval import cudadriver
from edgeval.engines.trt import memory
from edgeval.errors import EngineError


def names() -> set[str]:
    """Every cuda... name in the module, as text and as attribute."""
    tree = ast.parse(Path(memory.__file__).read_text("utf-8"))
    found = {n.value for n in ast.walk(tree) if isinstance(n, ast.Constant)}
    found |= {n.attr for n in ast.walk(tree) if isinstance(n, ast.Attribute)}
    return {name for name in found if isinstance(name, str) and name.startswith("cuda")} - {
        "cuda-bindings"
    }


def test_every_name_is_in_cuda_bindings():
    runtime = pytest.importorskip("cuda.bindings.runtime")
    owners = (runtime, runtime.cudaMemcpyKind, runtime.cudaError_t, runtime.cudaStreamCaptureMode)
    wanted = {name for name in names() if " " not in name}
    assert {"cudaMalloc", "cudaGraphLaunch", "cudaMemcpyHostToDevice"} <= wanted
    assert [n for n in sorted(wanted) if not any(hasattr(owner, n) for owner in owners)] == []


def test_cuda_bindings_that_are_not_here_are_named(monkeypatch):
    for name in ("cuda", "cuda.bindings", "cuda.bindings.runtime"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(EngineError, match="pip install cuda-bindings"):
        memory.CudaMemory()


def test_without_a_gpu_the_first_call_says_why():
    pytest.importorskip("cuda.bindings.runtime")
    try:
        cudadriver.probe("trt")
    except EngineError:
        with pytest.raises(EngineError, match=r"^engine trt: cudaSetDevice failed: cudaError"):
            memory.CudaMemory()
    else:
        pytest.skip("there is a GPU: tests/contract/test_engines.py uses its memory")


def test_every_call_takes_the_numbers_it_is_given():
    """Without a driver each answers with an error of CUDA's, where a wrong type would raise."""
    runtime = pytest.importorskip("cuda.bindings.runtime")
    try:
        cudadriver.probe("trt")
    except EngineError:
        held = object.__new__(memory.CudaMemory)
        held._cuda, held._held, held.stream = runtime, {4096}, int(runtime.cudaStream_t(77))
        array = np.zeros(4, np.float32)
        for call in (
            lambda: held.allocate(100),
            lambda: held.upload(4096, array),
            lambda: held.download(4096, array),
            lambda: held.copy(4096, 8192, 16),
            lambda: held.free(4096),
            lambda: held.clear(4096, 16),
            lambda: held.recorded(lambda: None),
            lambda: held._call("cudaStreamEndCapture", held.stream),
            lambda: held._call("cudaGraphInstantiate", 4096, 0),
            lambda: held._call("cudaGraphDestroy", 4096),
            lambda: held._call("cudaGraphExecDestroy", 4096),
            lambda: held.replay(4096),
            lambda: held._call("cudaStreamDestroy", held.stream),
        ):
            with pytest.raises(EngineError, match="cudaErrorInsufficientDriver"):
                call()
    else:
        pytest.skip("there is a GPU: tests/contract/test_engines.py uses its memory")


class Recording:
    """cuda-bindings' runtime as a list of calls; every call gives no error and a number."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.cudaStreamCaptureMode = SimpleNamespace(cudaStreamCaptureModeThreadLocal=1)

    def __getattr__(self, name: str):
        def call(*_arguments: object) -> tuple[int, int]:
            self.calls.append(name.removeprefix("cuda"))
            return 0, len(self.calls)

        return call


@pytest.fixture
def recording() -> memory.CudaMemory:
    held = object.__new__(memory.CudaMemory)
    held._cuda, held._held, held.stream = Recording(), set(), 77
    return held


def test_work_is_recorded_between_begin_and_end(recording):
    cuda = recording._cuda
    graph = recording.recorded(lambda: cuda.calls.append("work"))
    assert cuda.calls == [
        "StreamBeginCapture", "work", "StreamEndCapture", "GraphInstantiate", "GraphDestroy",
    ]  # fmt: skip
    assert graph == cuda.calls.index("GraphInstantiate") + 1


def test_work_that_cannot_be_recorded_leaves_the_stream_as_it_was(recording):
    def refused() -> None:
        raise EngineError("the run failed")

    with pytest.raises(EngineError, match="the run failed"):
        recording.recorded(refused)
    assert recording._cuda.calls == ["StreamBeginCapture", "StreamEndCapture"]
