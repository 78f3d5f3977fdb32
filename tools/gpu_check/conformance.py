"""The suite that every engine must pass, run on each, and what it said."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from edgeval import engines
from edgeval.engines import GraphFiles
from edgeval.errors import EngineError
from edgeval.modelfolder import manifest
from gpu_check.job import REPO, Job

SUITE = REPO / "tests" / "contract" / "test_engines.py"
KEPT = 12


def run(job: Job) -> None:
    """Each engine in turn; one that cannot run here is told with its reason."""
    for name in job.engines:
        try:
            what = engines.load(name).check(carried())
        except EngineError as error:
            job.put(name, {"refused": str(error)})
            continue
        job.put(name, {"what": what, **suite(name, Path(job.work))})


def suite(engine: str, work: Path) -> dict[str, Any]:
    """Counts of the suite's tests on one engine, required to run; failures in a line each."""
    report = work / f"conformance-{engine}.xml"
    report.unlink(missing_ok=True)
    command = [sys.executable, "-m", "pytest", str(SUITE), "-q", "-k", chosen(engine)]
    command += ["-c", str(REPO / "pyproject.toml"), "--rootdir", str(REPO)]
    command += ["-o", "addopts=--import-mode=importlib", "-o", "filterwarnings=default"]
    command += ["-p", "no:cacheprovider", f"--junitxml={report}"]
    done = subprocess.run(
        command,
        # In the checkout, Python would find the package's sources before the installed package.
        cwd=work,
        env={**os.environ, "EDGEVAL_REQUIRE_ENGINES": engine},
        capture_output=True,
        text=True,
        check=False,
    )
    if not report.is_file():
        said = (done.stdout + done.stderr).strip().splitlines()
        return {"failed": 1, "failures": [f"no report: {said[-1] if said else 'it said nothing'}"]}
    return counted(report)


def chosen(engine: str) -> str:
    """What picks the tests of one engine, and of none whose name holds its own."""
    others = [name for name in engines.names() if engine in name and name != engine]
    return " and not ".join((engine, *others))


def counted(report: Path) -> dict[str, Any]:
    """A JUnit file as numbers, with the first line of every failure and each reason to skip."""
    failures: list[str] = []
    skipped: dict[str, int] = {}
    n_tests = 0
    for case in ET.parse(report).getroot().iter("testcase"):
        n_tests += 1
        for bad in (*case.findall("failure"), *case.findall("error")):
            failures.append(f"{case.get('name')}: {_line(bad.get('message'))}")
        for skip in case.findall("skipped"):
            reason = _line(skip.get("message"))
            skipped[reason] = skipped.get(reason, 0) + 1
    n_skipped = sum(skipped.values())
    return {
        "passed": n_tests - len(failures) - n_skipped,
        "failed": len(failures),
        "skipped": n_skipped,
        "failures": failures[:KEPT],
        "reasons": skipped,
    }


def carried() -> GraphFiles:
    """Graphs of the model that the package carries."""
    graphs = manifest.load(manifest.find("tiny")).variant("fp32").graphs
    return GraphFiles(
        vision=graphs["vision_encoder"].path,
        embed=graphs["embed_tokens"].path,
        decoder=graphs["decoder_model_merged"].path,
    )


def _line(text: str | None) -> str:
    lines = (text or "").strip().splitlines()
    return lines[0][:300] if lines else "no reason given"
