"""How long the command line takes to say what it can do. Wants <= 0.3 s on two slow cores."""

from __future__ import annotations

import statistics
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from pytest_benchmark.fixture import BenchmarkFixture

LIMIT_S = 0.3


def test_help_starts_in_time(
    at_least: Callable[[str, float, float], None], benchmark: BenchmarkFixture, tmp_path: Path
) -> None:
    def say() -> str:
        command = [sys.executable, "-m", "edgeval", "--help"]
        return subprocess.run(
            command, cwd=tmp_path, capture_output=True, text=True, check=True
        ).stdout

    shown = benchmark.pedantic(say, rounds=15, warmup_rounds=2)
    assert "doctor" in shown
    if benchmark.enabled:
        times: list[float] = benchmark.stats.stats.data
        at_least("--help starts, times faster than 0.3 s", LIMIT_S / statistics.median(times), 1.0)
