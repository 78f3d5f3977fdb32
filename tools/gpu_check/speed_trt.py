"""2B shape in float16 on an engine of TensorRT's; compare with the part ``speed``.

Engines are built first. What they tell of their decode steps is kept: whether they are replayed.
"""

from __future__ import annotations

import logging

from edgeval import engines
from gpu_check.conformance import carried
from gpu_check.job import Job
from gpu_check.scene import scene
from gpu_check.speed import engine_speed


class Told(logging.Handler):
    """The lines of a logger."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep it."""
        self.lines.append(record.getMessage())


def run(job: Job) -> None:
    """The engine that the part is named after; refused before anything is made if it cannot run."""
    engine = job.part.removeprefix("speed-")
    if engine not in job.engines:  # a rehearsal
        engine = job.engines[-1]
    engines.load(engine).check(carried())
    told = Told()
    logging.getLogger("edgeval.trt").addHandler(told)
    try:
        engine_speed(job, scene(job), engine)
    finally:
        job.put(f"told_{engine}", told.lines)
