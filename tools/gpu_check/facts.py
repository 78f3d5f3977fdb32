"""What is checked, and on what: commit, packages, driver, device, date."""

from __future__ import annotations

import platform
import subprocess
from datetime import datetime, timezone
from importlib import metadata
from pathlib import Path
from typing import Any

from edgeval import cudadriver
from edgeval.device.source import Source

PACKAGES = (
    *("edgeval", "av", "numpy", "onnxruntime", "onnxruntime-gpu", "onnx", "onnxscript"),
    *("tensorrt", "tensorrt-cu13", "tensorrt-rtx-cu13-bindings"),
    *("onnxruntime-ep-nv-tensorrt-rtx-cu13", "cuda-bindings", "nvidia-ml-py"),
    *("torch", "transformers", "tokenizers", "triton", "nvidia-cudnn-cu13", "pytest"),
)


def facts(driver: cudadriver.Driver | None, source: Source | None, repo: Path) -> dict[str, Any]:
    """``driver`` None is a rehearsal on the CPU; ``source``: who measures the card, if anyone."""
    now = datetime.now(timezone.utc)
    found: dict[str, Any] = {
        "date": now.date().isoformat(),
        "started": now.isoformat(timespec="seconds"),
        "rehearsal": driver is None,
        "commit": commit(repo),
        "python": platform.python_version(),
        "system": platform.platform(),
        "packages": packages(),
    }
    if driver is not None:
        device = driver.devices[0]
        found |= {
            "device": device.name,
            "sm": device.sm,
            "n_devices": len(driver.devices),
            "driver_cuda": f"{driver.cuda[0]}.{driver.cuda[1]}",
        }
    if source is not None:
        meter = source.meter
        found |= {
            "driver": dict(source.facts.details).get("driver", ""),
            "power_mode": source.facts.power_mode,
            "meter": None if meter is None else {"source": meter.source, "covers": meter.covers},
            "notes": list(source.notes),
        }
    return found


def packages() -> dict[str, str]:
    """Versions of those that are installed."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def commit(repo: Path) -> str:
    """The checkout's commit, "-dirty" behind it where files differ; "" outside of git."""
    command = ["git", "-C", str(repo), "describe", "--always", "--dirty", "--abbrev=12"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
