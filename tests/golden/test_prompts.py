"""What a model is told, over all questions, in every setting and way of prompting."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import pytest

from edgeval import benchmarks
from edgeval.analyses import prompting

HERE = Path(__file__).parent
GOLDEN = json.loads((HERE / "prompts.json").read_text(encoding="utf-8"))


def maker() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_prompts", HERE / "make_prompts.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_benchmark_setting_and_way_is_recorded() -> None:
    wanted = {
        name: {f"{x}, {way}" for x in benchmarks.load(name).settings for way in prompting.names()}
        for name in benchmarks.MODULES
    }
    assert {name: set(keys) for name, keys in GOLDEN.items()} == wanted


@pytest.mark.parametrize("name", sorted(GOLDEN))
def test_prompts_are_those_that_were_recorded(shared: Path, tmp_path: Path, name: str) -> None:
    made = maker()
    root = made.folder(shared, name, tmp_path)
    found = {key: {"sha256": sha256, "n": n} for key, sha256, n in made.digests(root, name)}
    changed = [key for key in GOLDEN[name] if found.get(key) != GOLDEN[name][key]]
    assert changed == []
    assert set(found) == set(GOLDEN[name])
