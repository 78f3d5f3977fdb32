"""Where what was made once is kept for this user: one rule for engines and transcripts."""

from __future__ import annotations

import os
from pathlib import Path

PRIVATE = 0o700


def folder() -> Path:
    """$XDG_CACHE_HOME/edgeval, else ~/.cache/edgeval; by the XDG rules a relative one is none.

    Source: XDG Base Directory Specification 0.8.
    """
    said = Path(os.environ.get("XDG_CACHE_HOME", ""))  # noqa: TID251 - one rule for all rooms
    return (said if said.is_absolute() else Path.home() / ".cache") / "edgeval"


def make(path: Path) -> None:
    """A folder and all above it that are missing, for this user alone. Raises OSError."""
    missing = [one for one in (path, *path.parents) if not one.exists()]
    for one in reversed(missing):
        one.mkdir(mode=PRIVATE, exist_ok=True)
    if not path.is_dir():
        path.mkdir()  # says what it is
