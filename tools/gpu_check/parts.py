"""The parts in the order of what they are worth, each in a process of its own with an end.

A part that takes the process down (a segmentation fault in a vendor's library) or that takes too
long is told as that; what it had found by then is kept, and the next one begins.
"""

from __future__ import annotations

import importlib
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from edgeval.errors import EdgevalError
from gpu_check.job import Job
from gpu_check.results import Results, Status

TOOL = Path(__file__).resolve().parent
# The exit code of a part that was refused in one sentence, which is its last line of stdout.
REFUSED = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """``module`` has ``run(job)``; it is not begun with fewer than ``least_s`` seconds left."""

    name: str
    module: str
    about: str
    least_s: float = 20.0


PARTS = (
    Part(name="conformance", module="conformance", about="the suite that every engine must pass"),
    Part(name="limits", module="limits", about="measured bandwidth and matrix rate of the device"),
    Part(
        name="speed",
        module="speed",
        about="2B shape in fp16: engine cuda beside transformers, 18 questions on a clip",
        least_s=120.0,
    ),
    Part(name="parity", module="parity", about="six families at tiny size against CPU fp32"),
    Part(name="rtx", module="rtx", about="TensorRT for RTX on this device, whatever it says"),
    Part(name="speed-trt", module="speed_trt", about="2B shape in fp16: engine trt", least_s=120.0),
    Part(
        name="speed-trt-inplace",
        module="speed_trt",
        about="the same with the cache in place and decode steps as a CUDA graph",
        least_s=120.0,
    ),
)
NAMES = tuple(part.name for part in PARTS)


def run_all(parts: tuple[Part, ...], job: Job, deadline: float, say: Callable[[str], None]) -> bool:
    """Run parts until the ``deadline`` (of time.monotonic); whether each one went to its end."""
    results = Results(Path(job.out))
    well = True
    for part in parts:
        left = deadline - time.monotonic()
        if left < part.least_s:
            results.mark(part.name, "not started", why=f"{max(0, left):.0f} s were left")
            say(f"{part.name}: not started, {max(0, left):.0f} s were left")
            well = False
            continue
        say(f"{part.name}: {part.about} ...")
        results.mark(part.name, "running")
        began = time.monotonic()
        status, why = in_a_process(replace(job, part=part.name, seconds=left))
        took = round(time.monotonic() - began, 1)
        results.mark(part.name, status, why=why, seconds=took)
        say(f"{part.name}: {status}, {took} s{': ' + why if why else ''}")
        if status == "failed":
            say(f"  all that it said: {log(job.work, part.name)}")
        well = well and status in ("done", "refused")
    return well


def in_a_process(job: Job) -> tuple[Status, str]:
    """One part in a process, ended with all its own processes when its seconds are over."""
    command = [sys.executable, str(TOOL), "--job", job.text()]
    child = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    out = err = ""
    try:
        out, err = child.communicate(timeout=job.seconds)
    except subprocess.TimeoutExpired:
        return "out of time", f"ended after {job.seconds:.0f} s"
    finally:
        if child.poll() is None:
            os.killpg(child.pid, signal.SIGKILL)
            out, err = child.communicate()
        log(job.work, job.part).write_text(f"{out}{err}", "utf-8")
    if child.returncode == 0:
        return "done", ""
    if child.returncode == REFUSED:
        return "refused", _last(out)
    if child.returncode < 0:
        name = signal.Signals(-child.returncode).name
        return "failed", f"ended by {name}: {_last(err)}"
    return "failed", _last(err)


def log(work: str, part: str) -> Path:
    """Where all that a part's process said lies: a result has but its last line."""
    return Path(work) / f"{part}.log"


def run_one(job: Job) -> int:
    """In the process of a part: its exit code."""
    module = next(part.module for part in PARTS if part.name == job.part)
    # What engines tell while they are built and run, for the log.
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s: %(message)s")
    try:
        importlib.import_module(f"gpu_check.{module}").run(job)
    except EdgevalError as error:
        sys.stdout.write(f"{error}\n")
        return REFUSED
    except ModuleNotFoundError as error:
        if str(error.name).startswith(("edgeval", "gpu_check")):
            raise
        sys.stdout.write(f"{error.name} is not installed\n")
        return REFUSED
    return 0


def _last(text: str) -> str:
    lines = [line for line in text.strip().splitlines() if line.strip()]
    return lines[-1][:500] if lines else "it said nothing"
