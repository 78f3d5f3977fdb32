"""Memory on the device and the stream that all work goes through, by cuda-bindings."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

import numpy as np

from edgeval.engines import Array
from edgeval.errors import EngineError

if TYPE_CHECKING:
    from types import ModuleType

GET = "pip install cuda-bindings of your CUDA's major version"
NON_BLOCKING = 1  # cudaStreamNonBlocking


class Memory(Protocol):
    """What the decoder and the vision graph need of a device."""

    stream: int

    def allocate(self, n_bytes: int) -> int:
        """The address of new memory, aligned to 256 bytes or more."""

    def free(self, address: int) -> None:
        """Give it back; nothing for what ``close`` gave back already."""

    def upload(self, address: int, array: Array) -> None:
        """Host to device; the array may change as soon as this returns."""

    def download(self, address: int, array: Array) -> None:
        """Device to host, after all that was begun; the array is filled when this returns."""

    def copy(self, target: int, source: int, n_bytes: int) -> None:
        """Device to device."""

    def clear(self, address: int, n_bytes: int) -> None:
        """Make them zeros."""

    def recorded(self, work: Callable[[], None]) -> int:
        """What ``work`` would put on the stream, as a graph; nothing of it runs."""

    def replay(self, graph: int) -> None:
        """Put a graph on the stream."""

    def forget(self, graph: int) -> None:
        """Give a graph back."""

    def close(self) -> None:
        """Free all that is left."""


class CudaMemory:
    """See Memory. One stream on device 0."""

    def __init__(self) -> None:
        self._cuda = runtime()
        self._held: set[int] = set()
        self._call("cudaSetDevice", 0)
        self.stream = int(self._call("cudaStreamCreateWithFlags", NON_BLOCKING))

    def allocate(self, n_bytes: int) -> int:
        """See Memory. MemoryError when the device has no more."""
        address = int(self._call("cudaMalloc", max(256, n_bytes)))
        self._held.add(address)
        return address

    def free(self, address: int) -> None:
        """See Memory."""
        if address in self._held:
            self._held.remove(address)
            self._call("cudaStreamSynchronize", self.stream)
            self._call("cudaFree", address)

    def upload(self, address: int, array: Array) -> None:
        """See Memory. From pageable memory, CUDA copies or stages before it returns."""
        whole = np.ascontiguousarray(array)
        if whole.nbytes:
            self._copy(address, whole.ctypes.data, whole.nbytes, "cudaMemcpyHostToDevice")

    def download(self, address: int, array: Array) -> None:
        """See Memory."""
        self._copy(array.ctypes.data, address, array.nbytes, "cudaMemcpyDeviceToHost")
        self._call("cudaStreamSynchronize", self.stream)

    def copy(self, target: int, source: int, n_bytes: int) -> None:
        """See Memory."""
        self._copy(target, source, n_bytes, "cudaMemcpyDeviceToDevice")

    def clear(self, address: int, n_bytes: int) -> None:
        """See Memory."""
        self._call("cudaMemsetAsync", address, 0, n_bytes, self.stream)

    def recorded(self, work: Callable[[], None]) -> int:
        """See Memory. EngineError where it cannot be; the stream is as before then."""
        mode = self._cuda.cudaStreamCaptureMode.cudaStreamCaptureModeThreadLocal
        self._call("cudaStreamBeginCapture", self.stream, mode)
        try:
            work()
        except EngineError:
            # Whatever it says: the stream records no more.
            self._cuda.cudaStreamEndCapture(self.stream)
            raise
        graph = int(self._call("cudaStreamEndCapture", self.stream))
        try:
            return int(self._call("cudaGraphInstantiate", graph, 0))
        finally:
            self._call("cudaGraphDestroy", graph)

    def replay(self, graph: int) -> None:
        """See Memory."""
        self._call("cudaGraphLaunch", graph, self.stream)

    def forget(self, graph: int) -> None:
        """See Memory. After all that was begun."""
        self._call("cudaStreamSynchronize", self.stream)
        self._call("cudaGraphExecDestroy", graph)

    def close(self) -> None:
        """See Memory."""
        if not self.stream:
            return
        self._call("cudaStreamSynchronize", self.stream)
        for address in sorted(self._held):
            self._call("cudaFree", address)
        self._held.clear()
        self._call("cudaStreamDestroy", self.stream)
        self.stream = 0

    def _copy(self, target: int, source: int, n_bytes: int, kind: str) -> None:
        direction = getattr(self._cuda.cudaMemcpyKind, kind)
        self._call("cudaMemcpyAsync", target, source, n_bytes, direction, self.stream)

    def _call(self, name: str, *arguments: object) -> int:
        """What a function of CUDA's runtime gives besides its error."""
        error, *values = getattr(self._cuda, name)(*arguments)
        if int(error) == 0:
            return values[0] if values else 0
        if error == self._cuda.cudaError_t.cudaErrorMemoryAllocation:
            raise MemoryError(f"{name}{arguments[:1]}: the GPU has no memory left")
        raise EngineError(f"engine trt: {name} failed: {error.name}")


def runtime() -> ModuleType:
    """cuda-bindings' runtime, imported here alone. EngineError where it is not."""
    try:
        from cuda.bindings import runtime as found
    except ImportError as error:
        raise EngineError(
            f"engine trt: cuda-bindings cannot be imported ({error}); {GET}"
        ) from error
    module: ModuleType = found
    return module
