"""A folder of lessons: Video-MMMU's layout, whole, and the same twice."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from edgeval.errors import ArgumentError, EdgevalError
from edgeval.synth import lessons_dataset
from edgeval.synth.lessons_dataset import Written

TRACKS = ("perception", "comprehension", "adaptation")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Written]:
    """Two lessons, written."""
    folder = tmp_path_factory.mktemp("data") / "lessons"
    return folder, lessons_dataset.write(folder, n_lessons=2)


def files(folder: Path) -> dict[str, bytes]:
    """Every file below ``folder`` by its relative path."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_the_folder_holds_questions_lessons_and_quizzes(made: tuple[Path, Written]) -> None:
    assert sorted(files(made[0])) == [
        "Art/lesson_Art_Theory_800000.mp4",
        "Business/lesson_Manage_800001.mp4",
        "adaptation_video.json",
        "comprehension_video.json",
        "perception_video.json",
        "question_only/lesson_Art_Theory_800000_image.mp4",
        "question_only/lesson_Manage_800001_image.mp4",
    ]


def test_what_was_written_is_counted(made: tuple[Path, Written]) -> None:
    folder, written = made
    size = sum(map(len, files(folder).values()))
    assert written == Written(
        ids=("lesson_Art_Theory_800000", "lesson_Manage_800001"), n_questions=6, n_bytes=size
    )


def test_a_lesson_takes_less_than_forty_kilobytes(made: tuple[Path, Written]) -> None:
    sizes = [len(held) for name, held in files(made[0]).items() if name.endswith(".mp4")]
    assert max(sizes) < 40_000


@pytest.mark.parametrize("track", TRACKS)
def test_rows_have_the_keys_of_the_real_ones(track: str, made: tuple[Path, Written]) -> None:
    held = json.loads((made[0] / f"{track}_video.json").read_text("utf-8"))
    rows = held[track.capitalize()]
    assert list(rows) == ["0", "1"]
    assert {tuple(row) for row in rows.values()} == {
        ("id", "link_selected", "question", "options", "answer", "question_type")
    }


def test_an_open_question_has_a_number_and_no_options(made: tuple[Path, Written]) -> None:
    row = json.loads((made[0] / "adaptation_video.json").read_text("utf-8"))["Adaptation"]["0"]
    assert (row["question_type"], row["options"], row["answer"]) == ("open", [], "16")


def test_the_same_seed_writes_the_same_bytes(made: tuple[Path, Written], tmp_path: Path) -> None:
    again = tmp_path / "again"
    lessons_dataset.write(again, n_lessons=2)
    assert files(again) == files(made[0])


def test_a_folder_in_use_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep")
    with pytest.raises(ArgumentError, match="not an empty folder"):
        lessons_dataset.write(tmp_path, n_lessons=1)
    assert list(files(tmp_path)) == ["mine.txt"]


@pytest.mark.parametrize("wrong", [{"n_lessons": 0}, {"seed0": -1}])
def test_a_senseless_number_is_refused(wrong: dict[str, int], tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match="wants n_lessons >= 1, seed0 >= 0"):
        lessons_dataset.write(tmp_path / "new", **wrong)


def test_without_pillow_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "edgeval.synth.slides", raising=False)
    monkeypatch.delattr("edgeval.synth.slides", raising=False)
    monkeypatch.delitem(sys.modules, "edgeval.synth.sprites", raising=False)
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(EdgevalError, match=r"PIL is not installed.*edgeval\[make\]"):
        lessons_dataset.write(tmp_path / "new", n_lessons=1)
    assert not (tmp_path / "new").exists()
