"""What no committed line may say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

TEXT = {".py", ".pyi", ".cpp", ".hpp", ".md", ".toml", ".txt", ".json", ".yaml", ".yml", ".jinja"}
TEXT |= {".clang-format", ".clang-tidy", "", ".cff"}
# Written so that this file does not match itself.
FORBIDDEN = {
    "a path of one machine": r"(?<![\w.])/(?:wor[k]|hom[e]/\w+|roo[t]|User[s]/\w+)/\w",
    "a type ignored without saying which": r"#\s*type:\s*ignor[e](?!\[)",
    "a rule switched off without saying which": r"#\s*noq[a](?!:\s*[A-Z])",
    "work left for later": r"\b(?:TOD[O]|FIXM[E]|XX[X])\b",
    "a merge mark": r"^(?:<{7}|>{7}) ",
}


@pytest.fixture(scope="module")
def texts(repo: Path, project_files: list[Path]) -> dict[str, str]:
    """Every text file of the project, by its path."""
    return {
        p.relative_to(repo).as_posix(): p.read_text(encoding="utf-8", errors="replace")
        for p in project_files
        if p.suffix in TEXT and p.stat().st_size < 1_000_000
    }


@pytest.mark.parametrize("name", FORBIDDEN)
def test_no_file_holds(name: str, texts: dict[str, str]) -> None:
    pattern = re.compile(FORBIDDEN[name], re.MULTILINE)
    found = [
        f"{path}:{text.count(chr(10), 0, hit.start()) + 1}: {hit.group()}"
        for path, text in texts.items()
        for hit in pattern.finditer(text)
    ]
    assert found == []


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("a path of one machine", "see /hom" + "e/ada/x"),
        ("a type ignored without saying which", "x = y  # type: ignor" + "e"),
        ("a rule switched off without saying which", "x = y  # noq" + "a"),
        ("work left for later", "# TOD" + "O: later"),
        ("a merge mark", "<" * 7 + " HEAD"),
    ],
)
def test_the_pattern_finds_what_it_forbids(name: str, line: str) -> None:
    assert re.search(FORBIDDEN[name], line, re.MULTILINE)


def test_no_committed_file_is_large(repo: Path, project_files: list[Path]) -> None:
    large = [p.relative_to(repo).as_posix() for p in project_files if p.stat().st_size > 12e6]
    assert large == []
