"""The house keeps its shape: small modules, one job each, names that say it."""

from __future__ import annotations

import ast
import re
from pathlib import Path

MAX_LINES = 300
LONGER = {"edgeval/types.py": 420}  # The nouns, values only, all in one place.
VAGUE = {"util", "utils", "helper", "helpers", "misc", "common", "manager"}
DOORS = ("frames", "pixels", "floatresize", "metrics", "rewards")
CORE_IMPORTERS = {f"edgeval/{door}.py" for door in DOORS}


def n_lines(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def test_no_source_file_is_longer_than_one_can_hold_in_mind(
    repo: Path, modules: list[Path]
) -> None:
    sources = [*modules, *(repo / "csrc").glob("*/*.[ch]pp")]
    sizes = {p.relative_to(repo).as_posix(): n_lines(p) for p in sources}
    long = {name: n for name, n in sizes.items() if n > LONGER.get(name, MAX_LINES)}
    assert long == {}


def test_no_module_has_a_name_that_says_nothing(repo: Path, modules: list[Path]) -> None:
    vague = [str(p.relative_to(repo)) for p in modules if VAGUE & set(p.stem.split("_"))]
    assert vague == []


def test_every_module_says_what_it_is(repo: Path, modules: list[Path]) -> None:
    silent = [
        str(p.relative_to(repo))
        for p in modules
        if not ast.get_docstring(ast.parse(p.read_text(encoding="utf-8")))
    ]
    assert silent == []


def test_only_the_four_doors_import_the_compiled_module(repo: Path, modules: list[Path]) -> None:
    pattern = re.compile(
        r"^\s*(from edgeval import .*\b_core\b|(from|import) edgeval\._core\b)", re.M
    )
    importers = {
        p.relative_to(repo).as_posix() for p in modules if pattern.search(p.read_text("utf-8"))
    }
    assert importers <= CORE_IMPORTERS


def test_the_core_knows_no_python(repo: Path) -> None:
    pattern = re.compile(r'#include\s*[<"](Python\.h|pybind11/)|\bstd::(cout|cerr)\b|\bprintf\(')
    guilty = [p.name for p in (repo / "csrc" / "core").iterdir() if pattern.search(p.read_text())]
    assert guilty == []
