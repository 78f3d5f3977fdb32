"""``edgeval doctor``: what on this machine is wrong for evaluating, and what to do about it."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import click

from edgeval import __version__
from edgeval.device import cpu, disk, driver, memory, software, watchable
from edgeval.device.found import sources
from edgeval.device.symptom import Severity, Symptom
from edgeval.errors import EdgevalError, EngineError

MARKS: dict[Severity, str] = {"ok": "ok", "note": "note", "warning": "WARN", "stop": "STOP"}
REINSTALL = "pip install --force-reinstall edgeval"


@click.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="Print findings as JSON.")
def command(*, as_json: bool) -> int:
    """Say what on this machine is wrong for evaluating, and how to mend it.

    Exits 0 when nothing prevents an evaluation, 4 when the engine cannot run.
    """
    found = list(examine())
    stopped = any(symptom.severity == "stop" for symptom in found)
    if as_json:
        report = {"edgeval": __version__, "findings": [asdict(symptom) for symptom in found]}
        click.echo(json.dumps(report, indent=1, ensure_ascii=False))
    else:
        for symptom in found:
            click.echo(f"{MARKS[symptom.severity]:4}  {symptom.subject}: {symptom.found}")
            if symptom.fix:
                click.echo(f"      -> {symptom.fix}")
        click.echo(_verdict(found))
    return EngineError.exit_code if stopped else 0


def examine() -> Iterator[Symptom]:
    """Every finding, software first: nothing else matters when that is broken."""
    processor, installed, ram = cpu.read(), software.read(), memory.read()
    card = driver.read()
    yield from software.symptoms(installed)
    yield _video()
    yield _kernels()
    yield from _models()
    yield from cpu.symptoms(processor)
    yield from memory.symptoms(ram)
    checked = driver.last_check(Path.cwd())
    yield from driver.symptoms(card, installed.onnxruntimes, checked)
    hardware = sources(engine="cuda" if card.version else "cpu")
    yield from watchable.symptoms(hardware, ram)
    for source in hardware:
        source.close()
    yield from disk.symptoms(disk.read(Path.cwd()), purpose="run folders")
    yield from disk.symptoms(disk.read(Path(tempfile.gettempdir())), purpose="temporary files")


def _video() -> Symptom:
    try:
        from edgeval.media.versions import ffmpeg_version
    except ImportError as error:
        return Symptom(
            subject="video",
            severity="stop",
            found=f"PyAV cannot be loaded ({error})",
            fix="pip install --force-reinstall av",
        )
    return Symptom(subject="video", severity="ok", found=f"FFmpeg {ffmpeg_version()}, PyAV's own")


def _kernels() -> Symptom:
    try:
        from edgeval import pixels
    except ImportError as error:
        return Symptom(
            subject="kernels",
            severity="stop",
            found=f"the compiled module cannot be loaded ({error})",
            fix=f"{REINSTALL}, from outside its source folder",
        )
    paths = pixels.kernel_paths()
    return Symptom(subject="kernels", severity="ok", found=f"{paths[0]} (of {', '.join(paths)})")


def _models() -> Iterator[Symptom]:
    """Open what the package carries on the engine it is for, so that "ok" is something seen."""
    try:
        from edgeval.model import open_model
        from edgeval.modelfolder import manifest
    except ImportError as error:
        yield Symptom(
            subject="model", severity="stop", found=f"cannot be loaded ({error})", fix=REINSTALL
        )
        return
    carried = manifest.embedded()
    if not carried:
        yield Symptom(
            subject="model", severity="warning", found="the package carries none", fix=REINSTALL
        )
    for name, folder in carried.items():
        try:
            open_model(folder, engine="cpu", precision=None, threads=1).close()
        except EdgevalError as error:
            yield Symptom(subject=f"model {name}", severity="stop", found=str(error), fix=REINSTALL)
        else:
            yield Symptom(
                subject=f"model {name}", severity="ok", found="hashes right, opens on engine cpu"
            )


def _verdict(found: list[Symptom]) -> str:
    counts = {mark: sum(s.severity == mark for s in found) for mark in ("stop", "warning", "note")}
    if counts["stop"]:
        return f"{counts['stop']} of {len(found)} findings prevent an evaluation here"
    return (
        f"nothing prevents an evaluation here "
        f"({counts['warning']} warnings, {counts['note']} notes)"
    )
