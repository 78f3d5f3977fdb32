"""Reading the kernel's text files; ``root`` is "/" except in tests."""

from __future__ import annotations

from pathlib import Path


def text(path: Path) -> str | None:
    """What a file of /proc or /sys says, stripped; None where it is missing or will not be read."""
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip("\0\n ")
    except OSError:  # A gated sensor answers EAGAIN, a container hides files: both are "unknown".
        return None


def fields(path: Path) -> dict[str, str]:
    """The first value of each ``name : value`` line of a file such as /proc/cpuinfo."""
    found: dict[str, str] = {}
    for line in (text(path) or "").splitlines():
        name, colon, value = line.partition(":")
        if colon:
            found.setdefault(name.strip(), value.strip())
    return found


def whole(value: str | None) -> int | None:
    """A whole number of a kernel file; None for "max", nothing, or anything else."""
    try:
        return int(value) if value is not None else None
    except ValueError:
        return None


def cgroup_folders(root: Path, controller: str) -> list[Path]:
    """This process's control group and those above it, innermost first, v2 and v1 layouts alike.

    A container often shows its own group as the root, so the mount point itself is always last.
    """
    folders: list[Path] = []
    mount = root / "sys/fs/cgroup"
    for line in (text(root / "proc/self/cgroup") or "").splitlines():
        _, _, rest = line.partition(":")
        controllers, _, group = rest.partition(":")
        if controllers and controller not in controllers.split(","):
            continue
        base = mount / controller if controllers else mount
        inner = base / group.strip("/")
        folders += [inner, *(p for p in inner.parents if p.is_relative_to(base))]
    return list(dict.fromkeys([*folders, mount, mount / controller]))
