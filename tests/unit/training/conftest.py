"""The training's own modules, found where they lie; its tokenizer, made once."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

_FOLDER = Path(__file__).resolve().parents[3] / "models" / "tiny" / "training"


def _found() -> None:
    """Make ``training`` importable by its file.

    Not by a path: beside it lies the folder onnx of the model's graphs, which would then be taken
    for the package onnx where that is not installed.
    """
    spec = importlib.util.spec_from_file_location(
        "training", _FOLDER / "__init__.py", submodule_search_locations=[str(_FOLDER)]
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["training"] = module
    spec.loader.exec_module(module)


_found()

pytest.importorskip("PIL", reason="the generators draw with Pillow (extra make)")


@pytest.fixture(scope="session")
def tokenizer_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from training import tokenizer

    folder = tmp_path_factory.mktemp("tokenizer")
    tokenizer.build(folder, run=0, share=0.1)
    return folder / tokenizer.FILE
