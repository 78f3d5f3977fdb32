"""A model that is worse anywhere, or too large, does not take the place of the one that ships."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from training import evaluation, shipping


def figures(folder: Path, **values: float | None) -> Path:
    folder.mkdir()
    rows = [
        {"kind": "figures", "leads": True, "benchmark": name, "precision": "fp32", "name": "acc",
         "rule": "official", "group": "", "value": value}
        for name, value in values.items()
    ]  # fmt: skip
    rows.append({**rows[0], "leads": False, "name": "other", "value": 0.0})
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    (folder / evaluation.FILE).write_text(lines)
    return folder


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ({"a": 50.0, "b": 40.0}, {"a": 50.0, "b": 41.0}, []),
        ({"a": 50.0, "b": 40.0}, {"a": 90.0, "b": 39.9}, ["b, fp32, acc, official, : was 40.0"]),
        ({"a": 50.0, "b": 40.0}, {"a": 90.0}, ["b, fp32, acc, official, : was 40.0, is not"]),
        ({"a": None}, {"a": 90.0}, ["has no figures"]),
    ],
)
def test_what_speaks_against_it(
    tmp_path: Path, old: dict[str, float], new: dict[str, float], told: list[str]
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    before, after = figures(tmp_path / "old", **old), figures(tmp_path / "new", **new)
    said = list(shipping.against(empty, after, before, empty))
    assert len(said) == len(told)
    assert all(wanted in got for wanted, got in zip(told, said, strict=True))


def test_what_is_too_large_is_told(tmp_path: Path) -> None:
    model = tmp_path / "model"
    model.mkdir()
    with (model / "big").open("wb") as stream:
        stream.truncate(shipping.LIMIT_BYTES + 1)
    one = figures(tmp_path / "one", a=1.0)
    assert "16.0 MB" in next(iter(shipping.against(model, one, one, tmp_path / "none")))


def test_the_files_are_taken_and_the_scripts_stay(tmp_path: Path) -> None:
    model, place = tmp_path / "model", tmp_path / "place"
    for folder in (model / "onnx", place / "onnx"):
        folder.mkdir(parents=True)
    (model / "onnx" / "new.onnx").write_text("new")
    (place / "onnx" / "old.onnx").write_text("old")
    (place / "train.py").write_text("script")
    shipping.take(model, place)
    left = {path.relative_to(place).as_posix() for path in place.rglob("*") if path.is_file()}
    assert left == {"onnx/new.onnx", "train.py"}
