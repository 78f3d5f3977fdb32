"""The two libraries behind the door: `tensorrt` (Jetson, servers) and `tensorrt_rtx` (any pip)."""

from __future__ import annotations

import ctypes
import importlib
import importlib.util
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

from edgeval.engines.trt import api
from edgeval.errors import EngineError

FULL, RTX = "tensorrt", "tensorrt_rtx"
# From the first version that is known to work to the first that is not.
VERSIONS = {FULL: ((10, 3), (12, 0)), RTX: ((1, 1), (2, 0))}
GET = {
    FULL: "on a Jetson: apt install python3-libnvinfer and a venv with --system-site-packages; "
    "on a server: pip install 'edgeval[trt]'",
    RTX: "pip install 'edgeval[trt-rtx]'",
}
# The wheel of onnxruntime's plug-in carries the libraries that the bindings' wheel wants.
RTX_BINDINGS, RTX_CARRIER = "tensorrt_rtx_bindings", "onnxruntime_ep_nv_tensorrt_rtx"
RTX_LIBRARIES = ("libtensorrt_rtx", "libtensorrt_onnxparser_rtx")


Born = TypeVar("Born")


class TensorRT(Protocol):
    """The module, under TensorRT's own names."""

    __version__: str
    BuilderFlag: api.BuilderFlag
    ComputeCapability: object
    CudaGraphStrategy: api.CudaGraphStrategy
    ExecutionContextAllocationStrategy: api.ExecutionContextAllocationStrategy
    ILogger: api.ILogger
    IProgressMonitor: type
    MemoryPoolType: api.MemoryPoolType
    NetworkDefinitionCreationFlag: api.NetworkDefinitionCreationFlag
    TensorIOMode: api.TensorIOMode
    TensorLocation: api.TensorLocation

    Builder: Callable[[object], api.Builder | None]
    OnnxParser: Callable[[api.INetworkDefinition, object], api.OnnxParser]
    Runtime: Callable[[object], api.Runtime | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Library:
    """One of the two, imported. ``version``: as it says itself."""

    name: str
    version: str
    trt: TensorRT

    def capabilities(self) -> tuple[int, ...]:
        """Compute capabilities that it builds for without such a device; none for `tensorrt`."""
        if self.name == FULL:
            return ()
        known = dir(self.trt.ComputeCapability)
        return tuple(sorted(int(n[2:]) for n in known if n.startswith("SM") and n[2:].isdigit()))

    @property
    def title(self) -> str:
        """Name and version for people."""
        return f"{self.name} {self.version}"

    def aim(self, config: api.IBuilderConfig, sm: int) -> None:
        """Build for a compute capability (`tensorrt_rtx` only), the present device's if unknown."""
        name = f"SM{sm}" if sm in self.capabilities() else "CURRENT"
        config.num_compute_capabilities = 1
        config.set_compute_capability(getattr(self.trt.ComputeCapability, name), 0)


def load(names: Sequence[str] = (FULL, RTX)) -> Library:
    """The first of the libraries that is here. EngineError with one reason for each that is not."""
    reasons = []
    for name in names:
        try:
            return _checked(name, _import(name))
        except ModuleNotFoundError as error:
            reasons.append(f"no {error.name} ({GET[name]})")
        except (ImportError, OSError) as error:
            reasons.append(f"{name} cannot be loaded ({_line(error)})")
    raise EngineError(f"engine trt: {'; '.join(reasons)}; use --engine cpu")


def _import(name: str) -> TensorRT:
    if name == RTX and importlib.util.find_spec(RTX) is None:
        carrier = importlib.util.find_spec(RTX_CARRIER)
        if carrier is not None and carrier.origin is not None:
            for library in RTX_LIBRARIES:
                # With the version in its name, and no plain one beside it.
                for path in sorted(Path(carrier.origin).parent.glob(f"{library}.so*"))[-1:]:
                    ctypes.CDLL(str(path), mode=ctypes.RTLD_GLOBAL)
        name = RTX_BINDINGS
    module: TensorRT = importlib.import_module(name)
    return module


def _checked(name: str, trt: TensorRT) -> Library:
    version = getattr(trt, "__version__", "")
    first, beyond = VERSIONS[name]
    if not first <= numbers(version) < beyond:
        raise ImportError(
            f"got {version or 'no version'}, wants {first[0]}.{first[1]} to < {beyond[0]}"
        )
    return Library(name=name, version=version, trt=trt)


def numbers(version: str) -> tuple[int, ...]:
    """10.3.0.post1 as (10, 3, 0)."""
    parts = []
    for part in version.split("."):
        if not part.isdigit():
            break
        parts.append(int(part))
    return tuple(parts)


@dataclass(frozen=True, slots=True)
class Listener:
    """A logger for TensorRT that keeps the errors; it must outlive what was made with it."""

    logger: object
    errors: list[str]

    def cause(self, otherwise: str) -> str:
        """The first error in a line, else the words given."""
        return _line(self.errors[0]) if self.errors else otherwise


def born(make: Callable[[object], Born | None], heard: Listener, otherwise: str) -> Born:
    """What TensorRT makes for a logger; it raises TypeError or gives nothing where it cannot."""
    try:
        made = make(heard.logger)
    except TypeError as error:
        raise EngineError(f"engine trt: {heard.cause(otherwise)}") from error
    if made is None:
        raise EngineError(f"engine trt: {heard.cause(otherwise)}")
    return made


def listener(trt: TensorRT) -> Listener:
    """A logger that says nothing and keeps the errors."""
    errors: list[str] = []
    severe = (trt.ILogger.INTERNAL_ERROR, trt.ILogger.ERROR)

    def log(_self: object, severity: object, message: str) -> None:
        if severity in severe:
            errors.append(message)

    return Listener(derived("Kept", trt.ILogger, log=log)(), errors)


def derived(name: str, base: object, **methods: Callable[..., object]) -> Callable[[], object]:
    """A subclass of a class of TensorRT's, which only exists where the library is."""
    assert isinstance(base, type)

    def start(self: object) -> None:
        base.__init__(self)  # type: ignore[misc]

    return type(name, (base,), {"__init__": start, **methods})


def _line(said: object) -> str:
    lines = str(said).strip().splitlines()
    return lines[0][:300] if lines else type(said).__name__
