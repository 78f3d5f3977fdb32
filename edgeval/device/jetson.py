"""Jetson boards by sysfs: rails, GPU clock, zones, throttling, power mode.

Written from the kernel's documentation and public logs and tried on made-up trees of an Orin Nano,
an AGX Orin and a Thor; not yet run on a board.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from edgeval.device import ina, kernel, memory
from edgeval.device.gauge import Gauge, scaled
from edgeval.device.host import Host
from edgeval.device.source import Facts, State, Values

GPUS = ("*.gpu", "*.ga10b", "*.gv11b", "*.gp10b", "gpu-gpc-0", "gpu*")
LOADS = ("device/load", "load")
OVER_CURRENT = {1: "under-voltage", 2: "mean over-current", 3: "peak over-current"}
NVPMODEL = "usr/sbin/nvpmodel"
UNREADABLE = (
    "no power rail can be read: the power monitors are in /sys/bus/i2c/drivers/ina3221 and "
    "/sys/class/hwmon; in a container, mount /sys read-only from the board"
)


class Jetson:
    """See ``Source``; made by ``find``."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._host = Host(root)
        self._channels = ina.channels(root)
        self._silent = False
        self.meter = ina.card(self._channels)
        self._gpu = _gpu(root)
        self._clock = Gauge(self._gpu / "cur_freq") if self._gpu else None
        self._load = _load(root, self._gpu)
        self._events = _event_gauges(root)
        self._total = memory.read(root).total
        self._left = memory.Left(root)
        mode = power_mode(root)
        self.facts = Facts(
            kind="jetson",
            name=kernel.text(root / "proc/device-tree/model") or "Jetson",
            power_mode=mode,
            details=self._details(),
        )
        self.notes = tuple(self._missing(mode))

    def read(self) -> Values:
        """Watts of each rail."""
        values = tuple(channel.watts() for channel in self._channels)
        self._silent = all(value is None for value in values)
        return values

    def memory(self) -> Mapping[str, int]:
        """Bytes that are not available: one memory for CPU and GPU, no other figure adds up."""
        left = self._left.read()
        return {} if left is None else {"unified": self._total - left}

    def state(self) -> State:
        """Clocks, temperatures, GPU load, over-current events and throttling alerts.

        Rails that have all gone silent are looked for again: a driver bound anew moves them.
        """
        if self._silent:
            self._find_again()
        host = self._host.state()
        clock = scaled(self._clock.read(), 1e-6) if self._clock else None
        load = scaled(self._load.read(), 1e-3) if self._load else None
        return replace(
            host,
            clock_mhz=host.clock_mhz if clock is None else {**host.clock_mhz, "gpu": clock},
            load={} if load is None else {"gpu": load},
            events={
                name: count
                for name, gauge in self._events.items()
                if (count := gauge.read()) is not None
            },
        )

    def close(self) -> None:
        """Let go of every file."""
        self._host.close()
        gauges = [gauge for channel in self._channels for gauge in channel.gauges]
        self._left.close()
        for gauge in (*gauges, *self._events.values(), self._clock, self._load):
            if gauge is not None:
                gauge.close()

    def _find_again(self) -> None:
        anew = ina.channels(self._root)
        if [c.name for c in anew] != [c.name for c in self._channels]:
            return
        for channel in self._channels:
            for gauge in channel.gauges:
                gauge.close()
        self._channels = anew

    def _details(self) -> dict[str, str]:
        release = kernel.text(self._root / "etc/nv_tegra_release") or ""
        governor = kernel.text(self._gpu / "governor") if self._gpu else None
        highest = kernel.whole(kernel.text(self._gpu / "max_freq")) if self._gpu else None
        told = {
            "l4t": _l4t(release),
            "gpu_governor": governor or "",
            "gpu_max_mhz": "" if highest is None else f"{highest / 1e6:g}",
            "cpu_governor": ", ".join(self._host.governors),
        }
        return {name: value for name, value in told.items() if value}

    def _missing(self, mode: str) -> list[str]:
        notes = []
        if self.meter is None:
            notes.append(UNREADABLE)
        if not mode:
            notes.append(
                "power mode unknown: nvpmodel does not answer here; say it beside the figures"
            )
        if gated := self._host.gated():
            notes.append(f"thermal zones that do not answer (powered off): {', '.join(gated)}")
        if not self._events:
            notes.append("no over-current counters (soctherm_oc) are shown")
        return notes


def find(root: Path) -> Jetson | None:
    """The board this is, None on any other machine."""
    model = kernel.text(root / "proc/device-tree/model") or ""
    if "Jetson" in model or (root / "etc/nv_tegra_release").exists():
        return Jetson(root)
    return None


def power_mode(root: Path) -> str:
    """The name nvpmodel gives the mode, as in "MAXN_SUPER"; "" where it does not answer."""
    command = root / NVPMODEL
    if not command.exists():
        return ""
    try:
        done = subprocess.run(
            [str(command), "-q"], capture_output=True, text=True, timeout=10, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    found = re.search(r"NV Power Mode:\s*(\S+)", done.stdout)
    return found.group(1) if found else ""


def _l4t(release: str) -> str:
    found = re.search(r"R(\d+).*?REVISION:\s*([\d.]+)", release)
    return f"{found.group(1)}.{found.group(2)}" if found else ""


def _gpu(root: Path) -> Path | None:
    """The devfreq folder of the GPU, whose name differs by board and release."""
    for name in GPUS:
        for folder in sorted(root.glob(f"sys/class/devfreq/{name}")):
            return folder
    return None


def _load(root: Path, gpu: Path | None) -> Gauge | None:
    """Load of the GPU, per mille."""
    if gpu is None:
        return None
    places = [gpu / name for name in LOADS] + [root / "sys/devices/platform" / gpu.name / "load"]
    return next((Gauge(path) for path in places if path.exists()), None)


def _event_gauges(root: Path) -> dict[str, Gauge]:
    """Counts of soctherm of over-current events, which only rise."""
    for folder in sorted(root.glob("sys/class/hwmon/hwmon*")):
        if kernel.text(folder / "name") == "soctherm_oc":
            return {
                name: Gauge(path)
                for number, name in OVER_CURRENT.items()
                if (path := folder / f"oc{number}_event_cnt").exists()
            }
    return {}
