"""``edgeval soak``: how fast it is after half an hour, and what held it back."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import click

from edgeval import __version__
from edgeval.cli.finite import FiniteRange
from edgeval.cli.sharing import tell_unshared
from edgeval.device import found, timeline
from edgeval.device.monitor import Monitor
from edgeval.model import Model, open_model
from edgeval.modelfolder import manifest
from edgeval.runfolder import write_atomically
from edgeval.soak import CARD, SCHEMA, Log, phases
from edgeval.tables import aligned
from edgeval.workload import Round, Workload, rounds, workload

TELL_EVERY_S = 30.0
STOPPED = 130


@click.command("soak")
@click.option("--model", default="tiny", show_default=True, help="Model name or folder.")
@click.option("--engine", default="cpu", show_default=True, help="cpu, cuda, trt[-inplace], auto.")
@click.option("--precision", help="Which of the model's precisions; its first by default.")
@click.option("--threads", type=click.IntRange(1, 1024), help="Engine threads; all cores.")
@click.option("--video", type=click.Path(path_type=Path), help="Clip to use; embedded by default.")
@click.option("--minutes", type=FiniteRange(min=0.1), default=30.0, show_default=True)
@click.option("--new-tokens", type=click.IntRange(min=1), default=32, show_default=True)
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Folder to make.")
def command(  # noqa: PLR0913 - click hands every option over by name
    model: str,
    engine: str,
    precision: str | None,
    threads: int | None,
    video: Path | None,
    minutes: float,
    new_tokens: int,
    output: Path | None,
) -> int:
    """Ask the same question about the same clip for many minutes, and find the phases.

    Each round decodes, sees, prefills and answers anew. Cold, steady and throttled phases are told
    apart by change points in the rate; throttled means that a clock fell or a sensor said so.
    Ctrl-C ends it early, with the phases so far.
    """
    path = manifest.find(model)
    gpu = os.environ.get("CUDA_VISIBLE_DEVICES", "")
    folder = output or Path("soaks") / f"{path.name}-{_stamp()}"
    with Monitor(found.sources(engine=engine, gpu=gpu)) as monitor:
        monitor.rest()
        opened = open_model(path, engine=engine, precision=precision, threads=threads)
        tell_unshared(opened)
        try:
            work = workload(opened, video, new_tokens)
            card = _card(opened, work, minutes)
            with Log(folder, card) as log:
                monitor.start(folder, card)
                _soak(opened, work, log, 60 * minutes)
        finally:
            opened.close()
    card |= {"phases": phases(log.rounds, timeline.sessions(folder, card))}
    write_atomically(folder / CARD, json.dumps(card, indent=1, sort_keys=True) + "\n")
    click.echo(_table(card["phases"]))
    click.echo(_closing(card["phases"]))
    click.echo(f"edgeval: soak folder {folder}", err=True)
    if log.rounds[-1].at_s < 60 * minutes:
        click.echo(f"edgeval: stopped after {log.rounds[-1].at_s / 60:.1f} minutes", err=True)
        return STOPPED
    return 0


def _stamp() -> str:
    return datetime.now(timezone.utc).strftime("%Y%m%dT%H%M%SZ")


def _card(model: Model, work: Workload, minutes: float) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "identity": {
            "version": __version__,
            "model": dict(model.card()),
            "video": work.video.name,
            "frames": len(work.plan.indices),
            "new_tokens": work.ask.max_new_tokens,
            "minutes": minutes,
        },
        "started": datetime.now(timezone.utc).isoformat(timespec="seconds"),
    }


def _soak(model: Model, work: Workload, log: Log, seconds: float) -> None:
    """Rounds until the time is over or Ctrl-C; the first is not one, it fills caches."""
    told_s = 0.0
    try:
        next(rounds(model, work, lambda _: True, time.monotonic))
        for done in rounds(model, work, lambda so_far: so_far < seconds, time.monotonic):
            log.append(done)
            if done.at_s - told_s >= TELL_EVERY_S:
                told_s = done.at_s
                click.echo(_line(log.rounds, seconds), err=True)
    except KeyboardInterrupt:
        if not log.rounds:
            raise


def _line(done: Sequence[Round], seconds: float) -> str:
    last = done[-1]
    return (
        f"{last.at_s / 60:5.1f} of {seconds / 60:g} min, {len(done)} rounds, "
        f"{last.seconds:.3g} s a round"
    )


def _table(found_phases: Sequence[Mapping[str, Any]]) -> str:
    rows = [["phase", "minutes", "s a round", "tokens/s", "step p50 / p99, ms", "hardware"]]
    for one in found_phases:
        rows.append(
            [
                one["phase"],
                f"{one['from_s'] / 60:.1f} to {one['to_s'] / 60:.1f}",
                f"{one['round_s']:.4g}",
                f"{one['tokens_a_second']:.4g}",
                f"{1000 * one['step_p50_s']:.3g} / {1000 * one['step_p99_s']:.3g}",
                _fared(one),
            ]
        )
    return aligned(rows)


def _fared(one: Mapping[str, Any]) -> str:
    parts = [f"{watts:.3g} W ({source})" for source, watts in one.get("watts", {}).items()]
    clocks = one.get("clock_mhz", {})
    heat = one.get("temperature_c", {})
    if clocks:
        parts.append(f"{max(clocks.values()):.0f} MHz")
    if heat:
        parts.append(f"{max(heat.values()):.0f} C")
    return ", ".join([*parts, *one.get("throttled", ())]) or "nothing told"


def _closing(found_phases: Sequence[Mapping[str, Any]]) -> str:
    """The rate of the last phase against the fastest one's."""
    last = found_phases[-1]
    fastest = min(one["round_s"] for one in found_phases)
    share = 100 * fastest / last["round_s"]
    return f"\n- sustained ({last['phase']}): {share:.1f} % of the fastest phase's rate"
