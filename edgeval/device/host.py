"""What every Linux tells: processor clocks, thermal zones, cooling, memory that is left."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from edgeval.device import kernel
from edgeval.device.gauge import Gauge
from edgeval.device.source import State

# Below it a zone is powered off (tegrastats shows -256) or its sensor is broken.
COLDEST_C = -55.0


class Host:
    """Gauges of one machine; missing files leave their names out."""

    def __init__(self, root: Path) -> None:
        self.zones = named(root, "sys/class/thermal/thermal_zone*", "temp")
        self.alerts = {
            name: gauge
            for name, gauge in named(root, "sys/class/thermal/cooling_device*", "cur_state").items()
            if "throttle" in name
        }
        self.clocks = {
            policy.name.replace("policy", "cpu"): Gauge(policy / "scaling_cur_freq")
            for policy in sorted(root.glob("sys/devices/system/cpu/cpufreq/policy*"))
        }
        self.governors = sorted(
            {
                found
                for path in root.glob("sys/devices/system/cpu/cpufreq/policy*/scaling_governor")
                if (found := kernel.text(path))
            }
        )

    def state(self) -> State:
        """Clocks in MHz, temperatures of the zones that answer, cooling that throttles."""
        return State(
            clock_mhz=_read(self.clocks, 1e-3),
            temperature_c={
                name: value for name, value in _read(self.zones, 1e-3).items() if value > COLDEST_C
            },
            throttled=tuple(name for name, gauge in self.alerts.items() if gauge.read()),
        )

    def gated(self) -> tuple[str, ...]:
        """Zones that are there and do not answer."""
        return tuple(name for name, gauge in self.zones.items() if gauge.read() is None)

    def close(self) -> None:
        """Let go of every file."""
        for gauge in (*self.zones.values(), *self.alerts.values(), *self.clocks.values()):
            gauge.close()


def named(root: Path, pattern: str, value: str) -> dict[str, Gauge]:
    """Folders under ``root`` by what their file ``type`` says; a name twice gets a number."""
    found: dict[str, Gauge] = {}
    for folder in sorted(root.glob(pattern)):
        name = kernel.text(folder / "type") or folder.name
        found[name if name not in found else f"{name} {folder.name}"] = Gauge(folder / value)
    return found


def _read(gauges: Mapping[str, Gauge], unit: float) -> dict[str, float]:
    return {
        name: value * unit for name, gauge in gauges.items() if (value := gauge.read()) is not None
    }
