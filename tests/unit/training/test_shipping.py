"""A model that is worse anywhere, or too large, does not take the place of the one that ships."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from training import evaluation, shipping

from edgeval.modelfolder import manifest

TINY = manifest.find("tiny")


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model's files without what else lies beside them."""
    files = ("*.py", "training", "__pycache__", ".*")
    folder = tmp_path_factory.mktemp("shipping") / "tiny"
    return shutil.copytree(TINY, folder, ignore=shutil.ignore_patterns(*files))


def row(benchmark: str, value: float | None, **other: object) -> dict[str, object]:
    made = evaluation.name_of(evaluation.files_of(TINY, "fp32"))
    made_of = {"kind": "figures", "leads": True, "benchmark": benchmark, "precision": "fp32"}
    figure = {"frames": 16, "name": "acc", "rule": "official", "group": "", "value": value}
    return made_of | figure | {"n": 300, "model": made} | other


def write(folder: Path, rows: list[dict[str, object]]) -> Path:
    folder.mkdir()
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    (folder / evaluation.FILE).write_text(lines)
    return folder


def figures(folder: Path, **values: float | None) -> Path:
    rows = [row(name, value) for name, value in values.items()]
    return write(folder, [*rows, {**rows[0], "leads": False, "name": "other", "value": 0.0}])


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ({"a": 50.0, "b": 40.0}, {"a": 50.0, "b": 41.0}, []),
        ({"a": 50.0, "b": 40.0}, {"a": 90.0, "b": 39.9}, ["b, fp32, 16, acc, official, : was 40."]),
        ({"a": 50.0, "b": 40.0}, {"a": 90.0}, ["b, fp32, 16, acc, official, : was 40.0, is not"]),
        ({"a": None}, {"a": 90.0}, ["has no figures"]),
    ],
)
def test_what_speaks_against_it(
    tmp_path: Path, tiny: Path, old: dict[str, float], new: dict[str, float], told: list[str]
) -> None:
    before, after = figures(tmp_path / "old", **old), figures(tmp_path / "new", **new)
    said = list(shipping.against(tiny, after, before, tmp_path))
    assert len(said) == len(told)
    assert all(wanted in got for wanted, got in zip(told, said, strict=True))


@pytest.mark.parametrize(
    ("new", "told"),
    [
        # Figures of other frames stand beside those that count and do not hide them.
        ([row("a", 50.0), row("a", 10.0, frames=32)], []),
        # Fewer answers that the video made wrong, of fewer: no reason to refuse.
        ([row("a", 50.0), row("a", 0.0, name="right-to-wrong", n=16)], []),
        ([row("a", 50.0, n=25)], ["was 50.0 of 300, now of 25"]),
        ([row("a", 50.0, model="of yesterday")], ["are of another model"]),
    ],
)
def test_only_the_same_is_compared(
    tmp_path: Path, tiny: Path, new: list[dict[str, object]], told: list[str]
) -> None:
    held = [row("a", 50.0), row("a", 9.0, name="right-to-wrong", n=17)]
    before, after = write(tmp_path / "old", held), write(tmp_path / "new", new)
    said = list(shipping.against(tiny, after, before, tmp_path))
    assert len(said) == len(told)
    assert all(wanted in got for wanted, got in zip(told, said, strict=True))


def test_what_was_never_evaluated_does_not_ship(tmp_path: Path, tiny: Path) -> None:
    said = list(shipping.against(tiny, tmp_path, tmp_path, tmp_path))
    assert said == [f"{tmp_path}: has no figures to compare with"]


def test_what_is_too_large_is_told(tmp_path: Path) -> None:
    model = tmp_path / "model"
    model.mkdir()
    with (model / "big").open("wb") as stream:
        stream.truncate(shipping.LIMIT_BYTES + 1)
    said = list(shipping.against(model, tmp_path, tmp_path, tmp_path / "none"))
    assert any("16.0 MB" in sentence for sentence in said)


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
