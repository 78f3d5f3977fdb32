"""Made-up machines: trees of /sys and /proc with the layout and units that the kernel documents.

Figures are made up too. Not from a board: nobody here has run on one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

Board = Callable[..., Path]
# (label, mV, mA); None: a channel that the device tree disables.
Rail = tuple[str, int, int] | None

ORIN_NANO: Sequence[Sequence[Rail]] = [
    [("VDD_IN", 4984, 1856), ("VDD_CPU_GPU_CV", 4976, 640), ("VDD_SOC", 4976, 320)]
]
AGX_ORIN: Sequence[Sequence[Rail]] = [
    [("VDD_GPU_SOC", 19872, 160), ("VDD_CPU_CV", 19872, 80), ("VIN_SYS_5V0", 4968, 953)],
    [("NC", 0, 0), ("VDDQ_VDD2_1V8AO", 4968, 80), None],
]
THOR: Sequence[Sequence[Rail]] = [
    [("VDD_GPU", 19000, 900), ("VDD_CPU_SOC_MSS", 19000, 700), ("VIN_SYS_5V0", 5000, 900)]
]
BOARDS: Mapping[str, tuple[str, Sequence[Sequence[Rail]], str, str]] = {
    "orin-nano": ("NVIDIA Jetson Orin Nano Developer Kit", ORIN_NANO, "17000000.gpu", "R36"),
    "agx-orin": ("NVIDIA Jetson AGX Orin Developer Kit", AGX_ORIN, "17000000.ga10b", "R35"),
    "thor": ("NVIDIA Jetson AGX Thor Developer Kit", THOR, "gpu-gpc-0", "R38"),
}
ZONES = {"cpu-thermal": 48250, "gpu-thermal": 46812, "cv0-thermal": None, "tj-thermal": 48250}


def put(root: Path, name: str, text: object) -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{text}\n")
    return path


def ina3221(root: Path, address: int, hwmon: int, rails: Sequence[Rail]) -> Path:
    """One monitor where its driver shows it, and linked from /sys/class/hwmon."""
    place = f"sys/bus/i2c/drivers/ina3221/1-00{address:02x}/hwmon/hwmon{hwmon}"
    put(root, f"{place}/name", "ina3221")
    for number, rail in enumerate(rails, 1):
        if rail is not None:
            label, millivolts, milliamperes = rail
            put(root, f"{place}/in{number}_label", label)
            put(root, f"{place}/in{number}_input", millivolts)
            put(root, f"{place}/curr{number}_input", milliamperes)
    put(root, f"{place}/in7_label", "sum of shunt voltages")
    put(root, f"{place}/in7_input", 123)
    link = root / f"sys/class/hwmon/hwmon{hwmon}"
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(root / place)
    return root / place


@pytest.fixture
def board(tmp_path: Path) -> Board:
    """``board(kind, hwmon=N, mode=...)``: root of a made-up board; N is its first hwmon number."""

    def make(kind: str, *, hwmon: int = 1, mode: str = "MAXN_SUPER") -> Path:
        root = tmp_path / f"{kind}-{hwmon}"
        model, monitors, gpu, release = BOARDS[kind]
        put(root, "proc/device-tree/model", f"{model}\0")
        put(root, "etc/nv_tegra_release", f"# {release} (release), REVISION: 4.7, GCID: 1")
        put(root, "proc/meminfo", "MemTotal: 8000000 kB\nMemFree: 1 kB\nMemAvailable: 6000000 kB")
        for at, rails in enumerate(monitors):
            ina3221(root, 0x40 + at, hwmon + at, rails)
        if kind == "thor":
            place = f"sys/class/hwmon/hwmon{hwmon + 5}"
            put(root, f"{place}/name", "ina238")
            put(root, f"{place}/in1_input", 19012)
            put(root, f"{place}/curr1_input", 2610)
            put(root, f"{place}/power1_input", 49_621_320)
        for number, (zone, temperature) in enumerate(ZONES.items()):
            place = f"sys/class/thermal/thermal_zone{number}"
            put(root, f"{place}/type", zone)
            if temperature is None:  # Reading it fails, as that of a gated zone does.
                (root / place / "temp").mkdir()
            else:
                put(root, f"{place}/temp", temperature)
        for number, alert in enumerate(("cpu-throttle-alert", "gpu-throttle-alert", "pwm-fan")):
            put(root, f"sys/class/thermal/cooling_device{number}/type", alert)
            put(root, f"sys/class/thermal/cooling_device{number}/cur_state", int(number == 2))
        put(root, f"sys/class/hwmon/hwmon{hwmon + 8}/name", "soctherm_oc")
        for number in (1, 2, 3):
            put(root, f"sys/class/hwmon/hwmon{hwmon + 8}/oc{number}_event_cnt", 10 * number)
        put(root, f"sys/class/devfreq/{gpu}/cur_freq", 918_000_000)
        put(root, f"sys/class/devfreq/{gpu}/max_freq", 1_020_000_000)
        put(root, f"sys/class/devfreq/{gpu}/governor", "nvhost_podgov")
        put(root, f"sys/class/devfreq/{gpu}/device/load", 372)
        if mode:
            script = put(
                root, "usr/sbin/nvpmodel", f"#!/bin/sh\necho 'NV Power Mode: {mode}'\necho 2"
            )
            script.chmod(0o755)
        return root

    return make


@pytest.fixture
def x86(tmp_path: Path) -> Path:
    """Two packages with cores inside, memory beside them, and the platform above them."""
    root = tmp_path / "x86"
    put(root, "proc/cpuinfo", "model name : Toy 9\nflags : avx2")
    zones = {
        "intel-rapl:0": ("package-0", 1_000_000),
        "intel-rapl:0:0": ("core", 500_000),
        "intel-rapl:0:1": ("dram", 200_000),
        "intel-rapl:1": ("package-1", 4_000_000),
        "intel-rapl:2": ("psys", 9_000_000),
        "intel-rapl-mmio:0": ("package-0", 77),
    }
    for zone, (name, microjoules) in zones.items():
        put(root, f"sys/class/powercap/{zone}/name", name)
        put(root, f"sys/class/powercap/{zone}/energy_uj", microjoules)
        put(root, f"sys/class/powercap/{zone}/max_energy_range_uj", 262_143_328_850)
    put(root, "sys/devices/system/cpu/cpufreq/policy0/scaling_cur_freq", 3_100_000)
    put(root, "sys/devices/system/cpu/cpufreq/policy0/scaling_governor", "powersave")
    return root
