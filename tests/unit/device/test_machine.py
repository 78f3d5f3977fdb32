"""The machine's readers, against made-up /proc and /sys trees."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgeval.device import cpu, disk, kernel, memory, software
from edgeval.device.symptom import Symptom


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A small x86 container: cores 0-1 and 4 allowed, cgroup v2 mounted as its own root."""
    write(tmp_path, "proc/cpuinfo", "processor : 0\nmodel name : Toy 1\nflags : fpu avx2 fma\n")
    write(tmp_path, "proc/self/status", "Name:\tx\nCpus_allowed_list:\t0-1,4\n")
    write(tmp_path, "proc/self/cgroup", "0::/\n")
    write(tmp_path, "proc/loadavg", "0.50 0.40 0.30 1/99 1\n")
    gib = 1 << 20
    write(
        tmp_path,
        "proc/meminfo",
        f"MemTotal: {8 * gib} kB\nMemAvailable: {6 * gib} kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\n",
    )
    return tmp_path


def write(root: Path, name: str, content: str) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)


def severities(symptoms: list[Symptom]) -> dict[str, str]:
    return {symptom.subject: symptom.severity for symptom in symptoms}


def test_cpu_counts_the_cores_this_process_may_use(machine: Path) -> None:
    assert cpu.read(machine).n_usable == 3


def test_cpu_names_only_features_that_matter(machine: Path) -> None:
    assert cpu.read(machine).features == ("avx2", "fma")


def test_arm_lists_its_features_under_another_name(machine: Path) -> None:
    write(machine, "proc/cpuinfo", "processor : 0\nFeatures : fp asimd asimddp\n")
    write(machine, "proc/device-tree/model", "NVIDIA Jetson Orin Nano\0")
    seen = cpu.read(machine)
    assert (seen.model, seen.features) == ("NVIDIA Jetson Orin Nano", ("asimd", "asimddp"))


def test_a_cgroup_v2_quota_is_the_tightest_of_the_groups_above(machine: Path) -> None:
    write(machine, "proc/self/cgroup", "0::/a/b\n")
    write(machine, "sys/fs/cgroup/a/b/cpu.max", "max 100000\n")
    write(machine, "sys/fs/cgroup/a/cpu.max", "150000 100000\n")
    assert cpu.read(machine).quota == 1.5


def test_a_cgroup_v1_quota_counts_too(machine: Path) -> None:
    write(machine, "proc/self/cgroup", "4:cpu,cpuacct:/job\n")
    write(machine, "sys/fs/cgroup/cpu/job/cpu.cfs_quota_us", "200000\n")
    write(machine, "sys/fs/cgroup/cpu/job/cpu.cfs_period_us", "100000\n")
    assert cpu.read(machine).quota == 2.0


def test_no_quota_is_none(machine: Path) -> None:
    write(machine, "sys/fs/cgroup/cpu.max", "max 100000\n")
    assert cpu.read(machine).quota is None


def test_a_quota_below_the_cores_is_a_warning_with_the_threads_to_use(machine: Path) -> None:
    write(machine, "sys/fs/cgroup/cpu.max", "200000 100000\n")
    (quota,) = [s for s in cpu.symptoms(cpu.read(machine)) if s.subject == "processor time"]
    assert (quota.severity, "--threads 2" in quota.fix) == ("warning", True)


def test_a_governor_that_moves_the_clock_is_noted(machine: Path) -> None:
    write(machine, "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "powersave\n")
    assert severities(cpu.symptoms(cpu.read(machine)))["clock"] == "note"


def test_a_load_above_the_cores_is_noted(machine: Path) -> None:
    write(machine, "proc/loadavg", "3.50 1 1 1/9 1\n")
    assert severities(cpu.symptoms(cpu.read(machine)))["load"] == "note"


def test_an_idle_machine_has_nothing_to_say_about_its_load(machine: Path) -> None:
    assert severities(cpu.symptoms(cpu.read(machine))) == {"processor": "ok"}


def test_memory_is_in_bytes(machine: Path) -> None:
    seen = memory.read(machine)
    assert (seen.total, seen.available, seen.limit) == (8 << 30, 6 << 30, None)


def test_a_tight_memory_limit_is_a_warning(machine: Path) -> None:
    write(machine, "sys/fs/cgroup/memory.max", str(512 << 20))
    assert severities(memory.symptoms(memory.read(machine))) == {"memory": "warning"}


def test_a_v1_limit_near_two_to_the_63_is_no_limit(machine: Path) -> None:
    write(machine, "sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n")
    assert memory.read(machine).limit is None


def test_swapping_is_a_warning(machine: Path) -> None:
    meminfo = "MemTotal: 8388608 kB\nMemAvailable: 4194304 kB\n"
    write(machine, "proc/meminfo", f"{meminfo}SwapTotal: 2097152 kB\nSwapFree: 1048576 kB\n")
    assert severities(memory.symptoms(memory.read(machine)))["swap"] == "warning"


def test_an_empty_machine_breaks_no_reader(tmp_path: Path) -> None:
    seen = [*cpu.symptoms(cpu.read(tmp_path)), *memory.symptoms(memory.read(tmp_path))]
    assert [s.severity for s in seen] == ["ok", "note"]


def test_nonsense_breaks_no_reader(machine: Path) -> None:
    for name in ("proc/cpuinfo", "proc/meminfo", "proc/loadavg", "sys/fs/cgroup/cpu.max"):
        write(machine, name, "\0:::\nMemTotal: many\n-1 x")
    write(machine, "proc/self/status", "Cpus_allowed_list: a-b,,7-\n")
    write(machine, "proc/self/cgroup", "x\n:\n::\n")
    assert (cpu.read(machine).n_usable, memory.read(machine).total) == (1, 0)


def test_a_file_that_refuses_to_be_read_is_unknown(tmp_path: Path) -> None:
    assert kernel.text(tmp_path) is None  # A folder: OSError, as a gated sensor gives.


def test_a_folder_that_is_not_there_is_a_warning(tmp_path: Path) -> None:
    seen = disk.symptoms(disk.read(tmp_path / "no"), purpose="run folders")
    assert severities(seen) == {"run folders": "warning"}


def test_trying_a_folder_leaves_nothing_behind(tmp_path: Path) -> None:
    assert (disk.read(tmp_path).writable, list(tmp_path.iterdir())) == (True, [])


def test_little_room_is_a_warning(tmp_path: Path) -> None:
    full = disk.Folder(path=tmp_path, free=1 << 20, writable=True)
    assert severities(disk.symptoms(full, purpose="run folders")) == {"run folders": "warning"}


@pytest.mark.parametrize(
    ("installed", "severity"),
    [
        ((), "stop"),
        (("onnxruntime 1.31.1",), "ok"),
        (("onnxruntime 1.31.1", "onnxruntime-gpu 1.31.1"), "stop"),
    ],
)
def test_one_onnxruntime_is_right(installed: tuple[str, ...], severity: str) -> None:
    seen = software.Software(
        python="3.11", machine="Linux", versions={"av": "18"}, onnxruntimes=installed
    )
    assert severities(software.symptoms(seen))["onnxruntime"] == severity


def test_the_arm_gpu_wheel_is_a_warning_on_its_own() -> None:
    seen = software.Software(
        python="3.11",
        machine="Linux aarch64",
        versions={"av": "18"},
        onnxruntimes=("onnxruntime-gpu 1.31.1",),
    )
    assert severities(software.symptoms(seen))["onnxruntime on ARM"] == "warning"


def test_a_missing_library_stops_and_says_how_to_get_it() -> None:
    seen = software.Software(
        python="3.11", machine="x", versions={"av": "missing"}, onnxruntimes=("onnxruntime 1",)
    )
    (libraries,) = [s for s in software.symptoms(seen) if s.subject == "libraries"]
    assert (libraries.severity, libraries.fix) == ("stop", "pip install av")


def test_what_is_installed_here_is_found() -> None:
    assert software.read().versions["numpy"] == software.version("numpy") != "missing"
