"""The tokenizer of a training, made once."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("PIL", reason="the generators draw with Pillow (extra make)")


@pytest.fixture(scope="session")
def tokenizer_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from training import tokenizer

    folder = tmp_path_factory.mktemp("tokenizer")
    tokenizer.build(folder, run=0, share=0.1)
    return folder / tokenizer.FILE
