"""2B shape in float16 on the engine trt, which is built first; compare with the part ``speed``."""

from __future__ import annotations

from edgeval import engines
from gpu_check.conformance import carried
from gpu_check.job import Job
from gpu_check.scene import scene
from gpu_check.speed import engine_speed


def run(job: Job) -> None:
    """The second engine of the job; refused before anything is made where it cannot run."""
    engine = job.engines[-1]
    engines.load(engine).check(carried())
    engine_speed(job, scene(job), engine)
