"""``edgeval data``: what it says of a folder, and the code it ends with."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from edgeval.cli.data import command
from edgeval.errors import ArgumentError, DataError, UnknownName

ROW = {"id": "dev_Art_1", "question": "?", "options": ["x", "y"], "answer": "B"}
TRACKS = ("perception", "comprehension", "adaptation")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for track in TRACKS:
        text = json.dumps([{**ROW, "question_type": "multiple-choice"}])
        (tmp_path / f"{track}_video.json").write_text(text, encoding="utf-8")
    return tmp_path


def test_missing_videos_end_in_a_data_error(folder: Path) -> None:
    result = CliRunner().invoke(command, ["check", "videommmu", "--data", str(folder)])
    assert "perception questions: 1" in result.stdout
    assert "missing: Art/dev_Art_1.mp4" in result.stdout
    assert isinstance(result.exception, DataError)
    assert "2 missing and 0 damaged" in str(result.exception)


def test_json_holds_counts_findings_and_hashes(folder: Path) -> None:
    result = CliRunner().invoke(command, ["check", "videommmu", "--data", str(folder), "--json"])
    told = json.loads(result.stdout)
    assert told["counts"]["videos wanted"] == 1
    assert {finding["kind"] for finding in told["findings"]} == {"missing"}
    assert set(told["sha256"]) == {f"{track}_video.json" for track in TRACKS}


def test_a_folder_that_is_not_there_is_a_data_error(tmp_path: Path) -> None:
    result = CliRunner().invoke(command, ["check", "videommmu", "--data", str(tmp_path / "no")])
    assert isinstance(result.exception, DataError)


def test_an_unknown_benchmark_is_a_usage_error() -> None:
    result = CliRunner().invoke(command, ["check", "videommu"])
    assert isinstance(result.exception, UnknownName)


def test_made_lessons_are_whole(tmp_path: Path) -> None:
    pytest.importorskip("PIL", reason="the extra 'make' is not installed")
    made = str(tmp_path / "made")
    result = CliRunner().invoke(command, ["make", "videommmu", "-o", made, "--clips", "1"])
    assert result.exit_code == 0, result.exception
    result = CliRunner().invoke(command, ["check", "videommmu", "--data", made])
    assert result.exit_code == 0, result.exception
    assert "videos sound: 1" in result.stdout


def test_questions_about_rooms_are_made_from_scene_files(tmp_path: Path) -> None:
    box = {"axesLengths": [1, 1, 1], "normalizedAxes": [1, 0, 0, 0, 1, 0, 0, 0, 1]}
    scene = {"dataset": "made", "room_size": 12.0, "object_counts": {"bed": 1}}
    scene |= {"object_bbox": {"bed": [{**box, "centroid": [0, 0, 0]}]}}
    meta = tmp_path / "meta.json"
    meta.write_text(json.dumps({"room1": scene}), encoding="utf-8")
    arguments = ["make", "vsibench", "--scenes", str(meta), "-o", str(tmp_path / "made")]
    result = CliRunner().invoke(command, arguments)
    assert result.exit_code == 0, result.exception
    assert "1 scenes, 2 questions" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["vsibench", "--scenes", "x.json", "--clips", "3"], "leave one of them out"),
        (["videommmu", "--scenes", "x.json"], "only vsibench takes"),
    ],
)
def test_an_order_that_makes_no_sense_is_refused(
    tmp_path: Path, arguments: list[str], said: str
) -> None:
    result = CliRunner().invoke(command, ["make", *arguments, "-o", str(tmp_path / "made")])
    assert isinstance(result.exception, ArgumentError)
    assert said in str(result.exception)


def test_what_cannot_be_made_is_told_the_nearest(tmp_path: Path) -> None:
    result = CliRunner().invoke(command, ["make", "vsi-bench", "-o", str(tmp_path / "made")])
    assert isinstance(result.exception, UnknownName)
    assert "did you mean vsibench" in str(result.exception)
