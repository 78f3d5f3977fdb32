"""x86: joules of the processor packages by RAPL, as the kernel's powercap shows them.

Counters in µJ that wrap at ``max_energy_range_uj``; since 2020 only root may read them.
Source: Linux Documentation/power/powercap/powercap.rst.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from edgeval.device import cpu, kernel
from edgeval.device.gauge import Gauge
from edgeval.device.host import Host
from edgeval.device.source import Facts, MeterCard, Rail, State, Values

FOLDER = "sys/class/powercap"
DENIED = (
    "the processor's energy counters are root's: sudo chmod a+r "
    "/sys/class/powercap/intel-rapl:*/energy_uj (until the next start)"
)

HIDDEN = (
    "no energy counter (RAPL) is shown by this kernel, as in a virtual machine: run on the machine "
    "itself, or use a meter at the plug"
)


@dataclass(slots=True)
class _Counter:
    """One counter, its wrap in µJ, what it showed last and µJ since it was opened."""

    name: str
    gauge: Gauge
    wrap: int
    last: int | None
    since: int = 0

    def joules(self) -> float | None:
        now = self.gauge.read()
        if now is None:
            return None
        if self.last is not None:
            step = now - self.last
            self.since += step if step >= 0 else step + self.wrap
        self.last = now
        return self.since * 1e-6


class Rapl:
    """See ``Source``; made by ``find``."""

    def __init__(self, root: Path, counters: list[_Counter]) -> None:
        self._host = Host(root)
        self._counters = counters
        self.facts = Facts(
            kind="x86", name=cpu.read(root).model, power_mode=", ".join(self._host.governors)
        )
        rails = tuple(Rail(name=one.name, total=_in_total(one.name)) for one in counters)
        has_memory = any(rail.total and "dram" in rail.name for rail in rails)
        self.meter: MeterCard | None = MeterCard(
            source="RAPL by powercap",
            covers=f"processor packages{' and memory' if has_memory else ''}; "
            "not the board, disks, fans or any GPU",
            total_kind="sum_of_rails",
            unit="joules",
            rails=rails,
        )
        self.notes: tuple[str, ...] = ()

    def read(self) -> Values:
        """Joules of each counter since it was opened."""
        return tuple(one.joules() for one in self._counters)

    def memory(self) -> Mapping[str, int]:
        """No memory of its own."""
        return {}

    def state(self) -> State:
        """Of the processor."""
        return self._host.state()

    def close(self) -> None:
        """Let go of every file."""
        self._host.close()
        for one in self._counters:
            one.gauge.close()


def find(root: Path) -> tuple[Rapl | None, tuple[str, ...]]:
    """The counters that may be read, or none and why."""
    counters = []
    denied = False
    # intel-rapl-mmio shows the same packages a second time, so only intel-rapl: counts.
    for zone in sorted(root.glob(f"{FOLDER}/intel-rapl:*")):
        name = kernel.text(zone / "name") or zone.name
        gauge = Gauge(zone / "energy_uj")
        first = gauge.read()
        wrap = kernel.whole(kernel.text(zone / "max_energy_range_uj"))
        if first is None or wrap is None:
            denied = denied or gauge.denied
            gauge.close()
            continue
        parent = zone.name.split(":")[1]
        inner = name if zone.name.count(":") == 1 else f"package-{parent} {name}"
        counters.append(_Counter(name=inner, gauge=gauge, wrap=wrap, last=first))
    if not any(_in_total(one.name) for one in counters):
        for one in counters:
            one.gauge.close()
        return None, (DENIED,) if denied else (HIDDEN,)
    return Rapl(root, counters), (DENIED,) if denied else ()


def _in_total(name: str) -> bool:
    """Packages and their memory; cores lie inside a package, psys holds the packages."""
    return name.endswith("dram") or (name.startswith("package-") and " " not in name)
