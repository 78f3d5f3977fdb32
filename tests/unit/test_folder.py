"""What loaders share: tasks chosen, question files found, a folder checked."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from edgeval.benchmarks import folder
from edgeval.dataset import Row
from edgeval.errors import ArgumentError, DataError, UnknownName
from edgeval.types import Clip, Question

TABLE = {"video": ("a", "b"), "blind": ("a_blind",)}


def _question(row: Row) -> Question:
    if "id" not in row:
        raise DataError("got a row without an id")
    row_id = str(row["id"])
    return Question(
        id=f"t:{row_id}",
        row_id=row_id,
        clip_id=row_id,
        task="t",
        text="?",
        answer="x",
        kind="text",
    )


@pytest.mark.parametrize(
    ("settings", "tasks", "left"),
    [
        (("video",), (), {"video": ("a", "b")}),
        (("video", "blind"), ("b",), {"video": ("b",), "blind": ()}),
        (("blind",), ("a_blind",), {"blind": ("a_blind",)}),
    ],
)
def test_only_the_tasks_asked_for_are_left(
    settings: Sequence[str], tasks: Sequence[str], left: dict[str, tuple[str, ...]]
) -> None:
    assert folder.chosen("own", TABLE, settings, tasks) == left


@pytest.mark.parametrize(
    ("settings", "tasks", "error", "said"),
    [
        (("vide",), (), UnknownName, "did you mean video"),
        (("video",), ("c",), UnknownName, "no task of own 'c'"),
        (("blind",), ("a",), ArgumentError, "none of which is in the settings blind"),
        ((), (), ArgumentError, "none of which"),
    ],
)
def test_what_cannot_be_asked_is_refused(
    settings: Sequence[str], tasks: Sequence[str], error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        folder.chosen("own", TABLE, settings, tasks)


def test_the_first_place_that_has_files_wins(tmp_path: Path) -> None:
    for name in ("data/test-1.jsonl", "data/test-0.jsonl", "data/test.json", "own.json"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    places = ("missing.*", "data/test*.*", "own.json")
    found = folder.files(tmp_path, "own", places)
    assert [path.name for path in found] == ["test-0.jsonl", "test-1.jsonl"]


def test_missing_questions_are_told_with_every_place(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"a\.json, else b\.\{parquet,jsonl,json\}"):
        folder.files(tmp_path, "own", ("a.json", "b.*"))


def test_a_bad_row_names_its_file(tmp_path: Path) -> None:
    (tmp_path / "own.json").write_text(json.dumps([{"id": 1}, {}]), encoding="utf-8")
    with pytest.raises(DataError, match=r"own\.json: got a row without an id"):
        list(folder.asked([tmp_path / "own.json"], _question))


def test_an_id_may_not_come_twice_in_all_files(tmp_path: Path) -> None:
    for name in ("a.json", "b.json"):
        (tmp_path / name).write_text(json.dumps([{"id": 1}]), encoding="utf-8")
    with pytest.raises(DataError, match=r"b\.json: got the id '1' twice"):
        list(folder.asked([tmp_path / "a.json", tmp_path / "b.json"], _question))


def test_a_question_asked_in_another_task_has_another_id() -> None:
    moved = folder.as_task(_question({"id": 1}), "other")
    assert (moved.task, moved.id, moved.row_id) == ("other", "other:1", "1")


def test_a_check_counts_finds_and_hashes(tmp_path: Path) -> None:
    source = tmp_path / "own.json"
    source.write_text("[]", encoding="utf-8")
    for name in ("bad.mp4", "extra.mp4", "seen.png", "packed.zip"):
        (tmp_path / name).write_bytes(b"no video")
    clips = [
        Clip(
            id=name,
            setting="video",
            video=tmp_path / f"{name}.mp4",
            image=tmp_path / "seen.png",
            questions=(_question({"id": name}),),
        )
        for name in ("bad", "gone")
    ]
    found = folder.check(tmp_path, lambda: [source], lambda: clips)
    assert {(finding.kind, finding.path) for finding in found.findings} == {
        ("damaged", "bad.mp4"),
        ("missing", "gone.mp4"),
        ("extra", "extra.mp4"),
        ("extra", "packed.zip"),
    }
    assert found.counts == {
        "t questions": 2,
        "videos wanted": 2,
        "videos sound": 0,
        "images wanted": 1,
        "images sound": 1,
    }
    assert set(found.sha256) == {"own.json", "seen.png"}


def test_a_check_of_no_questions_says_so(tmp_path: Path) -> None:
    found = folder.check(tmp_path, lambda: folder.files(tmp_path, "own", ("a.json",)), list)
    assert [finding.kind for finding in found.findings] == ["missing"]
