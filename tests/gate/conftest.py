"""What the gates look at: the files of the project, read once."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

SKIPPED = {".git", ".nox", "build", "dist", "__pycache__", "runs"}


@pytest.fixture(scope="session")
def project_files(repo: Path) -> list[Path]:
    """Every file under version control; outside a git checkout, every file that looks like one."""
    if (repo / ".git").exists():
        listed = subprocess.run(
            ["git", "-C", str(repo), "ls-files", "-z"], capture_output=True, check=False, text=True
        )
        if listed.returncode == 0:
            return [
                p for name in listed.stdout.split("\0") if name and (p := repo / name).is_file()
            ]
    return [p for p in repo.rglob("*") if p.is_file() and not hidden(p.relative_to(repo))]


def hidden(relative: Path) -> bool:
    """Whether a path lies in a folder that tools make."""
    return any(part in SKIPPED or part.startswith(".venv") for part in relative.parts)


@pytest.fixture(scope="session")
def modules(repo: Path) -> list[Path]:
    """Every Python module of the package."""
    return sorted((repo / "edgeval").rglob("*.py"))
