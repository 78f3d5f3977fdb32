"""A loaded engine and its runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np

from edgeval.engines import Array
from edgeval.engines.trt import api
from edgeval.engines.trt.library import Library, born, listener
from edgeval.engines.trt.memory import Memory
from edgeval.engines.trt.profiles import Sizes
from edgeval.errors import EngineError


class Runner(Protocol):
    """One graph, ready to run under each of its profiles."""

    def hosted(self, name: str) -> bool:
        """Whether an input is read from the host's memory: its values are shapes."""

    def shape(
        self, profile: int, shapes: Mapping[str, Sizes], hosted: Mapping[str, Array]
    ) -> Mapping[str, Sizes]:
        """Set the shapes of all inputs and the values of the hosted ones; those of the outputs."""

    def run(self, profile: int, addresses: Mapping[str, int]) -> None:
        """Start a run with what ``shape`` set; every other input and every output by address."""

    def close(self) -> None:
        """Free everything."""


class EngineRunner:
    """See Runner. An engine of TensorRT's, one context a profile, all in one piece of memory.

    ``graphed``: the profile whose runs TensorRT-RTX itself is to record as CUDA graphs.
    """

    def __init__(
        self,
        library: Library,
        content: bytes,
        name: str,
        memory: Memory,
        *,
        graphed: int | None = None,
    ) -> None:
        self._heard = listener(library.trt)
        self._name = name
        self._memory = memory
        self._runtime = born(library.trt.Runtime, self._heard, "it does not start")
        # Only kernels: host code in an engine would run as this user.
        self._runtime.engine_host_code_allowed = False
        engine = self._runtime.deserialize_cuda_engine(content)
        if engine is None:
            raise self._failed("the engine cannot be loaded")
        self._engine = engine
        names = [engine.get_tensor_name(index) for index in range(engine.num_io_tensors)]
        host = library.trt.TensorLocation.HOST
        self._names = frozenset(names)
        self._hosted = {name for name in names if engine.get_tensor_location(name) == host}
        self._outputs = [
            name
            for name in names
            if engine.get_tensor_mode(name) == library.trt.TensorIOMode.OUTPUT
        ]
        n_bytes = engine.device_memory_size_v2
        self._scratch = memory.allocate(n_bytes)
        self._contexts = []
        for profile in range(engine.num_optimization_profiles):
            context = engine.create_execution_context(
                _graphing(library, engine)
                if profile == graphed
                else library.trt.ExecutionContextAllocationStrategy.USER_MANAGED
            )
            if context is None:
                raise self._failed("no execution context")
            context.set_device_memory(self._scratch, n_bytes)
            if not context.set_optimization_profile_async(profile, memory.stream):
                raise self._failed(f"profile {profile} cannot be used")
            self._contexts.append(context)
        # Values that a context reads in every run until it is told others.
        self._values: dict[tuple[int, str], Array] = {}

    def hosted(self, name: str) -> bool:
        """See Runner."""
        return name in self._hosted

    def shape(
        self, profile: int, shapes: Mapping[str, Sizes], hosted: Mapping[str, Array]
    ) -> Mapping[str, Sizes]:
        """See Runner. EngineError for a shape outside the profile."""
        context = self._contexts[profile]
        for name, sizes in shapes.items():
            if name in self._names and not context.set_input_shape(name, sizes):
                raise self._failed(f"{name} of {sizes} is outside what the engine was built for")
        for name, values in hosted.items():
            kept = self._values[profile, name] = np.ascontiguousarray(values)
            self._set(profile, name, kept.ctypes.data)
        if missing := context.infer_shapes():
            raise self._failed(f"{missing[0]} is not given")
        return {name: tuple(context.get_tensor_shape(name)) for name in self._outputs}

    def run(self, profile: int, addresses: Mapping[str, int]) -> None:
        """See Runner."""
        for name, address in addresses.items():
            self._set(profile, name, address)
        if not self._contexts[profile].execute_async_v3(self._memory.stream):
            raise self._failed("the run failed")

    def shared(self, output: str) -> str:
        """The input whose memory an output is in, "" for none."""
        return self._engine.get_aliased_input_tensor(output) or ""

    def close(self) -> None:
        """See Runner. Contexts go before their engine, the engine before its runtime."""
        if self._contexts:
            self._contexts.clear()
            del self._engine, self._runtime
            self._memory.free(self._scratch)

    def _set(self, profile: int, name: str, address: int) -> None:
        # An input that the builder found no use for is none of the engine's.
        if name in self._names and not self._contexts[profile].set_tensor_address(name, address):
            raise self._failed(f"the address of {name} is not taken")

    def _failed(self, otherwise: str) -> EngineError:
        return EngineError(f"engine trt: {self._name}: {self._heard.cause(otherwise)}")


def _graphing(library: Library, engine: api.ICudaEngine) -> api.IRuntimeConfig:
    """For a context that records its runs; it knows best when its kernels are the last ones."""
    config = engine.create_runtime_config()
    config.set_execution_context_allocation_strategy(
        library.trt.ExecutionContextAllocationStrategy.USER_MANAGED
    )
    config.cuda_graph_strategy = library.trt.CudaGraphStrategy.WHOLE_GRAPH_CAPTURE
    return config
