"""One graph on onnxruntime's CPU provider; nothing else imports onnxruntime."""

from __future__ import annotations

import os
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from edgeval.engines import Array
from edgeval.errors import EngineError, ManifestError

if TYPE_CHECKING:
    import onnxruntime

DTYPES: Mapping[str, type[np.generic]] = {
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
    "tensor(double)": np.float64,
    "tensor(int64)": np.int64,
    "tensor(int32)": np.int32,
    "tensor(bool)": np.bool_,
}
PIP = "pip install 'edgeval[cpu]'"


def version() -> str:
    """Package and version; EngineError when onnxruntime is missing or installed twice."""
    found = []
    for package in ("onnxruntime", "onnxruntime-gpu"):
        try:
            found.append(f"{package} {metadata.version(package)}")
        except metadata.PackageNotFoundError:
            continue
    if not found:
        raise EngineError(f"engine cpu: onnxruntime is not installed; run {PIP}")
    if len(found) > 1:
        raise EngineError(
            f"engine cpu: got both {' and '.join(found)}, which overwrite each other; uninstall "
            "both, then install the one you want"
        )
    return found[0]


class Session:
    """A graph: its ports by name with numpy types and shapes (a free axis is a text), its runs."""

    def __init__(self, path: Path, threads: int | None) -> None:
        try:
            import onnxruntime as ort
            from onnxruntime.capi import onnxruntime_pybind11_state as state
        except ImportError as error:
            raise EngineError(
                f"engine cpu: onnxruntime cannot be imported ({error}); run {PIP}"
            ) from error
        self.path = path
        self._ort = ort
        # onnxruntime's own exceptions have no base but Exception.
        own = [v for v in vars(state).values() if isinstance(v, type) and issubclass(v, Exception)]
        self._failures: tuple[type[Exception], ...] = (*own, RuntimeError, ValueError)
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads or n_cores()
        options.inter_op_num_threads = 1
        options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
        options.log_severity_level = 4  # an error is raised, and told once
        options.use_deterministic_compute = True
        # Waiting threads would burn the core that the video decoder needs.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            self.session = ort.InferenceSession(
                str(path), options, providers=["CPUExecutionProvider"]
            )
        except self._failures as error:
            raise EngineError(
                f"engine cpu: {path.name} cannot be opened: {_line(error)}"
            ) from error
        self.inputs = {port.name: self._dtype(port) for port in self.session.get_inputs()}
        self.outputs = {port.name: self._dtype(port) for port in self.session.get_outputs()}
        ports = (*self.session.get_inputs(), *self.session.get_outputs())
        self.shapes = {port.name: tuple(port.shape) for port in ports}

    def run(self, feeds: Mapping[str, Array]) -> list[Array]:
        """All outputs; feeds are given the types that the graph wants."""
        if missing := [name for name in self.inputs if name not in feeds]:
            raise EngineError(
                f"engine cpu: {self.path.name} also takes {missing[0]}, which nothing gives"
            )
        ready = {
            name: np.ascontiguousarray(feeds[name], kind) for name, kind in self.inputs.items()
        }
        try:
            outputs: list[Array] = self.session.run(None, ready)
        except self._failures as error:
            raise self._failed(error) from error
        return outputs

    def bind(self) -> onnxruntime.IOBinding:
        """Inputs and outputs to be bound one by one, for ``run_bound``."""
        return self.session.io_binding()

    def value(self, array: Array) -> onnxruntime.OrtValue:
        """The array as onnxruntime's value, without a copy: the array must outlive it."""
        return self._ort.OrtValue.ortvalue_from_numpy(array)

    def run_bound(self, binding: onnxruntime.IOBinding) -> None:
        """Run with what is bound."""
        try:
            self.session.run_with_iobinding(binding)
        except self._failures as error:
            raise self._failed(error) from error

    def fixed(self, name: str, axis: int) -> int:
        """Size of an axis; ManifestError when the graph leaves it open."""
        size = self.shapes[name][axis]
        if not isinstance(size, int):
            raise ManifestError(
                f"graph {self.path}: axis {axis} of {name} has no fixed size; export it again"
            )
        return size

    def _failed(self, error: Exception) -> Exception:
        line = _line(error)
        if "bad_alloc" in line or "Failed to allocate memory" in line:
            return MemoryError(f"{self.path.name}: {line}")
        return EngineError(f"engine cpu: {self.path.name} failed: {line}")

    def _dtype(self, port: onnxruntime.NodeArg) -> type[np.generic]:
        if port.type not in DTYPES:
            raise ManifestError(
                f"graph {self.path}: {port.name} is {port.type}; wants {', '.join(DTYPES)}"
            )
        return DTYPES[port.type]


def n_cores() -> int:
    """Cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:300] if lines else type(error).__name__
