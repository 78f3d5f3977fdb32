"""The Video-MMMU folder: both layouts, every setting, everything that can be wrong in it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from edgeval.benchmarks.videommmu import data
from edgeval.benchmarks.videommmu.rows import TRACKS
from edgeval.errors import ArgumentError, DataError, UnknownName
from edgeval.types import Clip

ID = "validation_Art_Theory_6"
OTHER = "new_Math_2"


def _row(row_id: str = ID, **changes: object) -> dict[str, object]:
    row: dict[str, object] = {"id": row_id, "question": "Which?", "options": ["x", "y"]}
    row |= {"answer": "B", **changes}
    return {key: value for key, value in row.items() if value is not ...}


def _adaptation(row_id: str = ID, **changes: object) -> dict[str, object]:
    return _row(row_id, **{"question_type": "multiple-choice", **changes})


def _write(root: Path, **tracks: object) -> Path:
    """The repository's three files; a track that is not given has one good row."""
    for track in TRACKS:
        good = [_adaptation()] if track == "adaptation" else [_row()]
        rows = tracks.get(track, good)
        if isinstance(rows, list):
            rows = {track.capitalize(): {str(i): row for i, row in enumerate(rows)}}
        (root / f"{track}_video.json").write_text(json.dumps(rows), encoding="utf-8")
    return root


def _clips(root: Path, *settings: str, tasks: tuple[str, ...] = ()) -> list[Clip]:
    return list(data.clips(root, settings or data.DEFAULT_SETTINGS, tasks))


def test_one_clip_a_video_and_setting_with_every_question(tmp_path: Path) -> None:
    clips = _clips(_write(tmp_path))
    assert [(clip.setting, [q.id for q in clip.questions]) for clip in clips] == [
        ("video", [f"video_mmmu_{track}:{ID}" for track in TRACKS]),
        ("question-only", [f"video_mmmu_adaptation_question_only:{ID}"]),
    ]


def test_only_a_plan_that_shows_the_image_last_must_see_the_last_frame(tmp_path: Path) -> None:
    root = _write(tmp_path, perception=[_row(), _row(OTHER)])
    seen = {(clip.id, clip.setting): clip.must_see_last for clip in _clips(root, *data.SETTINGS)}
    assert seen == {
        (ID, "video"): True,
        (ID, "question-only"): False,
        (ID, "transcript"): True,
        (ID, "blind"): False,
        (OTHER, "video"): False,
        (OTHER, "transcript"): False,
        (OTHER, "blind"): False,
    }


@pytest.mark.parametrize("place", ["Art/{}.mp4", "{}.mp4", "videos/{}.mp4"])
def test_a_video_is_found_in_its_discipline_or_flat(tmp_path: Path, place: str) -> None:
    file = tmp_path / place.format(ID)
    file.parent.mkdir(exist_ok=True)
    file.touch()
    assert _clips(_write(tmp_path), "video")[0].video == file


def test_a_missing_video_is_named_where_it_should_be(tmp_path: Path) -> None:
    videos = [clip.video for clip in _clips(_write(tmp_path))]
    assert videos == [tmp_path / f"Art/{ID}.mp4", tmp_path / f"question_only/{ID}_image.mp4"]


def test_a_transcript_is_read_where_there_is_one(tmp_path: Path) -> None:
    root = _write(tmp_path, perception=[_row(), _row(OTHER)])
    (root / "transcripts").mkdir()
    (root / f"transcripts/{ID}.txt").write_text(" what was said\n", encoding="utf-8")
    said = [clip.transcript for clip in _clips(root, "transcript")]
    assert said == [" what was said\n", None]


def test_blind_has_no_video(tmp_path: Path) -> None:
    assert [clip.video for clip in _clips(_write(tmp_path), "blind")] == [None]


def test_tasks_leave_only_their_questions(tmp_path: Path) -> None:
    clips = _clips(_write(tmp_path), tasks=("video_mmmu_comprehension",))
    assert [q.task for clip in clips for q in clip.questions] == ["video_mmmu_comprehension"]


def test_a_file_that_no_task_needs_is_not_read(tmp_path: Path) -> None:
    root = _write(tmp_path)
    (root / "perception_video.json").unlink()
    assert _clips(root, tasks=("video_mmmu_adaptation",))


@pytest.mark.parametrize("form", ["jsonl", "json", "parquet"])
def test_the_hugging_face_layout_gives_the_same_clips(tmp_path: Path, form: str) -> None:
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    ours.mkdir()
    _write(ours)
    for track in TRACKS:
        row = _adaptation() if track == "adaptation" else _row(question_type="multiple-choice")
        _write_config(theirs / track.capitalize(), form, row)
    want = [(clip.setting, clip.questions) for clip in _clips(ours)]
    assert [(clip.setting, clip.questions) for clip in _clips(theirs)] == want


def _write_config(folder: Path, form: str, row: Mapping[str, object]) -> None:
    folder.mkdir(parents=True)
    text = json.dumps(row)
    if form == "json":
        text = json.dumps([row])
    if form != "parquet":
        (folder / f"test.{form}").write_text(text, encoding="utf-8")
        return
    duckdb = pytest.importorskip("duckdb", reason="the extra 'parquet' is not installed")
    source = folder.parent / "row.json"
    source.write_text(text, encoding="utf-8")
    with duckdb.connect() as base:
        base.execute(f"COPY (SELECT * FROM '{source}') TO '{folder}/test-00000-of-00001.parquet'")


def test_the_column_that_the_repository_leaves_out_is_filled(tmp_path: Path) -> None:
    root = _write(tmp_path, adaptation=[_adaptation(question_type=None)])
    kinds = [q.kind for q in _clips(root, "video")[0].questions]
    assert kinds == ["choice", "choice", "text"]


def test_rows_of_one_youtube_video_are_one_cluster(tmp_path: Path) -> None:
    links = ["https://www.youtube.com/watch?v=abcdefghijk&t=3s ", "https://youtu.be/abcdefghijk"]
    rows = [_row(link_selected=links[0]), _row(OTHER, link_selected=links[1])]
    root = _write(tmp_path, perception=rows)
    clips = _clips(root, "video", tasks=("video_mmmu_perception",))
    assert {q.tags["video"] for clip in clips for q in clip.questions} == {"youtube:abcdefghijk"}


def test_an_unknown_subject_is_kept_apart(tmp_path: Path) -> None:
    root = _write(tmp_path, perception=[_row("own_Beekeeping_1")])
    tags = _clips(root, tasks=("video_mmmu_perception",))[0].questions[0].tags
    assert (tags["subject"], tags["discipline"]) == ("Beekeeping", "Other")


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (_row(id=...), "without an id"),
        (_row(id=7), "got int for 'id'"),
        (_row("../validation_Art_6"), "climbs out"),
        (_row("validation_/etc/passwd_6"), "climbs out"),
        (_row("Art"), "<split>_<Subject>_<number>"),
        (_row(question=...), "'question'"),
        (_row(answer=...), "'answer'"),
        (_row(answer=["B"]), "got list for 'answer'"),
        (_row(answer="C"), "answer 'C' for 2 options"),
        (_row(options=...), "without options"),
        (_row(options=[]), "without options"),
        (_row(options="x, y"), "not a list"),
        (_row(options=["x", 1]), "not a list of texts"),
    ],
)
def test_a_bad_row_is_one_sentence_with_its_file(
    tmp_path: Path, row: dict[str, object], said: str
) -> None:
    root = _write(tmp_path, perception=[row])
    with pytest.raises(DataError, match=said) as caught:
        _clips(root)
    assert "perception_video.json" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_same_id_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="twice"):
        _clips(_write(tmp_path, perception=[_row(), _row()]))


def test_a_video_that_links_out_is_refused(tmp_path: Path) -> None:
    root = tmp_path / "data"
    (root / "Art").mkdir(parents=True)
    _write(root)
    (tmp_path / "elsewhere.mp4").touch()
    (root / f"Art/{ID}.mp4").symlink_to("../../elsewhere.mp4")
    with pytest.raises(DataError, match="outside the data folder"):
        _clips(root)


def test_a_folder_without_questions_says_what_it_wants(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"perception_video\.json"):
        _clips(tmp_path)


def test_no_folder_at_all_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="not a folder"):
        _clips(tmp_path / "nowhere")


def test_unknown_names_get_a_hint(tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match="question-only"):
        _clips(tmp_path, "question_only")
    with pytest.raises(UnknownName, match="video_mmmu_perception"):
        _clips(tmp_path, tasks=("video_mmmu_perceptoin",))


def test_tasks_outside_the_settings_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match="none of which"):
        _clips(tmp_path, "blind", tasks=("video_mmmu_perception",))


def test_check_tells_missing_damaged_and_extra(tmp_path: Path) -> None:
    root = _write(tmp_path, perception="not rows")
    (root / "Art").mkdir()
    (root / f"Art/{ID}.mp4").write_bytes(b"<html>not a video</html>")
    (root / "Art/dev_Art_99.mp4").touch()
    found = data.check(root)
    assert {(finding.kind, finding.path) for finding in found.findings} == {
        ("damaged", "perception questions"),
        ("damaged", f"Art/{ID}.mp4"),
        ("missing", f"question_only/{ID}_image.mp4"),
        ("extra", "Art/dev_Art_99.mp4"),
    }
    assert found.counts["adaptation questions"] == 1
    assert found.counts["videos wanted"] == 1
    assert found.counts["videos sound"] == 0
    assert set(found.sha256) == {f"{track}_video.json" for track in TRACKS}


def test_the_authors_annotations_load_whole(shared: Path) -> None:
    clips = _clips(shared / "annotations" / "videommmu")
    assert len(clips) == 600
    asked = [q for clip in clips for q in clip.questions]
    assert len({q.id for q in asked}) == len(asked) == 1200
    assert len({q.tags["video"] for q in asked}) == 268
    assert sum(q.kind == "text" and q.task == "video_mmmu_adaptation" for q in asked) == 21
