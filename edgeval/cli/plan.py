"""``edgeval plan``: what a run will take of memory, disk and time, before hours are spent."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from edgeval.cli.asked import spec_of, spec_options
from edgeval.device import headroom
from edgeval.errors import (
    ArgumentError,
    DataError,
    EdgevalError,
    EngineError,
    MemoryLimitError,
)
from edgeval.runspec import Spec
from edgeval.tables import aligned

MIB = 1 << 20
# Not -m, which looks in the current folder first: a checkout would stand before what is installed.
PROBE = (
    "import sys; sys.path[:] = filter(None, sys.path); from edgeval.forecast import main; main()"
)
# A run's peak lies this far above its probe's, by the check in docs/BENCHMARKS.md.
SPREAD = 1.1
STAGES = {
    "weights": "weights",
    "decoding": "decoding the next clip",
    "frames": "frames, shrunk",
    "features": "image features",
    "vision": "vision, at most",
    "cache": "keys and values",
    "decoder": "a call of the decoder, at most",
}


@click.command("plan")
@click.argument("benchmark")
@spec_options
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
@click.pass_context
def command(ctx: click.Context, /, **_: object) -> int:
    """Say what 'edgeval run BENCHMARK' with the same options will take here.

    A process of its own opens what the run would open and asks a few questions about the heaviest
    clip and a middling one; memory is what that took, time and disk are extrapolated. Exit code 5
    when the run does not fit.
    """
    chosen = ctx.params
    if chosen["transcript"] is not None:
        raise ArgumentError("plan: got --transcript, which may listen for hours; leave it out")
    told = _forecast(spec_of(chosen))
    room = headroom.read()
    free = shutil.disk_usage(Path.cwd()).free
    told |= {
        "available": None if room is None else room.nbytes,
        "available_by": "" if room is None else room.said_by,
        "disk_free": free,
        "fits": (room is None or told["peak"] <= room.nbytes) and told["disk"] <= free,
    }
    if chosen["as_json"]:
        click.echo(json.dumps(told, indent=1))
    else:
        click.echo(_table(told))
    return 0 if told["fits"] else MemoryLimitError.exit_code


def _forecast(spec: Spec) -> dict[str, Any]:
    """The probe's answer. Raises what it raised, by its words and code."""
    done = subprocess.run(
        [sys.executable, "-c", PROBE],
        input=json.dumps(spec.to_json()),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode == -signal.SIGKILL or "MemoryError" in done.stderr:
        raise MemoryLimitError(
            "plan: the probe ran out of memory; the run does not fit: use fewer --frames, a "
            "smaller --precision or a smaller model"
        )
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["no word"])[-1]
        raise EngineError(f"plan: the probe ended with code {done.returncode}: {last}")
    told: dict[str, Any] = json.loads(done.stdout)
    if "error" in told:
        raise _as_raised(told)
    return told


def _as_raised(told: Mapping[str, Any]) -> EdgevalError:
    kinds: Sequence[type[EdgevalError]] = (ArgumentError, DataError, EngineError, MemoryLimitError)
    by_code = {kind.exit_code: kind for kind in kinds}
    return by_code.get(told["exit_code"], EdgevalError)(str(told["error"]))


def _table(told: Mapping[str, Any]) -> str:
    least, most = told["seconds"]
    limit = told["available"]
    rows = [
        ["what", "this run", "here"],
        ["questions", f"{told['questions']} on {told['clips']} clips", ""],
        ["memory, resident", _mib(told["peak"]), f"{_mib(limit)} free" if limit else "not told"],
        ["disk", _mib(told["disk"]), f"{_mib(told['disk_free'])} free"],
        ["time", f"{_time(least)} to {_time(most)}", ""],
    ]
    lines = [
        f"- heaviest clip: {told['heaviest']}, {told['frames']} frames",
        f"- measured on {told['probed']} questions in {_time(told['probe_s'])}; memory may end up "
        f"to {SPREAD - 1:.0%} higher, time is as even as the clips are",
    ]
    if told["stages"]:
        parts = ", ".join(f"{STAGES[name]} {_mib(n)}" for name, n in told["stages"].items())
        lines.append(f"- of its memory, by arithmetic: {parts}")
    if told["available_by"]:
        lines.append(f"- what is free is told by {told['available_by']}")
    lines.append("- it fits" if told["fits"] else "- it does NOT fit: use fewer --frames")
    return "\n\n".join([aligned(rows), "\n".join(lines)])


def _mib(nbytes: float) -> str:
    return f"{nbytes / MIB:,.0f} MiB"


def _time(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.1f} s"
    if seconds < 7200:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
