"""How much memory this process may still take, and who says so; never fails."""

from __future__ import annotations

import resource
from dataclasses import dataclass
from pathlib import Path

from edgeval.device import kernel, memory

# What is kept free for everyone else: the page cache of files that are mapped, other threads.
SPARE = 64 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Headroom:
    """``nbytes`` that may still be had; ``said_by``: the limit that is reached first."""

    nbytes: int
    said_by: str


def read(root: Path = Path("/")) -> Headroom | None:
    """The tightest of the machine's free memory, the control groups and the process's limits.

    None where the kernel says nothing at all.
    """
    found = [
        Headroom(nbytes=max(0, nbytes - SPARE), said_by=said_by)
        for said_by, nbytes in (
            ("the machine's available memory", memory.read(root).available or None),
            ("the control group's limit", _group(root)),
            ("the limit on address space (ulimit -v)", _address_space(root)),
        )
        if nbytes is not None
    ]
    return min(found, key=lambda one: one.nbytes, default=None)


def _group(root: Path) -> int | None:
    """What the tightest control group leaves; pages of files can be given back, and count so."""
    left = []
    for folder in kernel.cgroup_folders(root, "memory"):
        for limit, used, cached in (
            ("memory.max", "memory.current", "inactive_file"),
            ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
        ):
            most = kernel.whole(kernel.text(folder / limit))
            now = kernel.whole(kernel.text(folder / used))
            if most is not None and now is not None and most < memory.NO_LIMIT:
                left.append(most - now + _counted(folder / "memory.stat", cached))
    return min(left, default=None)


def _counted(path: Path, name: str) -> int:
    for line in (kernel.text(path) or "").splitlines():
        key, _, value = line.partition(" ")
        if key == name:
            return kernel.whole(value) or 0
    return 0


def _address_space(root: Path) -> int | None:
    most, _ = resource.getrlimit(resource.RLIMIT_AS)
    if most == resource.RLIM_INFINITY:
        return None
    size = kernel.fields(root / "proc/self/status").get("VmSize", "").partition(" ")[0]
    return most - (kernel.whole(size) or 0) * 1024
