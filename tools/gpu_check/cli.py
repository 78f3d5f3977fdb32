"""The command: options, refusals in one sentence, the table at the end."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from edgeval import cudadriver
from edgeval.device.found import sources
from edgeval.device.source import Source
from edgeval.errors import EdgevalError, EngineError
from gpu_check import facts, job, parts, table
from gpu_check.results import Results, file_name

WHO = "gpu_check"
INTERRUPTED = 130


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the options say."""

    minutes: float
    parts: tuple[parts.Part, ...]
    out: Path
    work: Path
    rehearse: bool


def main(argv: Sequence[str]) -> int:
    """The exit code.

    0 when every part went to its end, 1 when one did not, 2 usage, 4 no GPU, 130 interrupted.
    """
    given = _parser().parse_args(argv)
    if given.job:
        return parts.run_one(job.read(given.job))
    if given.table:
        return _shown(Path(given.table))
    # Ended from outside, it still ends the part that is running.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return (_prepared if given.prepare else _check)(_wanted(given))
    except KeyboardInterrupt:
        sys.stderr.write(f"{WHO}: ended from outside; what was found is on disk\n")
        return INTERRUPTED
    except EdgevalError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code


def _check(wanted: Wanted) -> int:
    driver = None if wanted.rehearse else _driver()
    source = None if driver is None else _source()
    found = facts.facts(driver, source, job.REPO)
    if source is not None:
        source.close()
    device = "rehearsal" if driver is None else driver.devices[0].name
    out = wanted.out / file_name(found["date"], device)
    if out.exists() and not wanted.rehearse:
        out = out.with_stem(f"{out.stem}-{found['started'][11:19].replace(':', '')}")
    found["minutes"] = wanted.minutes
    Results(out).start(found, tuple(part.name for part in wanted.parts))
    first = job.Job(part="", out=str(out), work=str(wanted.work), seconds=0)
    if wanted.rehearse:
        first = job.Job(
            part="",
            out=str(out),
            work=str(wanted.work),
            seconds=0,
            engines=("cpu",),
            device="cpu",
            size="tiny",
        )
    wanted.work.mkdir(parents=True, exist_ok=True)
    deadline = time.monotonic() + 60 * wanted.minutes
    well = parts.run_all(wanted.parts, first, deadline, _say)
    _say("")
    _say(table.text(Results(out).read()))
    _say(f"all of it: {out}")
    return 0 if well else 1


def _prepared(wanted: Wanted) -> int:
    """What the parts ``speed...`` measure with, made where they will look for it; no GPU needed."""
    try:
        from edgeval.export.graphspec import Flavour
        from gpu_check.scene import scene
    except ModuleNotFoundError as error:
        raise EngineError(f"{WHO}: {error.name} is not installed; --prepare wants it") from error
    wanted.work.mkdir(parents=True, exist_ok=True)
    size = "tiny" if wanted.rehearse else "2b"
    made = scene(job.Job(part="", out="", work=str(wanted.work), seconds=0, size=size))
    for flavour in get_args(Flavour):
        _say(f"{made.model(flavour)}")
    return 0


def _driver() -> cudadriver.Driver:
    """EngineError that names this command where there is no GPU."""
    try:
        return cudadriver.probe("cuda")
    except EngineError as error:
        reason = str(error).removeprefix("engine cuda: ").removesuffix("; use --engine cpu")
        raise EngineError(
            f"{WHO}: {reason}; run it where one is, or with --rehearse at tiny size on the CPU"
        ) from error


def _source() -> Source | None:
    """Who measures the device."""
    gpu = os.environ.get("CUDA_VISIBLE_DEVICES", "")
    return next((one for one in sources(engine="cuda", gpu=gpu) if one.facts.kind != "x86"), None)


def _shown(path: Path) -> int:
    try:
        sys.stdout.write(table.text(Results(path).read()) + "\n")
    except (OSError, ValueError, KeyError) as error:
        sys.stderr.write(f"{WHO}: {path} is no result of a GPU check ({error})\n")
        return 2
    return 0


def _wanted(given: argparse.Namespace) -> Wanted:
    named = given.parts.split(",") if given.parts else parts.NAMES
    out = Path(given.out) if given.out else job.REPO / "docs" / "gpu"
    if given.rehearse and not given.out:
        out = Path(tempfile.gettempdir()) / WHO
    return Wanted(
        minutes=given.minutes,
        parts=tuple(part for part in parts.PARTS if part.name in named),
        out=out,
        work=Path(given.work) if given.work else Path(tempfile.gettempdir()) / WHO / "work",
        rehearse=given.rehearse,
    )


def _parser() -> argparse.ArgumentParser:
    lines = "\n".join(f"  {part.name:12} {part.about}" for part in parts.PARTS)
    parser = argparse.ArgumentParser(
        prog="python tools/gpu_check",
        description="Is edgeval right on this GPU, and how fast beside transformers.",
        epilog=f"parts, in the order they are run in:\n{lines}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--minutes", type=_minutes, default=30.0, help="in all (default: 30)")
    parser.add_argument("--parts", type=_parts, help="only these, with commas between")
    parser.add_argument("--out", help="folder of the result (default: docs/gpu)")
    parser.add_argument("--work", help="folder of what is made (default: a temporary one)")
    parser.add_argument(
        "--rehearse", action="store_true", help="engine cpu, tiny: does the check itself work?"
    )
    parser.add_argument(
        "--prepare", action="store_true", help="make what speed needs in --work, and end; no GPU"
    )
    parser.add_argument("--table", metavar="FILE", help="print the table of a result")
    parser.add_argument("--job", help=argparse.SUPPRESS)
    return parser


def _minutes(text: str) -> float:
    minutes = float(text)
    if not 0 < minutes < 1e4:
        raise argparse.ArgumentTypeError(f"got {text}; wants more than 0")
    return minutes


def _parts(text: str) -> str:
    if unknown := set(text.split(",")) - set(parts.NAMES):
        raise argparse.ArgumentTypeError(
            f"no part {min(unknown)!r}; there are {', '.join(parts.NAMES)}"
        )
    return text


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
