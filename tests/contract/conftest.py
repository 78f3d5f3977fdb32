"""Fixtures of the contract tests."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

# What hostile templates look for.
SECRET = "a-secret-of-the-surroundings"


@dataclass(frozen=True, slots=True)
class Done:
    """What came of a job: see cell.py."""

    code: int
    out: str
    err: str
    grew: int
    cpu_s: float

    def sentence(self) -> str:
        """The one line on stderr."""
        lines = self.err.splitlines()
        assert len(lines) == 1, self.err
        return lines[0]


Do = Callable[..., Done]


@contextmanager
def cell(*modules: str) -> Iterator[Do]:
    """Start cell.py; the jobs' keys are the arguments of what is given."""
    with subprocess.Popen(
        [sys.executable, Path(__file__).with_name("cell.py"), *modules],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "SECRET": SECRET, "OMP_NUM_THREADS": "1"},  # noqa: TID251 - and the rest
        cwd="/",
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None

        def do(**job: object) -> Done:
            assert process.stdin is not None
            assert process.stdout is not None
            print(json.dumps(job), file=process.stdin, flush=True)
            return Done(**json.loads(process.stdout.readline()))

        yield do
        process.stdin.close()


@pytest.fixture(scope="session")
def bounded() -> Iterator[Do]:
    """Commands of edgeval and templates, in little memory."""
    with cell("onnxruntime", "tokenizers", "edgeval.model") as do:
        yield do
