"""An NVIDIA card by NVML: its own joule counter, or its power where the card is older than Volta.

NVML comes with the driver, its Python door with the extra ``nvidia`` (nvidia-ml-py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import ModuleType
from typing import TypeVar

from edgeval.device.source import Facts, MeterCard, Rail, State, Values

T = TypeVar("T")

# Why the clock is below what was asked for. Source: nvml.h, nvmlClocksEventReasons.
REASONS = {
    0x04: "power cap",
    0x08: "hardware slowdown",
    0x20: "software thermal slowdown",
    0x40: "hardware thermal slowdown",
    0x80: "power brake",
}
CLOCKS = {0: "graphics", 1: "sm", 2: "memory"}
GPU_SENSOR = 0


class Nvidia:
    """See ``Source``; made by ``find``."""

    def __init__(self, nvml: ModuleType, handle: object, notes: tuple[str, ...]) -> None:
        self._nvml = nvml
        self._handle = handle
        limit = self._ask(lambda: nvml.nvmlDeviceGetEnforcedPowerLimit(handle))
        name = self._ask(lambda: nvml.nvmlDeviceGetName(handle)) or "NVIDIA GPU"
        driver = self._ask(nvml.nvmlSystemGetDriverVersion)
        self.facts = Facts(
            kind="nvidia",
            name=name,
            power_mode="" if limit is None else f"limit {limit / 1000:g} W",
            details={} if driver is None else {"driver": driver},
        )
        self._first_mj = self._ask(lambda: nvml.nvmlDeviceGetTotalEnergyConsumption(handle))
        counted = self._first_mj is not None
        self.meter: MeterCard | None = None
        self.notes = notes
        if counted or self._watts() is not None:
            self.meter = MeterCard(
                source=f"NVML {'energy counter' if counted else 'power'} of {name}",
                covers="the graphics card with its memory; not the processor or the board",
                total_kind="input",
                unit="joules" if counted else "watts",
                rails=(Rail(name="card", total=True),),
            )
        else:
            self.notes = (*notes, f"{name} tells NVML neither energy nor power")

    def read(self) -> Values:
        """Joules since opened, or watts now."""
        if self.meter is None:
            return ()
        if self._first_mj is None:
            return (self._watts(),)
        now = self._ask(lambda: self._nvml.nvmlDeviceGetTotalEnergyConsumption(self._handle))
        return (None if now is None else (now - self._first_mj) * 1e-3,)

    def memory(self) -> Mapping[str, int]:
        """Bytes in use on the card by everyone, the driver's own among them."""
        found = self._ask(lambda: self._nvml.nvmlDeviceGetMemoryInfo(self._handle))
        return {} if found is None else {"device": int(found.used)}

    def state(self) -> State:
        """Clocks, temperature, load and what holds the clock back."""
        nvml, handle = self._nvml, self._handle

        def clock(kind: int) -> int | None:
            return self._ask(lambda: int(nvml.nvmlDeviceGetClockInfo(handle, kind)))

        clocks = {name: clock(kind) for kind, name in CLOCKS.items()}
        heat = self._ask(lambda: nvml.nvmlDeviceGetTemperature(handle, GPU_SENSOR))
        use = self._ask(lambda: nvml.nvmlDeviceGetUtilizationRates(handle))
        why = self._ask(lambda: nvml.nvmlDeviceGetCurrentClocksThrottleReasons(handle)) or 0
        return State(
            clock_mhz={name: float(mhz) for name, mhz in clocks.items() if mhz is not None},
            temperature_c={} if heat is None else {"gpu": float(heat)},
            load={} if use is None else {"gpu": use.gpu / 100},
            throttled=tuple(name for bit, name in REASONS.items() if why & bit),
        )

    def close(self) -> None:
        """Let go of NVML."""
        self._ask(self._nvml.nvmlShutdown)

    def _watts(self) -> float | None:
        milliwatts = self._ask(lambda: self._nvml.nvmlDeviceGetPowerUsage(self._handle))
        return None if milliwatts is None else milliwatts * 1e-3

    def _ask(self, question: Callable[[], T]) -> T | None:
        """None where this card, driver or user may not know."""
        try:
            return question()
        except self._nvml.NVMLError:
            return None


def find(gpu: str = "", nvml: ModuleType | None = None) -> tuple[Nvidia | None, tuple[str, ...]]:
    """The card that CUDA would take first, or none and why.

    ``gpu``: what CUDA_VISIBLE_DEVICES says, a number or a UUID first.
    """
    if nvml is None:
        try:
            import pynvml
        except ImportError:
            return None, (
                "NVML is not read without its Python door: pip install 'edgeval[nvidia]'",
            )
        nvml = pynvml
    try:
        nvml.nvmlInit()
    except nvml.NVMLError as error:
        return None, (f"NVML does not answer ({error}); is the NVIDIA driver loaded?",)
    first = gpu.partition(",")[0].strip()
    notes: tuple[str, ...] = ()
    try:
        if first.startswith(("GPU-", "MIG-")):
            handle = nvml.nvmlDeviceGetHandleByUUID(first)
        else:
            handle = nvml.nvmlDeviceGetHandleByIndex(int(first) if first.isdigit() else 0)
            if nvml.nvmlDeviceGetCount() > 1:
                notes = (
                    f"several cards: NVML's number {first or 0} was measured; CUDA numbers cards "
                    "alike only with CUDA_DEVICE_ORDER=PCI_BUS_ID",
                )
    except nvml.NVMLError as error:
        nvml.nvmlShutdown()
        return None, (f"NVML knows no card {first or 0} ({error})",)
    return Nvidia(nvml, handle, notes), ()
