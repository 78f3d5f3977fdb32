"""The processor: what it is, how much of it is ours, and whether its clock stands still."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from edgeval.device import kernel
from edgeval.device.symptom import Symptom

# What the kernels dispatch on, and what makes int8 graphs fast; the rest of the list is long.
FEATURES = (
    *("sse4_1", "avx2", "fma", "f16c", "avx512f", "avx512bw", "avx512_vnni", "avx_vnni"),
    *("asimd", "asimdhp", "asimddp", "i8mm", "sve"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cpu:
    """What the kernel says of the processor.

    ``n_usable``: cores this process may run on; ``quota``: cores' worth of time, None = no limit.
    ``governors``: every frequency policy in force, empty where the kernel shows none.
    ``load``: the one-minute load average.
    """

    model: str
    n_usable: int
    quota: float | None
    features: tuple[str, ...]
    governors: tuple[str, ...]
    load: float | None


def read(root: Path = Path("/")) -> Cpu:
    """What /proc and /sys say of the processor."""
    info = kernel.fields(root / "proc/cpuinfo")
    allowed = kernel.fields(root / "proc/self/status").get("Cpus_allowed_list", "")
    flags = (info.get("flags") or info.get("Features") or "").split()
    policies = sorted(root.glob("sys/devices/system/cpu/cpu*/cpufreq/scaling_governor"))
    load = (kernel.text(root / "proc/loadavg") or "").partition(" ")[0]
    return Cpu(
        model=info.get("model name") or kernel.text(root / "proc/device-tree/model") or "unknown",
        n_usable=_count(allowed) or 1,
        quota=_quota(root),
        features=tuple(name for name in FEATURES if name in flags),
        governors=tuple(sorted({g for p in policies if (g := kernel.text(p))})),
        load=float(load) if load.replace(".", "", 1).isdigit() else None,
    )


def _count(ranges: str) -> int:
    """How many cores "0-3,8" names."""
    total = 0
    for part in ranges.split(","):
        first, dash, last = part.strip().partition("-")
        low, high = kernel.whole(first), kernel.whole(last if dash else first)
        if low is not None and high is not None:
            total += high - low + 1
    return total


def _quota(root: Path) -> float | None:
    """The tightest limit on processor time of this control group or any above, in cores."""
    found: list[float] = []
    for folder in kernel.cgroup_folders(root, "cpu"):
        pair = (kernel.text(folder / "cpu.max") or "").split()
        if not pair:
            pair = [kernel.text(folder / f"cpu.cfs_{n}_us") or "" for n in ("quota", "period")]
        numbers = [kernel.whole(value) for value in pair]
        if len(numbers) == 2 and (numbers[0] or 0) > 0 and (numbers[1] or 0) > 0:
            found.append((numbers[0] or 0) / (numbers[1] or 1))
    return min(found, default=None)


def symptoms(cpu: Cpu) -> list[Symptom]:
    """What of it matters for an evaluation."""
    cores = f"{cpu.n_usable} usable cores"
    found = [
        Symptom(
            subject="processor",
            severity="ok",
            found=f"{cpu.model}, {cores}; {' '.join(cpu.features) or 'no SIMD feature known'}",
        )
    ]
    if cpu.quota is not None and cpu.quota < cpu.n_usable:
        found.append(
            Symptom(
                subject="processor time",
                severity="warning",
                found=f"a control group grants {cpu.quota:g} cores of {cpu.n_usable}",
                fix=f"pass --threads {max(1, int(cpu.quota))}, or give the container more cores",
            )
        )
    if unsteady := [name for name in cpu.governors if name != "performance"]:
        found.append(
            Symptom(
                subject="clock",
                severity="note",
                found=f"frequency governor {', '.join(unsteady)}: timings follow the clock",
                fix="for timings: sudo cpupower frequency-set -g performance",
            )
        )
    if cpu.load is not None and cpu.load > cpu.n_usable:
        found.append(
            Symptom(
                subject="load",
                severity="note",
                found=f"load average {cpu.load:g} on {cores}: something else is at work",
                fix="for timings: wait until the machine is idle",
            )
        )
    return found
