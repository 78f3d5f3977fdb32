"""How much memory may still be had: the tightest of all that limit it."""

from __future__ import annotations

import resource
from pathlib import Path

import pytest

from edgeval.device import headroom
from edgeval.device.headroom import SPARE

MIB = 1 << 20


@pytest.fixture(autouse=True)
def unlimited(monkeypatch: pytest.MonkeyPatch) -> None:
    """No limit on address space, whatever the machine has."""
    monkeypatch.setattr(
        resource, "getrlimit", lambda _: (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    )


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A machine with 4000 MiB available and no limits."""
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/meminfo").write_text(
        f"MemTotal: {8000 * 1024} kB\nMemAvailable: {4000 * 1024} kB\n"
    )
    (tmp_path / "proc/self/status").write_text(f"VmSize:\t{900 * 1024} kB\n")
    return tmp_path


def test_a_free_machine_gives_what_is_available(root: Path) -> None:
    found = headroom.read(root)
    assert found is not None
    assert found.nbytes == 4000 * MIB - SPARE
    assert "available" in found.said_by


def test_a_control_group_leaves_its_limit_less_what_cannot_be_given_back(root: Path) -> None:
    (root / "proc/self/cgroup").write_text("0::/box\n")
    box = root / "sys/fs/cgroup/box"
    box.mkdir(parents=True)
    (box / "memory.max").write_text(f"{1000 * MIB}\n")
    (box / "memory.current").write_text(f"{700 * MIB}\n")
    (box / "memory.stat").write_text(f"anon 1\ninactive_file {200 * MIB}\n")
    found = headroom.read(root)
    assert found is not None
    assert found.nbytes == 500 * MIB - SPARE
    assert "control group" in found.said_by


def test_the_older_layout_of_control_groups(root: Path) -> None:
    (root / "proc/self/cgroup").write_text("4:memory:/box\n")
    box = root / "sys/fs/cgroup/memory/box"
    box.mkdir(parents=True)
    (box / "memory.limit_in_bytes").write_text(f"{1000 * MIB}\n")
    (box / "memory.usage_in_bytes").write_text(f"{700 * MIB}\n")
    (box / "memory.stat").write_text(f"total_inactive_file {100 * MIB}\n")
    found = headroom.read(root)
    assert found is not None
    assert found.nbytes == 400 * MIB - SPARE


def test_a_limit_on_address_space_counts_what_is_taken(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (1500 * MIB, 1500 * MIB))
    found = headroom.read(root)
    assert found is not None
    assert found.nbytes == 600 * MIB - SPARE
    assert "ulimit -v" in found.said_by


def test_nothing_left_is_zero_not_less(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (100 * MIB, 100 * MIB))
    found = headroom.read(root)
    assert found is not None
    assert found.nbytes == 0


def test_a_kernel_that_says_nothing_limits_nothing(tmp_path: Path) -> None:
    assert headroom.read(tmp_path) is None
