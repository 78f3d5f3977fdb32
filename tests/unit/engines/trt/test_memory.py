"""Memory by cuda-bindings: its names are there, and a machine without a GPU gets one sentence."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

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
    owners = (runtime, runtime.cudaMemcpyKind, runtime.cudaError_t)
    wanted = {name for name in names() if " " not in name}
    assert {"cudaMalloc", "cudaMemcpyAsync", "cudaMemcpyHostToDevice"} <= wanted
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
            lambda: held._call("cudaStreamDestroy", held.stream),
        ):
            with pytest.raises(EngineError, match="cudaErrorInsufficientDriver"):
                call()
    else:
        pytest.skip("there is a GPU: tests/contract/test_engines.py uses its memory")
