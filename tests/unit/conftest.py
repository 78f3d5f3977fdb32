"""Fixtures of the unit tests."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from edgeval.modelfolder import manifest

TRIES = 100  # a busy machine may not let the watching thread run within one call


@pytest.fixture
def releases_gil() -> Iterator[Callable[[Callable[[], object]], bool]]:
    """Whether this thread ever gets to run while another is inside a call into C++.

    The switch interval is set far above the call's length, so only the call itself can hand the GIL
    over: running once inside it is proof, and nothing here depends on how long anything takes.
    """

    def releases(call: Callable[[], object]) -> bool:
        return any(ran_inside(call) for _ in range(TRIES))

    def ran_inside(call: Callable[[], object]) -> bool:
        inside, done = threading.Event(), threading.Event()

        def work() -> None:
            inside.set()
            call()
            done.set()

        worker = threading.Thread(target=work)
        worker.start()
        inside.wait()
        ran = not done.is_set()
        worker.join()
        return ran

    before = sys.getswitchinterval()
    sys.setswitchinterval(60.0)
    yield releases
    sys.setswitchinterval(before)


@pytest.fixture(scope="session")
def tiny() -> Path:
    """The model that edgeval carries."""
    return manifest.find("tiny")
