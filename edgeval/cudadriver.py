"""Is there an NVIDIA driver and a device? Asked by ctypes, before any library of theirs is loaded.

On a machine without one, ``Runtime()`` of TensorRT 10.16 and 11.4 gives an object whose next touch
is a segmentation fault, and onnxruntime goes on without its CUDA provider; so no engine makes
anything of theirs before this has answered.
"""

from __future__ import annotations

import ctypes
from dataclasses import dataclass

from edgeval.errors import EngineError

# CUdevice_attribute of cuda.h.
INTEGRATED, MAJOR, MINOR = 18, 75, 76


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """One GPU. ``sm``: its compute capability as 87; ``integrated``: it shares the main memory."""

    name: str
    sm: int
    integrated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Driver:
    """The CUDA version (major, minor) that the driver knows, and the devices it shows."""

    cuda: tuple[int, int]
    devices: tuple[Device, ...]


def probe(engine: str) -> Driver:
    """The driver and its devices, at least one; EngineError with the reason where there is none.

    ``engine``: who asks, for the error.
    """
    try:
        cuda = ctypes.CDLL("libcuda.so.1")
    except OSError as error:
        raise _absent(engine, f"no NVIDIA driver on this machine ({error})") from error
    if code := cuda.cuInit(0):
        name = ctypes.c_char_p()
        cuda.cuGetErrorName(code, ctypes.byref(name))
        said = name.value.decode() if name.value else str(code)
        raise _absent(engine, f"the NVIDIA driver does not start (cuInit: {said})")
    n_devices, version = ctypes.c_int(), ctypes.c_int()
    cuda.cuDeviceGetCount(ctypes.byref(n_devices))
    cuda.cuDriverGetVersion(ctypes.byref(version))
    if n_devices.value == 0:
        raise _absent(engine, "the NVIDIA driver shows no device")
    devices = tuple(_device(cuda, index) for index in range(n_devices.value))
    return Driver(cuda=(version.value // 1000, version.value % 1000 // 10), devices=devices)


def _device(cuda: ctypes.CDLL, index: int) -> Device:
    handle = ctypes.c_int()
    cuda.cuDeviceGet(ctypes.byref(handle), index)
    name = ctypes.create_string_buffer(128)
    cuda.cuDeviceGetName(name, len(name), handle)

    def attribute(number: int) -> int:
        value = ctypes.c_int()
        cuda.cuDeviceGetAttribute(ctypes.byref(value), number, handle)
        return value.value

    return Device(
        name=name.value.decode(errors="replace"),
        sm=10 * attribute(MAJOR) + attribute(MINOR),
        integrated=bool(attribute(INTEGRATED)),
    )


def _absent(engine: str, reason: str) -> EngineError:
    return EngineError(f"engine {engine}: {reason}; use --engine cpu")
