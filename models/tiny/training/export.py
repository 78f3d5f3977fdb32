"""Checkpoint to the folder that ships, with its self-test's record, and to one to be measured."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

SHIPPED = (("fp32", "plain"), ("q4", "ort"))
# With it weights and clips would be more than a wheel may have.
MEASURED = ("int8", "ort")

# Not -m, which looks in the current folder first: a checkout would stand before what is installed.
EDGEVAL = (
    "import sys; sys.path[:] = filter(None, sys.path); from edgeval.cli.main import main; main()"
)


def edgeval(*words: object) -> None:
    """A verb of the command line; CalledProcessError where it fails."""
    subprocess.run([sys.executable, "-c", EDGEVAL, *map(str, words)], check=True)


def export(checkpoint: Path, folder: Path, *, run: int) -> Path:
    """Write ``folder`` anew, and beside it the one that is measured and does not ship."""
    other = measured(folder)
    for one in (folder, other):
        if one.exists():
            shutil.rmtree(one)
    for precision, flavour in SHIPPED:
        _export(checkpoint, folder, precision, flavour, run)
    _export(checkpoint, other, *MEASURED, run)
    edgeval("selftest", "--model", folder, "--record")
    return folder


def measured(folder: Path) -> Path:
    """The folder of MEASURED beside ``folder``."""
    return folder.with_name(f"{folder.name}-{MEASURED[0]}")


def _export(checkpoint: Path, folder: Path, precision: str, flavour: str, run: int) -> None:
    source = f"models/tiny/train.py, run {run}, on edgeval's own generated data"
    edgeval(
        *("export", checkpoint, "-o", folder, "--precision", precision, "--flavour", flavour),
        *("--name", "tiny", "--source", source, "--licence", "Apache-2.0"),
    )
