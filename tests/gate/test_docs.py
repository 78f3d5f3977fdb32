"""The page that draws the house draws the house that stands."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


@pytest.fixture(scope="module")
def page(repo: Path) -> str:
    return (repo / "docs" / "ARCHITECTURE.md").read_text(encoding="utf-8")


def rooms(repo: Path) -> set[str]:
    """Every module and folder right under edgeval/, as the page writes them."""
    found = {f"edgeval/{p.name}" for p in (repo / "edgeval").glob("*.py")}
    found |= {
        f"edgeval/{p.name}/"
        for p in (repo / "edgeval").iterdir()
        if p.is_dir() and p.name != "__pycache__" and any(p.rglob("*"))
    }
    return found - {"edgeval/__init__.py"}


def test_every_room_is_drawn_and_every_drawn_room_is_there(repo: Path, page: str) -> None:
    drawn = set(re.findall(r"^\| `(edgeval/[\w./]+)` \|", page, re.MULTILINE))
    assert drawn == rooms(repo)


def test_the_layers_drawn_are_the_layers_checked(repo: Path, page: str) -> None:
    block = re.search(r"<!-- layers -->\n```\n(.*?)```", page, re.DOTALL)
    assert block
    drawn = [set(line.split(", ")) for line in block.group(1).splitlines()]
    project = tomllib.loads((repo / "pyproject.toml").read_text(encoding="utf-8"))
    contract = project["tool"]["importlinter"]["contracts"][0]
    checked = [{name.strip(" ()") for name in line.split("|")} for line in contract["layers"]]
    assert drawn == checked


@pytest.mark.parametrize("name", ["ARCHITECTURE.md", "ADDING.md", "DEPENDENCIES.md"])
def test_every_file_that_a_page_names_is_there(repo: Path, name: str) -> None:
    text = (repo / "docs" / name).read_text(encoding="utf-8")
    named = re.findall(r"`((?:edgeval|csrc|tests|docs|models)/[\w./-]+?\.\w+)`", text)
    missing = sorted({path for path in named if not (repo / path).exists()})
    assert missing == []


def test_every_pinned_tool_is_pinned_exactly(repo: Path) -> None:
    project = tomllib.loads((repo / "pyproject.toml").read_text(encoding="utf-8"))
    extras = project["project"]["optional-dependencies"]
    loose = [pin for pin in (*extras["dev"], *extras["bench"]) if "==" not in pin]
    assert loose == []


def test_links_and_pictures_of_every_page_are_there(repo: Path, project_files: list[Path]) -> None:
    pages = [path for path in project_files if path.suffix == ".md"]
    found = [
        (page, target)
        for page in pages
        for target in re.findall(r"\]\((?!http)([^)#]+)", page.read_text(encoding="utf-8"))
    ]
    assert {page.name for page, _ in found} > {"README.md", "LESSON.md"}
    missing = [
        f"{page.relative_to(repo)}: {target}"
        for page, target in found
        if not (page.parent / target).exists()
    ]
    assert missing == []


@pytest.mark.parametrize("page", ["DETERMINISM.md", "families.md", "SAFETY.md"])
def test_every_test_that_a_page_names_is_there(repo: Path, page: str) -> None:
    text = (repo / "docs" / page).read_text(encoding="utf-8")
    named = set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", text))
    missing = [
        f"{path}::{test}"
        for path, test in sorted(named)
        if not (repo / path).is_file()
        or f"def {test}(" not in (repo / path).read_text(encoding="utf-8")
    ]
    assert missing == []


def test_every_line_on_determinism_names_a_test(repo: Path) -> None:
    lines = (repo / "docs" / "DETERMINISM.md").read_text(encoding="utf-8").splitlines()
    rows = [line for line in lines if line.startswith("| ")][1:]
    assert len(rows) > 5
    assert [row for row in rows if "::test_" not in row] == []
