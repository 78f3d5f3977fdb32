"""What is used of TensorRT's Python API, under TensorRT's own names.

The common part of `tensorrt` 10.3 to 11.x and of `tensorrt_rtx` 1.x: a test holds every name
against all of them, and mypy holds the code to these. Enum members are names only, since their
numbers moved between 10 and 11.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

Dims = Sequence[int]


class ILogger(Protocol):
    """Base of loggers; the members are severities."""

    ERROR: object
    INTERNAL_ERROR: object


class IHostMemory(Protocol):
    """Bytes that TensorRT owns; a buffer."""

    @property
    def nbytes(self) -> int: ...
    def __buffer__(self, flags: int, /) -> memoryview: ...


class ITensor(Protocol):
    """A tensor of a network."""

    @property
    def name(self) -> str: ...
    @property
    def is_shape_tensor(self) -> bool: ...


class INetworkDefinition(Protocol):
    """A network as parsed."""

    @property
    def num_inputs(self) -> int: ...
    def get_input(self, index: int, /) -> ITensor | None: ...


class ParserError(Protocol):
    """Why a graph was not taken."""

    def desc(self) -> str: ...
    def node_name(self) -> str: ...
    def node_operator(self) -> str: ...


class OnnxParser(Protocol):
    """ONNX to network."""

    @property
    def num_errors(self) -> int: ...
    def parse(self, model: bytes, path: str, /) -> bool: ...
    def get_error(self, index: int, /) -> ParserError: ...


class IOptimizationProfile(Protocol):
    """Ranges of shapes, and of the values of shape inputs."""

    def set_shape(self, name: str, low: Dims, best: Dims, high: Dims, /) -> None: ...
    def set_shape_input(self, name: str, low: Dims, best: Dims, high: Dims, /) -> None: ...


class ITimingCache(Protocol):
    """What was measured in earlier builds."""

    def serialize(self) -> IHostMemory | None: ...


class IBuilderConfig(Protocol):
    """How to build."""

    progress_monitor: object
    num_compute_capabilities: int  # tensorrt_rtx only, as is set_compute_capability

    def set_compute_capability(self, capability: object, index: int, /) -> bool: ...
    def add_optimization_profile(self, profile: IOptimizationProfile, /) -> int: ...
    def clear_flag(self, flag: object, /) -> None: ...
    def create_timing_cache(self, data: bytes, /) -> ITimingCache | None: ...
    def get_timing_cache(self) -> ITimingCache | None: ...
    def set_memory_pool_limit(self, pool: object, n_bytes: int, /) -> None: ...
    def set_timing_cache(self, cache: ITimingCache, ignore_mismatch: object, /) -> bool: ...


class Builder(Protocol):
    """Makes engines."""

    def create_network(self, flags: int, /) -> INetworkDefinition | None: ...
    def create_builder_config(self) -> IBuilderConfig | None: ...
    def create_optimization_profile(self) -> IOptimizationProfile: ...
    def build_serialized_network(
        self, network: INetworkDefinition, config: IBuilderConfig, /
    ) -> IHostMemory | None: ...


class IExecutionContext(Protocol):
    """An engine with the memory and the shapes of one run."""

    def execute_async_v3(self, stream: int, /) -> bool: ...
    def get_tensor_shape(self, name: str, /) -> Dims: ...
    def infer_shapes(self) -> list[str]: ...
    def set_device_memory(self, address: int, n_bytes: int, /) -> None: ...
    def set_input_shape(self, name: str, shape: Dims, /) -> bool: ...
    def set_optimization_profile_async(self, index: int, stream: int, /) -> bool: ...
    def set_tensor_address(self, name: str, address: int, /) -> bool: ...


class ICudaEngine(Protocol):
    """A graph compiled for a device."""

    @property
    def device_memory_size_v2(self) -> int: ...
    @property
    def num_io_tensors(self) -> int: ...
    @property
    def num_optimization_profiles(self) -> int: ...
    def create_execution_context(self, how: object, /) -> IExecutionContext | None: ...
    def create_runtime_config(self) -> IRuntimeConfig: ...  # used with tensorrt_rtx only
    def get_aliased_input_tensor(self, output: str, /) -> str | None: ...  # from 10.15 on
    def get_tensor_location(self, name: str, /) -> object: ...
    def get_tensor_mode(self, name: str, /) -> object: ...
    def get_tensor_name(self, index: int, /) -> str: ...


class IRuntimeConfig(Protocol):
    """How to run an engine. Used with tensorrt_rtx only."""

    cuda_graph_strategy: object

    def set_execution_context_allocation_strategy(self, strategy: object, /) -> None: ...


class CudaGraphStrategy(Protocol):
    """What is recorded. tensorrt_rtx only."""

    WHOLE_GRAPH_CAPTURE: object


class Runtime(Protocol):
    """Loads engines."""

    engine_host_code_allowed: bool

    def deserialize_cuda_engine(self, engine: bytes, /) -> ICudaEngine | None: ...


class NetworkDefinitionCreationFlag(Protocol):
    """Bits for ``create_network``."""

    STRONGLY_TYPED: int


class BuilderFlag(Protocol):
    """What may be switched off."""

    TF32: object


class MemoryPoolType(Protocol):
    """Memory that a build may use."""

    WORKSPACE: object


class ExecutionContextAllocationStrategy(Protocol):
    """Who gives the memory of a context."""

    USER_MANAGED: object


class TensorIOMode(Protocol):
    """Which way a tensor goes."""

    OUTPUT: object


class TensorLocation(Protocol):
    """Where a tensor's bytes are wanted."""

    HOST: object


class IProgressMonitor(Protocol):
    """Base of monitors: what a build calls."""

    def phase_start(self, name: str, parent: str | None, n_steps: int, /) -> None: ...
    def step_complete(self, name: str, step: int, /) -> bool: ...
    def phase_finish(self, name: str, /) -> None: ...
