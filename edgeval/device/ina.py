"""Power monitors INA3221 and INA238 as hwmon shows them: which rails, and which are the total.

Units: in*_input mV, curr*_input mA, INA238's power1_input µW; the INA3221 has no power file.
Channels named NC are not connected; a disabled channel has no label. The number N of hwmonN moves
between boots. Source: Linux Documentation/hwmon/ina3221.rst and ina238.rst.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from edgeval.device import kernel
from edgeval.device.gauge import Gauge, scaled
from edgeval.device.source import MeterCard, Rail

CHIPS = ("ina3221", "ina238")
PLACES = (
    "sys/class/hwmon/hwmon*",
    "sys/bus/i2c/drivers/ina*/*/hwmon/hwmon*",
    "sys/bus/i2c/devices/*/hwmon/hwmon*",
    "sys/devices/platform/bus@0/*/i2c-*/*/hwmon/hwmon*",
)
NOT_CONNECTED = re.compile(r"(?<![A-Za-z])NC\d*(?![A-Za-z])")

# What a rail that everything flows through is called, and what hangs on it.
INPUTS = {
    "VIN": "the input of the carrier board: module, carrier and what hangs on it",
    "VDD_IN": "the input of the module; not the carrier board",
    "POM_5V_IN": "the input of the module; not the carrier board",
}
# Without an input rail, these are disjoint; whatever else is measured hangs on one of them.
DISJOINT = ("VDD_GPU_SOC", "VDD_CPU_CV", "VIN_SYS_5V0")


@dataclass(slots=True)
class Channel:
    """One rail: gauges of its voltage and current, or of its power."""

    name: str
    volts: Gauge | None
    amperes: Gauge | None
    power: Gauge | None

    def watts(self) -> float | None:
        """Power now."""
        if self.power is not None:
            return scaled(self.power.read(), 1e-6)
        millivolts = self.volts.read() if self.volts is not None else None
        milliamperes = self.amperes.read() if self.amperes is not None else None
        if millivolts is None or milliamperes is None:
            return None
        return millivolts * milliamperes * 1e-6

    @property
    def gauges(self) -> tuple[Gauge, ...]:
        """Every file of it."""
        return tuple(g for g in (self.volts, self.amperes, self.power) if g is not None)


def channels(root: Path) -> list[Channel]:
    """Every connected channel of every monitor, wherever its hwmon number is today."""
    folders: dict[Path, Path] = {}
    for place in PLACES:
        for folder in sorted(root.glob(place)):
            if kernel.text(folder / "name") in CHIPS:
                folders.setdefault(folder.resolve(), folder)
    return [channel for folder in folders.values() for channel in _channels(folder)]


def _channels(folder: Path) -> list[Channel]:
    if (folder / "power1_input").exists():
        name = kernel.text(folder / "in1_label") or "VIN"
        return [Channel(name, None, None, Gauge(folder / "power1_input"))]
    found = []
    for number in (1, 2, 3):
        name = kernel.text(folder / f"in{number}_label") or ""
        off = kernel.text(folder / f"in{number}_enable") == "0"
        if not name or NOT_CONNECTED.search(name) or off:
            continue
        volts, amperes = Gauge(folder / f"in{number}_input"), Gauge(folder / f"curr{number}_input")
        found.append(Channel(name, volts, amperes, None))
    return found


def card(found: list[Channel]) -> MeterCard | None:
    """What these channels measure together; None without any."""
    names = [channel.name for channel in found]
    if not names:
        return None
    source = "INA238 by sysfs" if any(c.power is not None for c in found) else "INA3221 by sysfs"
    whole = next((name for name in INPUTS if name in names), None)
    if whole is not None:
        return MeterCard(
            source=source,
            covers=INPUTS[whole],
            total_kind="input",
            unit="watts",
            rails=tuple(Rail(name=name, total=name == whole) for name in names),
        )
    known = [name for name in DISJOINT if name in names]
    added = known or names
    doubt = "" if known else ", which of them lie inside another is not known for this board"
    return MeterCard(
        source=source,
        covers=f"the sum of {', '.join(added)}: no rail measures the input{doubt}",
        total_kind="sum_of_rails",
        unit="watts",
        rails=tuple(Rail(name=name, total=name in added) for name in names),
    )
