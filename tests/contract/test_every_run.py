"""``edgeval run NAME`` alone works for every NAME: it ends, resumes, and is scored again."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from edgeval import benchmarks
from edgeval.cli.main import cli

FEW = ("--limit", "2", "--max-new-tokens", "24", "--threads", "1", "--progress", "none")


def edgeval(*arguments: str | Path) -> str:
    """Its stdout; it must end well."""
    here = Path.cwd()
    try:
        result = CliRunner().invoke(cli, [str(argument) for argument in arguments])
    finally:
        os.chdir(here)
    assert not result.exception or result.exception.args == (0,), result.exception
    return result.stdout


def files(folder: Path) -> dict[str, object]:
    """Every final file; without what is about times and the machine."""
    held: dict[str, object] = {path.name: path.read_text() for path in folder.glob("samples_*")}
    results = json.loads((folder / "results.json").read_text())
    for key in ("start_time", "end_time", "total_evaluation_time_seconds"):
        del results[key]
    del results["edgeval"]["costs"]
    report = (folder / "report.md").read_text().partition("## What it cost")[0]
    return {**held, "report.md": report, "results.json": results}


@pytest.mark.parametrize("name", sorted(benchmarks.MODULES))
def test_a_run_without_data_ends_resumes_and_scores_again(name: str, tmp_path: Path) -> None:
    run = tmp_path / "run"
    assert "tiny" in edgeval("run", name, *FEW, "-o", run)
    whole = files(run)
    assert len(whole) > 2

    edgeval("capsule", run, "-o", tmp_path / "capsule")
    assert edgeval("verify", tmp_path / "capsule", "--model", "tiny").count(" ok: ") == 3

    half = tmp_path / "half"
    shutil.copytree(run, half)
    records = (half / "records.jsonl").read_bytes().splitlines(keepends=True)
    (half / "records.jsonl").write_bytes(b"".join(records[: len(records) // 2]))
    edgeval("run", "--resume", half, "--progress", "none")
    assert files(half) == whole

    for made in ("report.md", "results.json"):
        (half / made).unlink()
    edgeval("score", half)
    assert files(half) == whole


@pytest.mark.parametrize("name", sorted(benchmarks.MODULES))
def test_what_it_carries_is_whole(name: str) -> None:
    assert "missing" not in edgeval("data", "check", name)
