"""Installed software: versions, and the two packages that overwrite each other."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata

from edgeval.device.symptom import Symptom

LIBRARIES = ("av", "numpy", "tokenizers", "jinja2", "click", "rich")


@dataclass(frozen=True, slots=True, kw_only=True)
class Software:
    """What is installed. ``versions``: library -> version or "missing".

    ``onnxruntimes``: "name version" of each package that provides the module onnxruntime; one is
    right.
    """

    python: str
    machine: str
    versions: Mapping[str, str]
    onnxruntimes: tuple[str, ...]


def read() -> Software:
    """What is installed beside this package, from its metadata: nothing is imported."""
    providers = set(metadata.packages_distributions().get("onnxruntime", ()))
    return Software(
        python=platform.python_version(),
        machine=f"{platform.system()} {platform.machine()}",
        versions={name: version(name) for name in LIBRARIES},
        onnxruntimes=tuple(sorted(f"{name} {version(name)}" for name in providers)),
    )


def version(name: str) -> str:
    """The installed version of a distribution, or "missing"."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "missing"


def symptoms(software: Software) -> list[Symptom]:
    """What of it matters for an evaluation."""
    shown = ", ".join(f"{name} {found}" for name, found in software.versions.items())
    missing = [name for name, found in software.versions.items() if found == "missing"]
    found = [
        Symptom(subject="python", severity="ok", found=f"{software.python} on {software.machine}"),
        Symptom(
            subject="libraries",
            severity="stop" if missing else "ok",
            found=shown,
            fix=f"pip install {' '.join(missing)}" if missing else "",
        ),
    ]
    return [*found, *_onnxruntime(software)]


def _onnxruntime(software: Software) -> list[Symptom]:
    found: list[Symptom] = []
    if not software.onnxruntimes:
        found.append(
            Symptom(
                subject="onnxruntime",
                severity="stop",
                found="not installed, so no engine can run",
                fix="pip install 'edgeval[cpu]'",
            )
        )
    elif len(software.onnxruntimes) > 1:
        both = ", ".join(software.onnxruntimes)
        names = " ".join(entry.partition(" ")[0] for entry in software.onnxruntimes)
        found.append(
            Symptom(
                subject="onnxruntime",
                severity="stop",
                found=f"{both} share one folder: whichever came last overwrote the other",
                fix=f"pip uninstall {names}, then pip install the one you want",
            )
        )
    else:
        found.append(Symptom(subject="onnxruntime", severity="ok", found=software.onnxruntimes[0]))
    if software.machine.endswith("aarch64") and any("gpu" in n for n in software.onnxruntimes):
        found.append(
            Symptom(
                subject="onnxruntime on ARM",
                severity="warning",
                found="PyPI's onnxruntime-gpu for aarch64 is built for sm 89, 90, 120, 121 only, "
                "so not for Orin or Thor",
                fix="use --engine cpu, or NVIDIA's own build for the board",
            )
        )
    return found
