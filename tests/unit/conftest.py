"""Fixtures of the unit tests."""

from __future__ import annotations

import importlib
import importlib.util
import re
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from edgeval import manifest


@pytest.fixture
def gil_ticks() -> Iterator[Callable[[Callable[[], object]], int]]:
    """Count how often this thread gets to run while another is inside a call into C++.

    The switch interval is set far above the call's length, so that only the call itself can hand
    the GIL over: 0 ticks means it never did.
    """

    def count(call: Callable[[], object]) -> int:
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
def hf() -> Iterator[None]:
    """torch and transformers ready to import, also beside a torchvision that cannot load.

    A CUDA wheel of torchvision beside a CPU torch lacks its operators; what the tests use needs
    none of them, so it is enough to declare their names before transformers looks.
    """
    torch = pytest.importorskip("torch")
    pytest.importorskip("transformers")
    library = None
    spec = importlib.util.find_spec("torchvision")
    if spec is not None and spec.submodule_search_locations:
        try:
            importlib.import_module("torchvision")
        except RuntimeError:
            source = Path(spec.submodule_search_locations[0], "_meta_registrations.py").read_text()
            names = set(re.findall(r'register_fake\("torchvision::(\w+)"', source))
            names |= set(re.findall(r'register_meta\("(\w+)"', source))
            library = torch.library.Library("torchvision", "DEF")
            for name in sorted(names):
                library.define(f"{name}(Tensor a) -> Tensor")
    yield
    del library


@pytest.fixture(scope="session")
def tiny() -> Path:
    """The model that edgeval carries."""
    return manifest.find("tiny")
