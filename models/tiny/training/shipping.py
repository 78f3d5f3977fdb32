"""Whether a trained model may take the place of the one that ships, and the taking."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from training.evaluation import FILE, files_of, name_of
from training.export import MEASURED, measured

LIMIT_BYTES = 16_000_000
Row = Mapping[str, Any]
Key = tuple[str, ...]
_KEY = ("benchmark", "precision", "frames", "name", "rule", "group")
# What a model gains or loses between two settings or levels: more of it is not better in itself,
# and how many questions it is of hangs on the answers.
_DIFFERENCES = ("delta-knowledge", "wrong-to-right", "right-to-wrong", "gap L1-L2", "gap L2-L3")


def leading(figures: Path) -> dict[Key, Row]:
    """The figures that lead each benchmark's table and tell which model is better."""
    path = figures / FILE
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    rows: list[Row] = [json.loads(line) for line in lines]
    return {
        tuple(str(row[name]) for name in _KEY): row
        for row in rows
        if row["kind"] == "figures"
        and row["leads"]
        and row["name"] not in _DIFFERENCES
        and row["value"] is not None
    }


def against(model: Path, new: Path, old: Path, embedded: Path) -> Iterator[str]:
    """What speaks against shipping ``model``, one sentence each; nothing where it may.

    ``new`` and ``old``: folders of evaluate.py on the same clips, of it and of the one that ships.
    """
    before, after = leading(old), leading(new)
    if not before:
        yield f"{old}: has no figures to compare with"
    for key, then in before.items():
        told = f"{', '.join(key)}: was {then['value']:.1f}"
        if key not in after:
            yield f"{told}, is not measured"
        elif after[key]["n"] != then["n"]:
            yield f"{told} of {then['n']}, now of {after[key]['n']}; ask both the same"
        elif after[key]["value"] < then["value"]:
            yield f"{told}, is {after[key]['value']:.1f}"
    for precision in sorted({row["precision"] for row in after.values()}):
        made_of = {row["model"] for row in after.values() if row["precision"] == precision}
        folder = measured(model) if precision == MEASURED[0] else model
        if made_of != {name_of(files_of(folder, precision))}:
            yield f"{new}: its figures in {precision} are of another model than {folder}"
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
