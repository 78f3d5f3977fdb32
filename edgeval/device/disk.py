"""Disks: room for a run folder, and a temporary folder that can be written."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from edgeval.device.symptom import Symptom

# A run of 900 questions leaves a few MB; a video of an hour, a few hundred.
LITTLE = 1 << 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """``free`` in bytes, None where the disk would not say; ``writable`` by trying."""

    path: Path
    free: int | None
    writable: bool


def read(path: Path) -> Folder:
    """What there is at ``path``; a file is made there and removed at once."""
    free: int | None = None
    writable = False
    try:
        free = shutil.disk_usage(path).free
        with tempfile.TemporaryFile(dir=path) as stream:
            stream.write(b"edgeval")
            writable = True
    except OSError:
        pass
    return Folder(path=path, free=free, writable=writable)


def symptoms(folder: Folder, *, purpose: str) -> list[Symptom]:
    """What of it matters for an evaluation."""
    room = "unknown room" if folder.free is None else f"{folder.free / (1 << 30):.1f} GiB free"
    if not folder.writable:
        return [
            Symptom(
                subject=purpose,
                severity="warning",
                found=f"{folder.path} cannot be written ({room})",
                fix="make it writable, or work in another folder",
            )
        ]
    if folder.free is not None and folder.free < LITTLE:
        return [
            Symptom(
                subject=purpose,
                severity="warning",
                found=f"{folder.path}: {room}",
                fix="free some; a full disk stops a run (it can be resumed)",
            )
        ]
    return [Symptom(subject=purpose, severity="ok", found=f"{folder.path}: {room}")]
