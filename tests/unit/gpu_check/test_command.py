"""The command: refusals in one sentence, parts in processes that end."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from edgeval import cudadriver
from edgeval.errors import EngineError
from gpu_check import conformance, parts
from gpu_check.job import Job, read
from gpu_check.results import Results


def called(repo: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(repo / "tools/gpu_check"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture
def no_gpu() -> None:
    """Skip where there is one: then the command would begin."""
    try:
        cudadriver.probe("cuda")
    except EngineError:
        return
    pytest.skip("this machine has a GPU")


def test_without_a_gpu_it_is_one_sentence(no_gpu: None, repo: Path, tmp_path: Path) -> None:
    done = called(repo, "--out", str(tmp_path / "out"))
    assert done.returncode == 4
    assert done.stderr.startswith("gpu_check: ")
    assert len(done.stderr.splitlines()) == 1
    assert (done.stdout, list(tmp_path.iterdir())) == ("", [])


@pytest.mark.parametrize(
    "arguments", [("--parts", "speed,fast"), ("--minutes", "0"), ("--table", "none.json")]
)
def test_senseless_options_are_usage_errors(repo: Path, arguments: tuple[str, ...]) -> None:
    done = called(repo, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert "Traceback" not in done.stderr


def test_the_table_of_a_file(repo: Path, result: Results) -> None:
    done = called(repo, "--table", str(result.path))
    assert done.returncode == 0
    assert done.stdout.startswith("GPU check 2030-01-02: NVIDIA Made Up")


def test_a_part_is_not_begun_without_time(repo: Path, tmp_path: Path) -> None:
    done = called(repo, "--rehearse", "--minutes", "0.01", "--out", str(tmp_path))
    assert done.returncode == 1
    (path,) = tmp_path.glob("*.json")
    found = Results(path).read()
    assert {part["status"] for part in found["parts"].values()} == {"not started"}


def job(tmp_path: Path, part: str, seconds: float) -> Job:
    return Job(part=part, out=str(tmp_path / "out.json"), work=str(tmp_path), seconds=seconds)


def test_a_part_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    assert parts.in_a_process(job(tmp_path, "parity", 0.05))[0] == "out of time"


def test_a_part_that_ends_its_process_is_told(tmp_path: Path, monkeypatch) -> None:
    tool = tmp_path / "tool"
    tool.mkdir()
    (tool / "__main__.py").write_text("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)")
    monkeypatch.setattr(parts, "TOOL", tool)
    status, why = parts.in_a_process(job(tmp_path, "rtx", 60))
    assert (status, "SIGSEGV" in why) == ("failed", True)


def test_a_refusal_is_no_failure(no_gpu: None, tmp_path: Path) -> None:
    status, why = parts.in_a_process(job(tmp_path, "rtx", 60))
    assert status == "refused"
    assert "no NVIDIA driver" in why or "driver" in why


def test_all_that_a_part_said_is_kept(tmp_path: Path, monkeypatch) -> None:
    tool = tmp_path / "tool"
    tool.mkdir()
    (tool / "__main__.py").write_text("print('first'); raise RuntimeError('last')")
    monkeypatch.setattr(parts, "TOOL", tool)
    status, why = parts.in_a_process(job(tmp_path, "rtx", 60))
    assert (status, why) == ("failed", "RuntimeError: last")
    said = parts.log(str(tmp_path), "rtx").read_text("utf-8")
    assert said.startswith("first\nTraceback")


def test_every_part_has_a_module_and_a_place_in_the_table(repo: Path) -> None:
    for part in parts.PARTS:
        assert (repo / "tools" / "gpu_check" / f"{part.module}.py").is_file(), part.name


@pytest.mark.parametrize(
    ("engine", "wanted"),
    [("cuda", "cuda"), ("trt", "trt and not trt-inplace"), ("trt-inplace", "trt-inplace")],
)
def test_an_engine_is_not_tested_for_another(engine: str, wanted: str) -> None:
    assert conformance.chosen(engine) == wanted


def test_every_engine_of_a_job_has_its_variants_for_parity() -> None:
    parity = pytest.importorskip("gpu_check.parity")
    given = Job(part="", out="", work="", seconds=0)
    assert set(given.engines) < set(parity.VARIANTS)


def test_a_job_goes_through_text(tmp_path: Path) -> None:
    one = job(tmp_path, "speed", 5)
    assert read(one.text()) == one


def test_the_suite_is_counted(tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    report.write_text(
        "<testsuites><testsuite>"
        '<testcase name="a[cuda]"/>'
        '<testcase name="b[cuda]"><failure message="got 1&#10;wanted 2"/></testcase>'
        '<testcase name="c[cuda]"><skipped message="no q4"/></testcase>'
        '<testcase name="d[cuda]"><error message=""/></testcase>'
        "</testsuite></testsuites>"
    )
    assert conformance.counted(report) == {
        "passed": 1,
        "failed": 2,
        "skipped": 1,
        "failures": ["b[cuda]: got 1", "d[cuda]: no reason given"],
        "reasons": {"no q4": 1},
    }
