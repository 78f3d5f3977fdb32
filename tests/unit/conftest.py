"""Fixtures of the unit tests."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from edgeval.modelfolder import manifest

ENOUGH = 1000  # ticks; every test asks for fewer


@pytest.fixture
def gil_ticks() -> Iterator[Callable[[Callable[[], object]], int]]:
    """Count how often this thread gets to run while another is inside a call into C++.

    The switch interval is set far above the call's length, so that only the call itself can hand
    the GIL over: 0 ticks means it never did, or that a busy machine never let this thread run, so
    the best of a few tries counts.
    """

    def count(call: Callable[[], object]) -> int:
        best = 0
        for _ in range(8):
            best = max(best, once(call))
            if best > ENOUGH:
                break
        return best

    def once(call: Callable[[], object]) -> int:
        inside, done = threading.Event(), threading.Event()

        def work() -> None:
            inside.set()
            call()
            done.set()

        worker = threading.Thread(target=work)
        worker.start()
        inside.wait()
        ticks = 0
        while not done.is_set():
            ticks += 1
            time.sleep(0)
        worker.join()
        return ticks

    before = sys.getswitchinterval()
    sys.setswitchinterval(60.0)
    yield count
    sys.setswitchinterval(before)


@pytest.fixture(scope="session")
def tiny() -> Path:
    """The model that edgeval carries."""
    return manifest.find("tiny")
