"""Six families at tiny size: what each engine and precision says beside torch's float32 on the CPU.

The engine is made to take the reference's own tokens, so that every one of them is a fresh
question, and the logits are compared at each.
"""

from __future__ import annotations

import importlib
import tempfile
from pathlib import Path
from typing import Any

from edgeval import engines
from edgeval.engines import open_graphs
from edgeval.errors import EdgevalError
from edgeval.export import proof
from edgeval.export.checkpoint import UNFIT
from edgeval.export.exporters import EXPORTERS
from edgeval.export.folder import Precision
from edgeval.export.graphspec import Flavour
from gpu_check.conformance import carried
from gpu_check.exporting import Exporter, graph_files
from gpu_check.families import CONFIGS, network
from gpu_check.job import Job

# What each engine is for: flavour and precision.
VARIANTS: dict[str, tuple[tuple[Flavour, Precision], ...]] = {
    "cuda": (("plain", "fp32"), ("ort", "fp16")),
    "trt": (("plain", "fp32"), ("plain", "fp16")),
    "trt-inplace": (("plain", "fp32"), ("plain", "fp16")),
    "cpu": (("plain", "fp32"), ("ort", "fp16")),
}


def run(job: Job) -> None:
    """Family after family, every engine of the job on each."""
    refused = {name: why for name in job.engines if (why := _refused(name))}
    for name, why in refused.items():
        job.put(name, {"refused": why})
    able = [name for name in job.engines if name not in refused]
    if not able:
        return
    for family in CONFIGS:
        try:
            found = compared(family, able)
        except (EdgevalError, *UNFIT) as error:
            # Of one family: another version of torch may not trace what this one does.
            found = {"all": {"failed": f"{type(error).__name__}: {str(error)[:300]}"}}
        job.put(family, found)


def compared(family: str, able: list[str]) -> dict[str, Any]:
    """By engine, flavour and precision: tokens that agree, and how far logits are apart."""
    model = network(family)
    module = importlib.import_module(EXPORTERS[family].module)
    fixed = module.fixed_inputs(model)
    reference = proof.reference(model, fixed)
    exporter = Exporter(family, model, reference.ranges)
    wanted = [(name, *variant) for name in able for variant in VARIANTS[name]]
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as temporary:
        for flavour in sorted({flavour for _, flavour, _ in wanted}):
            precisions = sorted({p for _, f, p in wanted if f == flavour})
            exporter.write(Path(temporary) / flavour, flavour, tuple(precisions))
        for engine, flavour, precision in wanted:
            files = graph_files(Path(temporary) / flavour, precision)
            key = f"{engine} {precision} {flavour}"
            try:
                graphs = open_graphs(engine, files)
                proved = proof.prove(reference, graphs, fixed=fixed, precision=precision)
                graphs.close()
            except EdgevalError as error:
                found[key] = {"failed": str(error)}
                continue
            found[key] = {
                "tokens": proved.n_tokens,
                "equal_tokens": proved.n_equal,
                "max_abs_dlogit": float(f"{proved.max_abs_dlogit:.3g}"),
                "logit_std": float(f"{proved.logit_std:.3g}"),
                "holds": proved.holds,
            }
    return found


def _refused(engine: str) -> str:
    """Why an engine cannot run here, "" where it can."""
    try:
        engines.load(engine).check(carried())
    except EdgevalError as error:
        return str(error)
    return ""
