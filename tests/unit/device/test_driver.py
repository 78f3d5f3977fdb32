"""What doctor says of NVIDIA cards and their driver, on made-up trees."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgeval.device import driver
from edgeval.device.symptom import Symptom

GPU_WHEEL = ("onnxruntime-gpu 1.31.1",)


def machine(root: Path, *, version: str = "", nodes: bool = True, modules: str = "") -> Path:
    card = root / "sys/bus/pci/devices/0000:01:00.0"
    card.mkdir(parents=True)
    (card / "vendor").write_text("0x10de\n")
    (card / "class").write_text("0x030200\n")
    (root / "proc/driver/nvidia").mkdir(parents=True)
    (root / "proc/modules").write_text(modules)
    if version:
        said = f"NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  {version}  Release Build"
        (root / "proc/driver/nvidia/version").write_text(f"{said}  (a@b)  Tue Aug 5\n")
    if nodes:
        (root / "dev").mkdir()
        (root / "dev/nvidiactl").write_text("")
    return root


def told(root: Path, wheels: tuple[str, ...] = GPU_WHEEL, checked: str = "") -> dict[str, Symptom]:
    found = driver.symptoms(driver.read(root), wheels, checked)
    return {one.subject: one for one in found}


def test_a_machine_without_a_card_has_nothing_to_say(tmp_path: Path) -> None:
    assert told(tmp_path) == {}


def test_a_new_driver_is_well(tmp_path: Path) -> None:
    found = told(machine(tmp_path, version="580.95.05"))["NVIDIA driver"]
    assert (found.severity, found.found) == ("ok", "580.95.05, 1 cards")


@pytest.mark.parametrize(
    ("version", "severity", "fix"),
    [
        ("", "warning", "install NVIDIA's driver"),
        ("470.256.02", "warning", "install driver 580"),
        ("550.54.15", "note", "edgeval[cuda12]"),
    ],
)
def test_a_driver_that_does_not_do_has_its_fix(
    tmp_path: Path, version: str, severity: str, fix: str
) -> None:
    found = told(machine(tmp_path, version=version))["NVIDIA driver"]
    assert (found.severity, fix in found.fix) == (severity, True)


def test_nouveau_is_named(tmp_path: Path) -> None:
    root = machine(tmp_path, modules="snd 1 0\nnouveau 2 1 - Live\n")
    assert "nouveau" in told(root)["NVIDIA driver"].found


def test_a_container_without_its_cards_has_its_fix(tmp_path: Path) -> None:
    root = machine(tmp_path, version="580.95.05", nodes=False)
    assert "--gpus all" in told(root)["NVIDIA driver"].fix


def test_a_card_that_no_engine_would_use_is_a_note(tmp_path: Path) -> None:
    found = told(machine(tmp_path, version="580.95.05"), ("onnxruntime 1.31.1",))["engine cuda"]
    assert "edgeval[cuda]" in found.fix


def test_another_makers_card_is_none_of_ours(tmp_path: Path) -> None:
    root = machine(tmp_path)
    next(root.glob("sys/bus/pci/devices/*/vendor")).write_text("0x1002\n")
    assert told(root) == {}


def test_the_last_check_is_the_newest(tmp_path: Path) -> None:
    folder = tmp_path / driver.CHECKS
    folder.mkdir(parents=True)
    assert driver.last_check(tmp_path) == ""
    for name in ("2026-11-20-h200", "2026-09-01-orin-nano"):
        (folder / f"{name}.json").write_text("{}")
    (folder / "README.json").write_text("{}")
    assert driver.last_check(tmp_path) == "2026-11-20 h200"


def test_a_card_that_was_never_checked_is_a_note(tmp_path: Path) -> None:
    root = machine(tmp_path, version="580.95.05")
    assert told(root)["GPU check"].severity == "note"
    assert told(root, checked="2026-11-20 h200")["GPU check"].severity == "ok"
