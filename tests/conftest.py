"""Fixtures every test may use, and how hypothesis runs here."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

# Slow machines are no failure, and the same commit gets the same examples everywhere.
settings.register_profile("house", deadline=None, derandomize=True, database=None, max_examples=60)
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


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--kills N``: how often the resume test kills a run; hundreds when asked."""
    parser.addoption("--kills", type=int, default=4, help="kill -9 so often in the resume test")
