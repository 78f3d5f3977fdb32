"""LongVideoBench: its folder, its subtitles, its prompt, what can be wrong, its report."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edgeval.benchmarks import longvideobench
from edgeval.errors import DataError
from edgeval.types import Clip, Record

LINES = ({"timestamp": [1.5, 3.5], "text": "hello"}, {"timestamp": [8.0, 9.0], "text": "bye"})


def _row(row_id: str = "v_0", **changes: object) -> dict[str, object]:
    row: dict[str, object] = {
        "id": row_id,
        "video_path": "v.mp4",
        "subtitle_path": "v_en.json",
        "question": "Who?",
        "candidates": ["he", "she", "it"],
        "correct_choice": 1,
        "duration": 5.0,
        "duration_group": 15,
        "question_category": "S2E",
        "starting_timestamp_for_subtitles": 0.0,
        **changes,
    }
    return {key: value for key, value in row.items() if value is not ...}


def _write(root: Path, *rows: dict[str, object], lines: object = LINES) -> Path:
    (root / "lvb_val.json").write_text(json.dumps(rows or [_row()]), encoding="utf-8")
    (root / "subtitles").mkdir(exist_ok=True)
    (root / "subtitles/v_en.json").write_text(json.dumps(lines), encoding="utf-8")
    return root


def _clips(root: Path, *settings: str) -> list[Clip]:
    return list(longvideobench.clips(root, settings or ("interleaved",), ()))


def test_questions_about_one_video_share_its_clip_and_captions(tmp_path: Path) -> None:
    (clip,) = _clips(_write(tmp_path, _row(), _row("v_1")))
    assert clip.video == tmp_path / "videos/v.mp4"
    assert [q.id for q in clip.questions] == [f"longvideobench_val_i:v_{n}" for n in (0, 1)]
    assert clip.captions == ((2.5, "hello"),)


def test_only_the_interleaved_setting_has_captions(tmp_path: Path) -> None:
    root = _write(tmp_path)
    (root / "subtitles/v_en.json").unlink()
    clips = _clips(root, "video", "blind")
    assert [(c.setting, c.video is not None, c.captions) for c in clips] == [
        ("video", True, ()),
        ("blind", False, ()),
    ]


def test_missing_subtitles_are_told_not_skipped(tmp_path: Path) -> None:
    root = _write(tmp_path)
    (root / "subtitles/v_en.json").unlink()
    with pytest.raises(DataError, match=r"v_en\.json"):
        _clips(root)


def test_columns_of_the_parquet_read_as_those_of_the_json() -> None:
    columns = {f"option{n}": text for n, text in enumerate(("he", "she", "it", "N/A", "N/A"))}
    assert longvideobench.question(_row(candidates=..., **columns)) == longvideobench.question(
        _row()
    )


def test_the_prompt_is_lmms_evals_byte_for_byte(tmp_path: Path) -> None:
    (clip,) = _clips(_write(tmp_path))
    asked = longvideobench.ask(clip, clip.questions[0])
    assert asked.max_new_tokens == 32
    assert asked.text == (
        "Who?\nA. he\nB. she\nC. it\n"
        "Answer with the option's letter from the given choices directly.\n"
    )


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (_row(id=...), "without|'id'"),
        (_row(question=...), "'question'"),
        (_row(candidates=[]), "got 0 options"),
        (_row(candidates=list("abcdef")), "got 6 options"),
        (_row(correct_choice=3), "got the answer 3 for 3"),
        (_row(correct_choice=-1), "the test split has none"),
        (_row(correct_choice=...), "got the answer None"),
        (_row(video_path=...), "'video_path'"),
        (_row(duration="long"), "got 'long' for 'duration'"),
        (_row(subtitle_path="../x.json"), "climbs out"),
    ],
)
def test_a_bad_row_is_one_sentence(tmp_path: Path, row: dict[str, object], said: str) -> None:
    with pytest.raises(DataError, match=said) as caught:
        _clips(_write(tmp_path, row))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ({"timestamp": [1.0], "text": "x"}, "for 'timestamp'"),
        ({"timestamp": "1-2", "text": "x"}, "for 'timestamp'"),
        ({"start": "1.0", "end": "2.0", "line": "x"}, "HH:MM:SS"),
        ({"line": "x"}, "HH:MM:SS"),
    ],
)
def test_a_bad_subtitle_is_one_sentence(tmp_path: Path, line: object, said: str) -> None:
    with pytest.raises(DataError, match=said) as caught:
        _clips(_write(tmp_path, lines=[line]))
    assert "entry 0" in str(caught.value)


def test_check_says_what_is_missing(tmp_path: Path) -> None:
    found = longvideobench.check(_write(tmp_path))
    assert [(f.kind, f.path) for f in found.findings] == [("missing", "videos/v.mp4")]


def _record(number: int, response: str) -> Record:
    one = longvideobench.question(_row(f"v_{number}", video_path=f"v{number}.mp4"))
    scores = {score.rule: score for score in longvideobench.score(one, response)}
    return Record(question=one, setting="interleaved", scores=scores)


def test_a_guess_is_worth_its_expected_value_and_told() -> None:
    told = longvideobench.report([_record(0, "B"), _record(1, "no idea")])
    figures = {(f.rule, f.group): f for f in told.figures}
    guessed, judged = figures["lmms-eval", ""], figures["vlmeval", ""]
    assert guessed.value == pytest.approx(100 * (1 + 1 / 3) / 2)
    assert (guessed.n, guessed.n_unparsed) == (2, 1)
    assert (judged.value, judged.n, judged.n_needs_judge) == (100, 1, 1)
    assert "would guess 1 answers" in told.notes[0]
    assert told.headline[:2] == (
        ("accuracy", "lmms-eval", ""),
        ("accuracy", "lmms-eval", "duration_group=15"),
    )
