"""What a model is told, over the real questions, in every setting and way of prompting."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import pytest

HERE = Path(__file__).parent
GOLDEN = json.loads((HERE / "prompts.json").read_text(encoding="utf-8"))


def maker() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_prompts", HERE / "make_prompts.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", sorted(GOLDEN))
def test_prompts_are_those_that_were_recorded(shared: Path, tmp_path: Path, name: str) -> None:
    made = maker()
    root = made.folder(shared, name, tmp_path)
    found = {key: {"sha256": sha256, "n": n} for key, sha256, n in made.digests(root, name)}
    changed = [key for key in GOLDEN[name] if found.get(key) != GOLDEN[name][key]]
    assert changed == []
    assert set(found) == set(GOLDEN[name])
