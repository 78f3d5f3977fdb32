"""Memory: what there is, what this process may have, and whether it would be swapped."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from edgeval.device import kernel
from edgeval.device.symptom import Symptom

GIB = 1 << 30
# The embedded run peaks well below; a 500 M parameter model in fp32 needs about 3.
SMALL = GIB
# cgroup v1 says "no limit" with a number near 2**63.
NO_LIMIT = 1 << 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """Bytes; 0 where the kernel did not say. ``limit``: the tightest control group's, or None."""

    total: int
    available: int
    limit: int | None
    swap_used: int


def read(root: Path = Path("/")) -> Memory:
    """What /proc/meminfo and the control groups say."""
    info = kernel.fields(root / "proc/meminfo")

    def size(name: str) -> int:
        return (kernel.whole(info.get(name, "").partition(" ")[0]) or 0) * 1024

    limits = [
        value
        for folder in kernel.cgroup_folders(root, "memory")
        for name in ("memory.max", "memory.limit_in_bytes")
        if (value := kernel.whole(kernel.text(folder / name))) and value < NO_LIMIT
    ]
    return Memory(
        total=size("MemTotal"),
        available=size("MemAvailable"),
        limit=min(limits, default=None),
        swap_used=size("SwapTotal") - size("SwapFree"),
    )


def symptoms(memory: Memory) -> list[Symptom]:
    """What of it matters for an evaluation."""
    if not memory.total:
        return [
            Symptom(
                subject="memory",
                severity="note",
                found="/proc/meminfo says nothing",
                fix="make sure yourself that the model fits",
            )
        ]
    usable = min(memory.available, memory.limit or memory.available)
    limit = f", limited to {memory.limit / GIB:.1f}" if memory.limit is not None else ""
    found = [
        Symptom(
            subject="memory",
            severity="ok" if usable >= SMALL else "warning",
            found=f"{memory.available / GIB:.1f} of {memory.total / GIB:.1f} GiB available{limit}",
            fix="" if usable >= SMALL else "close other programs, or raise the container's limit",
        )
    ]
    if memory.swap_used > GIB // 4:
        found.append(
            Symptom(
                subject="swap",
                severity="warning",
                found=f"{memory.swap_used / GIB:.1f} GiB swapped out: timings cannot be trusted",
                fix="free memory, then sudo swapoff -a && sudo swapon -a",
            )
        )
    return found
