"""The process that builds: a job as JSON on stdin, progress and outcome as JSON lines on stdout.

``python -m edgeval.engines.trt.child``. A build of its own process gives all of its memory back,
which counts where the GPU shares the main memory, and takes nobody down with it.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from edgeval import cudadriver
from edgeval.engines.trt import graphfile, library
from edgeval.engines.trt.making import Making, make
from edgeval.engines.trt.profiles import from_json
from edgeval.engines.trt.ways import WAYS
from edgeval.errors import EdgevalError

EVERY_S = 0.5


def main() -> None:
    """Do the job; an EdgevalError becomes the line {"error": ...}."""
    job = json.loads(sys.stdin.read())
    told = 0.0

    def tell(phase: str, step: int, n_steps: int) -> None:
        nonlocal told
        now = time.monotonic()
        if now - told >= EVERY_S:
            told = now
            _say({"phase": phase, "step": step, "of": n_steps})

    try:
        if job["library"] == library.FULL:
            cudadriver.probe("trt")
        found = library.load((job["library"],))
        path = Path(job["graph"])
        graph = graphfile.read(path)
        profiles = tuple(from_json(profile) for profile in job["profiles"])
        way = WAYS.get(job["way"])
        making = Making(
            model=way.rewritten(graph, profiles[0]) if way else path.read_bytes(),
            path=path,
            profiles=profiles,
            sm=job["sm"],
            memory=job["memory"],
            timing=Path(job["timing"]),
            output=Path(job["output"]),
        )
        make(found, making, tell)
        _say({"done": True})
    except EdgevalError as error:
        _say({"error": str(error)})


def _say(line: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
