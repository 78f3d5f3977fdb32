"""Whether a trained model may take the place of the one that ships, and the taking."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from training.evaluation import FILE

LIMIT_BYTES = 16_000_000
Key = tuple[str, str, str, str, str]


def leading(figures: Path) -> dict[Key, float]:
    """The figures that lead each benchmark's table, by benchmark, precision, name, rule, group."""
    lines = (figures / FILE).read_text(encoding="utf-8").splitlines()
    rows: list[Mapping[str, Any]] = [json.loads(line) for line in lines]
    return {
        (row["benchmark"], row["precision"], row["name"], row["rule"], row["group"]): row["value"]
        for row in rows
        if row["kind"] == "figures" and row["leads"] and row["value"] is not None
    }


def against(model: Path, new: Path, old: Path, embedded: Path) -> Iterator[str]:
    """What speaks against shipping ``model``, one sentence each; nothing where it may.

    ``new`` and ``old``: folders of evaluate.py on the same clips, of it and of the one that ships.
    """
    before, after = leading(old), leading(new)
    if not before:
        yield f"{old}: has no figures to compare with"
    for key, value in before.items():
        if key not in after:
            yield f"{', '.join(key)}: was {value:.1f}, is not measured"
        elif after[key] < value:
            yield f"{', '.join(key)}: was {value:.1f}, is {after[key]:.1f}"
    n_bytes = sum(
        path.stat().st_size
        for folder in (model, embedded)
        for path in folder.rglob("*")
        if path.is_file()
    )
    if n_bytes > LIMIT_BYTES:
        yield f"weights and clips are {n_bytes / 1e6:.1f} MB; wants at most {LIMIT_BYTES / 1e6:.0f}"


def take(model: Path, place: Path) -> None:
    """Copy a model's files over those at ``place``; what is there besides stays."""
    shutil.rmtree(place / "onnx", ignore_errors=True)
    shutil.copytree(model, place, dirs_exist_ok=True)
