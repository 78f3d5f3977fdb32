"""What of a run's records is not read: said, not passed over."""

from __future__ import annotations

from pathlib import Path

import click

from edgeval.runfolder import Tail


def say_torn(run: Path, tail: Tail) -> None:
    """Say on standard error how many lines of records.jsonl are damaged, if any."""
    if tail.lines_torn:
        click.echo(
            f"edgeval: {run}: {tail.lines_torn} lines after the last whole record are damaged and "
            "left out",
            err=True,
        )
