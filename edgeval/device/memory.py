"""Memory: what there is, what this process may have, and whether it would be swapped."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from edgeval.device import kernel
from edgeval.device.gauge import Gauge
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
    swap_total: int = 0


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
        swap_total=size("SwapTotal"),
    )


class Left:
    """/proc/meminfo's MemAvailable, read again and again."""

    def __init__(self, root: Path) -> None:
        self._gauge = Gauge(root / "proc/meminfo")

    def read(self) -> int | None:
        """Bytes that may still be had; None where the kernel does not say."""
        _, name, rest = self._gauge.text(512).partition(b"MemAvailable:")
        words = rest.split(maxsplit=1) if name else []
        return int(words[0]) * 1024 if words and words[0].isdigit() else None

    def close(self) -> None:
        """Let go of the file."""
        self._gauge.close()


class Resident:
    """Bytes of RAM this process has now, and the most it ever had."""

    def __init__(self, root: Path) -> None:
        self._gauge = Gauge(root / "proc/self/statm")
        self._page = os.sysconf("SC_PAGE_SIZE")
        self._status = root / "proc/self/status"

    def read(self) -> int:
        """Now; 0 where the kernel does not say."""
        words = self._gauge.text(128).split()
        return int(words[1]) * self._page if len(words) > 1 else 0

    def most(self) -> int:
        """The high-water mark since the process began; 0 where the kernel does not say."""
        said = kernel.fields(self._status).get("VmHWM", "").partition(" ")[0]
        return (kernel.whole(said) or 0) * 1024

    def close(self) -> None:
        """Let go of the file."""
        self._gauge.close()


def in_large_pages(root: Path = Path("/")) -> int:
    """Bytes of this process that lie in large pages; 0 where the kernel does not say.

    Weights in small ones cost a step up to a quarter of its time (docs/BENCHMARKS.md).
    """
    said = kernel.fields(root / "proc/self/smaps_rollup").get("AnonHugePages", "")
    return (kernel.whole(said.partition(" ")[0]) or 0) * 1024


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
