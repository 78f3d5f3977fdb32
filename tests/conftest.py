"""Fixtures every test may use, and how hypothesis runs here."""

from __future__ import annotations

import importlib
import importlib.util
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

# Slow machines are no failure, and the same commit gets the same examples everywhere.
settings.register_profile("house", deadline=None, derandomize=True, database=None, max_examples=60)
settings.register_profile("long", settings.get_profile("house"), max_examples=1_000)
settings.load_profile("house")


@pytest.fixture(scope="session")
def repo() -> Path:
    """The root of the checkout the tests stand in."""
    return Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def shared(repo: Path) -> Path:
    """The folder of evaluation data beside the checkout; skip where it is absent."""
    told = os.environ.get("EDGEVAL_SHARED")  # noqa: TID251 - tests may be told where it is
    root = Path(told) if told else repo.parent / "shared"
    if not root.is_dir():
        pytest.skip("evaluation data (../shared or $EDGEVAL_SHARED) is not on this machine")
    return root


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


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--kills N``: how often the resume test kills a run; hundreds when asked."""
    parser.addoption("--kills", type=int, default=4, help="kill -9 so often in the resume test")
