"""One graph on onnxruntime at a place; nothing else imports onnxruntime."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from edgeval.engines import Array
from edgeval.engines.ort.heap import given_back
from edgeval.engines.ort.pages import put_together
from edgeval.engines.ort.place import Place
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
# What may stay on the CPU beside a device: arithmetic on shapes, a few numbers each.
SHAPE_ARITHMETIC = frozenset(
    {"Add", "Cast", "Concat", "ConstantOfShape", "Div", "Equal", "Gather", "Mul", "Range"}
    | {"Reshape", "Shape", "Slice", "Squeeze", "Sub", "Unsqueeze", "Where"}
)
HOST = "CPUExecutionProvider"


class Session:
    """A graph: its ports by name with numpy types and shapes (a free axis is a text), its runs."""

    def __init__(self, path: Path, place: Place) -> None:
        # From 1.31 on it reports to its makers, and only this word before the import prevents it:
        # disable_telemetry_events() comes after a file and a thread were made.
        os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # noqa: TID251
        try:
            import onnxruntime as ort
            from onnxruntime.capi import onnxruntime_pybind11_state as state
        except ImportError as error:
            raise EngineError(
                f"engine {place.engine}: onnxruntime cannot be imported ({error}); run {place.get}"
            ) from error
        self.path, self.place = path, place
        self._ort = ort
        # onnxruntime's own exceptions have no base but Exception.
        own = [v for v in vars(state).values() if isinstance(v, type) and issubclass(v, Exception)]
        self._failures: tuple[type[Exception], ...] = (*own, RuntimeError, ValueError)
        options = ort.SessionOptions()
        options.intra_op_num_threads = place.threads or n_cores()
        options.inter_op_num_threads = 1
        options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
        options.log_severity_level = 4  # an error is raised, and told once
        options.use_deterministic_compute = True
        # Waiting threads would burn the core that the video decoder needs.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        if place.lean:
            options.add_session_config_entry("session.disable_prepacking", "1")
            options.enable_cpu_mem_arena = False
        if not place.is_host:
            self._has_provider(ort.get_available_providers())
            options.add_session_config_entry("session.record_ep_graph_assignment_info", "1")
            ort.preload_dlls()  # Of the wheels that onnxruntime-gpu's extras bring.
        try:
            with given_back(), put_together() if place.is_host else nullcontext():
                self.session = ort.InferenceSession(
                    str(path),
                    options,
                    providers=[(place.provider, dict(place.options))],
                    enable_fallback=0,
                    # It would widen float16 weights once for all.
                    disabled_optimizers=["ConstantFolding"] if place.lean else None,
                )
        except self._failures as error:
            raise EngineError(
                f"engine {place.engine}: {path.name} cannot be opened: {_line(error)}"
            ) from error
        self.placement = self._placed()
        self.inputs = {port.name: self._dtype(port) for port in self.session.get_inputs()}
        self.outputs = {port.name: self._dtype(port) for port in self.session.get_outputs()}
        ports = (*self.session.get_inputs(), *self.session.get_outputs())
        self.shapes = {port.name: tuple(port.shape) for port in ports}

    def run(self, feeds: Mapping[str, Array]) -> list[Array]:
        """All outputs; feeds are given the types that the graph wants."""
        if missing := [name for name in self.inputs if name not in feeds]:
            raise EngineError(
                f"engine {self.place.engine}: {self.path.name} also takes {missing[0]}, which "
                "nothing gives"
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
        """The array as a value in the memory of the place.

        On the host without a copy, so that the array must outlive it; elsewhere a copy.
        """
        return self._ort.OrtValue.ortvalue_from_numpy(array, self.place.memory, 0)

    def on_host(self, array: Array) -> onnxruntime.OrtValue:
        """The array as a value without a copy, wherever the graph runs."""
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

    def _has_provider(self, compiled_in: Sequence[str]) -> None:
        place = self.place
        if place.provider not in compiled_in:
            raise EngineError(
                f"engine {place.engine}: this onnxruntime has no {place.provider} (it has "
                f"{', '.join(compiled_in)}); the package for the CPU lies over it: uninstall both "
                f"onnxruntime and onnxruntime-gpu, then run {place.get}"
            )

    def _placed(self) -> str:
        """How many operators are where.

        EngineError when the provider did not start, or when more than shape arithmetic left it.
        """
        place = self.place
        who = f"engine {place.engine}: {self.path.name}"
        if place.is_host:
            return place.provider
        held = self.session.get_providers()
        if held[:1] != [place.provider]:
            raise EngineError(
                f"{who}: onnxruntime did not start {place.provider} (it has {', '.join(held)}): a "
                f"CUDA or cuDNN library is missing or of another version; run {place.get}"
            )
        if not hasattr(self.session, "get_provider_graph_assignment_info"):
            return f"{place.provider}; onnxruntime before 1.24 does not tell which operators"
        where: dict[str, list[str]] = {}
        for graph in self.session.get_provider_graph_assignment_info():
            where.setdefault(graph.ep_name, []).extend(node.op_type for node in graph.get_nodes())
        if strange := sorted(set(where.get(HOST, ())) - SHAPE_ARITHMETIC):
            raise EngineError(
                f"{who} has {', '.join(strange)}, which would run on the CPU; export with "
                "--precision fp16, or --flavour plain, or use --engine cpu"
            )
        return ", ".join(f"{len(nodes)} on {provider}" for provider, nodes in sorted(where.items()))

    def _failed(self, error: Exception) -> Exception:
        line = _line(error)
        if "bad_alloc" in line or "Failed to allocate memory" in line:
            return MemoryError(f"{self.path.name}: {line}")
        return EngineError(f"engine {self.place.engine}: {self.path.name} failed: {line}")

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
