"""Fixtures every test may use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of evaluation data beside the checkout; skip where it is absent."""
    root = Path(os.environ.get("EDGEVAL_SHARED", Path(__file__).resolve().parents[2] / "shared"))
    if not root.is_dir():
        pytest.skip("evaluation data (../shared or $EDGEVAL_SHARED) is not on this machine")
    return root
