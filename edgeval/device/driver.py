"""NVIDIA cards and their driver, as the kernel shows them, and when a card was last checked."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from edgeval.device import kernel
from edgeval.device.symptom import Symptom

VENDOR = "0x10de"
DISPLAY = "0x03"
# CUDA 13 needs it; CUDA 12 is content with 525. Source: CUDA release notes, minor version table.
FOR_CUDA_13, FOR_CUDA_12 = 580, 525
CHECKS = "docs/gpu"
CHECK = "python tools/gpu_check"


@dataclass(frozen=True, slots=True, kw_only=True)
class Driver:
    """``n_cards``: NVIDIA display controllers on the PCI bus; ``version``: "" where not loaded.

    ``in_reach``: its device files are there; ``nouveau``: the kernel's own driver has the cards.
    """

    n_cards: int
    version: str
    in_reach: bool
    nouveau: bool


def read(root: Path = Path("/")) -> Driver:
    """What /sys, /proc and /dev show."""
    cards = [
        device
        for device in root.glob("sys/bus/pci/devices/*")
        if kernel.text(device / "vendor") == VENDOR
        and (kernel.text(device / "class") or "").startswith(DISPLAY)
    ]
    said = kernel.text(root / "proc/driver/nvidia/version") or ""
    version = re.search(r"\b(\d{3,}\.\d+(?:\.\d+)?)\b", said)
    return Driver(
        n_cards=len(cards),
        version=version.group(1) if version else "",
        in_reach=(root / "dev/nvidiactl").exists(),
        nouveau="\nnouveau " in "\n" + (kernel.text(root / "proc/modules") or ""),
    )


def last_check(folder: Path) -> str:
    """The newest result of the GPU check under ``folder``, as "<date> <device>"; "" without one."""
    found = sorted(
        path.stem
        for path in (folder / CHECKS).glob("[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]-*.json")
    )
    return f"{found[-1][:10]} {found[-1][11:]}" if found else ""


def symptoms(driver: Driver, onnxruntimes: Sequence[str], checked: str) -> Iterator[Symptom]:
    """What of it matters for an evaluation on a card; nothing where there is none."""
    if not driver.n_cards and not driver.version:
        return
    trouble = _trouble(driver)
    yield trouble or Symptom(
        subject="NVIDIA driver", severity="ok", found=f"{driver.version}, {driver.n_cards} cards"
    )
    if not any("gpu" in name for name in onnxruntimes):
        yield Symptom(
            subject="engine cuda",
            severity="note",
            found="onnxruntime-gpu is not installed, so no run uses the card through it",
            fix="pip uninstall onnxruntime, then pip install 'edgeval[cuda]' (driver "
            f"{FOR_CUDA_13} or newer) or 'edgeval[cuda12]'",
        )
    yield Symptom(
        subject="GPU check",
        severity="ok" if checked else "note",
        found=f"last result here: {checked}" if checked else f"no result in {CHECKS}",
        fix="" if checked else f"run `{CHECK}` in a checkout once (docs/GPU.md)",
    )


def _trouble(driver: Driver) -> Symptom | None:
    if not driver.version:
        found = "nouveau has the cards" if driver.nouveau else "none is loaded"
        fix = "install NVIDIA's driver and start the machine anew; it replaces nouveau"
    elif not driver.in_reach:
        found = f"{driver.version} is loaded, but /dev/nvidiactl is not here"
        fix = "start the container with --gpus all"
    elif int(driver.version.partition(".")[0]) < FOR_CUDA_12:
        found = f"{driver.version} is too old for CUDA 12 and 13"
        fix = f"install driver {FOR_CUDA_13} or newer"
    elif int(driver.version.partition(".")[0]) < FOR_CUDA_13:
        found = f"{driver.version} knows CUDA 12, not 13"
        fix = f"pip install 'edgeval[cuda12]', or install driver {FOR_CUDA_13} or newer"
        return Symptom(subject="NVIDIA driver", severity="note", found=found, fix=fix)
    else:
        return None
    return Symptom(subject="NVIDIA driver", severity="warning", found=found, fix=fix)
