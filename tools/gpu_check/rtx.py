"""TensorRT for RTX on this device, in processes of their own: whether it builds, runs, and agrees.

It lists Turing to Blackwell RTX without sm_90, so that a data-centre card may be refused; tried are
the device's own capability and sm_80, whose code such a card may take.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np

from edgeval import cudadriver
from edgeval.engines import Floats, Graphs, open_graphs
from edgeval.engines.trt import TrtGraphs, here, library
from edgeval.engines.trt.ways import WAYS
from edgeval.errors import EdgevalError
from gpu_check.conformance import carried
from gpu_check.job import Job

OTHER = 80
STEPS = (3, 600, 7)
TRY_S = 240.0
TOOLS = Path(__file__).resolve().parents[1]
CODE = (
    "import sys; sys.path.insert(0, sys.argv[1]); from gpu_check import rtx; "
    "print(rtx.tried(int(sys.argv[2]), sys.argv[3]))"
)


def run(job: Job) -> None:
    """Each capability; EngineError where there is no driver or no library."""
    found = cudadriver.probe("trt")
    loaded = library.load((library.RTX,))
    job.put("what", f"{loaded.title}, knows sm {', '.join(map(str, loaded.capabilities()))}")
    tries = [(sm, way) for sm in dict.fromkeys((found.devices[0].sm, OTHER)) for way in WAYS]
    for sm, way in tries:
        seconds = min(TRY_S, job.seconds / len(tries))
        job.put(f"sm_{sm}, {way}", outside(sm, way, Path(job.work), seconds))


def outside(sm: int, way: str, work: Path, seconds: float) -> str:
    """``tried`` in a process: a vendor's library may end its process."""
    command = [sys.executable, "-c", CODE, str(TOOLS), str(sm), way]
    try:
        done = subprocess.run(
            command, cwd=work, capture_output=True, text=True, timeout=seconds, check=False
        )
    except subprocess.TimeoutExpired:
        return f"ended after {seconds:.0f} s"
    if done.returncode < 0:
        return f"ended by signal {-done.returncode}"
    said = (done.stdout if done.returncode == 0 else done.stderr).strip().splitlines()
    return said[-1][:500] if said else f"said nothing, exit code {done.returncode}"


def tried(sm: int, way: str) -> str:
    """The carried model's decoder built for a capability and run here, beside the engine cpu.

    One prompt and three steps; the last step's logits are compared.
    """
    found = cudadriver.probe("trt")
    files = carried()
    embeds = np.random.default_rng(5).standard_normal((40, 128)).astype(np.float32)
    with tempfile.TemporaryDirectory() as folder:
        target = replace(here(found, library.load((library.RTX,)), Path(folder)), sm=sm)
        try:
            graphs = TrtGraphs(files, found, target, WAYS[way])
            got = answered(graphs, embeds)
            graphs.close()
        except EdgevalError as error:
            return f"refused: {error}"
    reference = open_graphs("cpu", files)
    apart = float(np.abs(got - answered(reference, embeds)).max())
    reference.close()
    return f"builds and runs; logits at most {apart:.2g} from the engine cpu"


def answered(graphs: Graphs, embeds: Floats) -> Floats:
    """Logits of the last of three steps behind a prompt."""
    context = graphs.start(64)
    logits = context.extend(embeds)
    for token in STEPS:
        logits = context.step(token)
    return np.array(logits)
