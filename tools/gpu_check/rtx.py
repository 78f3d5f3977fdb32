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
from edgeval.engines import open_graphs
from edgeval.engines.trt import TrtGraphs, here, library
from edgeval.errors import EdgevalError
from gpu_check.conformance import carried
from gpu_check.job import Job

OTHER = 80
TRY_S = 240.0
TOOLS = Path(__file__).resolve().parents[1]
CODE = (
    "import sys; sys.path.insert(0, sys.argv[1]); from gpu_check import rtx; "
    "print(rtx.tried(int(sys.argv[2])))"
)


def run(job: Job) -> None:
    """Each capability; EngineError where there is no driver or no library."""
    found = cudadriver.probe("trt")
    loaded = library.load((library.RTX,))
    job.put("what", f"{loaded.title}, knows sm {', '.join(map(str, loaded.capabilities()))}")
    for sm in dict.fromkeys((found.devices[0].sm, OTHER)):
        job.put(f"sm_{sm}", outside(sm, Path(job.work), min(TRY_S, job.seconds / 2)))


def outside(sm: int, work: Path, seconds: float) -> str:
    """``tried`` in a process: a vendor's library may end its process."""
    command = [sys.executable, "-c", CODE, str(TOOLS), str(sm)]
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


def tried(sm: int) -> str:
    """The carried model's decoder built for a capability and run here, beside the engine cpu."""
    found = cudadriver.probe("trt")
    files = carried()
    embeds = np.random.default_rng(5).standard_normal((40, 128)).astype(np.float32)
    with tempfile.TemporaryDirectory() as folder:
        target = replace(here(found, library.load((library.RTX,)), Path(folder)), sm=sm)
        try:
            graphs = TrtGraphs(files, found, target)
            got = graphs.start(64).extend(embeds).copy()
            graphs.close()
        except EdgevalError as error:
            return f"refused: {error}"
    reference = open_graphs("cpu", files)
    apart = float(np.abs(got - reference.start(64).extend(embeds)).max())
    reference.close()
    return f"builds and runs; logits at most {apart:.2g} from the engine cpu"
