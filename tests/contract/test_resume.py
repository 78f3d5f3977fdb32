"""A run killed at any moment, again and again, ends as if it had never been."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

RUN = ("videommmu", "--limit", "4", "--threads", "1", "--progress", "none")
TOGETHER = (*RUN, "--precision", "q4", "--batch-questions", "3")


def edgeval(*arguments: str, cwd: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "edgeval", *arguments]
    # Whoever starts the tests may ignore Ctrl-C, as shells do for background jobs: a child inherits
    # that, but not a handler of Python.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return subprocess.Popen(
            command,
            cwd=cwd,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    finally:
        signal.signal(signal.SIGINT, before)


def final_files(folder: Path) -> dict[str, str]:
    files = {path.name: path.read_text() for path in sorted(folder.glob("samples_*.jsonl"))}
    results = json.loads((folder / "results.json").read_text())
    for key in ("start_time", "end_time", "total_evaluation_time_seconds"):
        del results[key]
    del results["edgeval"]["costs"]
    files["results.json"] = json.dumps(results, sort_keys=True)
    files["report.md"] = (folder / "report.md").read_text().partition("## What it cost")[0]
    return files


def answered(folder: Path) -> list[str]:
    lines = (folder / "records.jsonl").read_text().splitlines()
    return [json.loads(line)["record"]["question"]["id"] for line in lines]


def killed_after(process: subprocess.Popen[bytes], seconds: float) -> bool:
    """Kill -9 unless it ends by itself first; True when it was killed."""
    try:
        _, errors = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        process.communicate()
        return True
    assert process.returncode == 0, errors
    return False


@pytest.mark.parametrize("run", [RUN, TOGETHER], ids=["one by one", "together"])
def test_killed_runs_end_like_whole_ones(
    tmp_path: Path, request: pytest.FixtureRequest, run: tuple[str, ...]
) -> None:
    kills_wanted: int = request.config.getoption("--kills")
    whole = edgeval("run", *run, "-o", "whole", cwd=tmp_path)
    began = time.monotonic()
    assert not killed_after(whole, 300)
    longest = time.monotonic() - began
    expected, order = final_files(tmp_path / "whole"), answered(tmp_path / "whole")

    chance = np.random.default_rng(20)
    kills = rounds = 0
    while kills < kills_wanted:
        rounds += 1
        folder = tmp_path / f"killed{rounds}"
        done = False
        while not done:
            resuming = (folder / "run.json").exists()
            if not resuming:
                shutil.rmtree(folder, ignore_errors=True)
            arguments = ("--resume", folder.name, "--progress", "none")
            process = edgeval(
                "run", *(arguments if resuming else (*run, "-o", folder.name)), cwd=tmp_path
            )
            limit = chance.uniform(0.2, 1.0) * longest if kills < kills_wanted else 300
            killed = killed_after(process, limit)
            kills += killed
            done = not killed
        assert answered(folder) == order
        assert final_files(folder) == expected
        shutil.rmtree(folder)


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 6)])
def test_a_run_that_is_asked_to_stop_can_go_on(
    tmp_path: Path, sent: signal.Signals, code: int
) -> None:
    process = edgeval("run", "videommmu", "--progress", "none", "-o", "run", cwd=tmp_path)
    records = tmp_path / "run" / "records.jsonl"
    deadline = time.monotonic() + 120
    while not (records.exists() and records.stat().st_size) and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(sent)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == code, errors
    assert b"--resume" in errors
    n_answered = len(answered(tmp_path / "run"))
    assert 0 < n_answered < 240
    again = edgeval("run", "--resume", "run", "--progress", "none", cwd=tmp_path)
    again.communicate(timeout=300)
    assert again.returncode == 0
    assert len(set(answered(tmp_path / "run"))) == len(answered(tmp_path / "run")) == 240
