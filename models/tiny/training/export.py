"""Checkpoint to model folder, every precision, and the record of its self-test."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

PRECISIONS = (("fp32", "plain"), ("int8", "ort"), ("q4", "ort"))

# Not -m, which looks in the current folder first: a checkout would stand before what is installed.
EDGEVAL = (
    "import sys; sys.path[:] = filter(None, sys.path); from edgeval.cli.main import main; main()"
)


def edgeval(*words: object) -> None:
    """A verb of the command line; CalledProcessError where it fails."""
    subprocess.run([sys.executable, "-c", EDGEVAL, *map(str, words)], check=True)


def export(checkpoint: Path, folder: Path, *, run: int) -> Path:
    """Write ``folder`` anew."""
    if folder.exists():
        shutil.rmtree(folder)
    source = f"models/tiny/train.py, run {run}, on edgeval's own generated data"
    for precision, flavour in PRECISIONS:
        edgeval(
            *("export", checkpoint, "-o", folder, "--precision", precision, "--flavour", flavour),
            *("--name", "tiny", "--source", source, "--licence", "Apache-2.0"),
        )
    edgeval("selftest", "--model", folder, "--record")
    return folder
