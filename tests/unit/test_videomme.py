"""The Video-MME folder, its prompts byte for byte, its subtitles, and its figures."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edgeval.benchmarks import videomme
from edgeval.dataset import Cue, read_srt
from edgeval.errors import DataError
from edgeval.figures import Figure, Report
from edgeval.types import Clip, Record

ROW = {
    "video_id": "001",
    "duration": "short",
    "domain": "Knowledge",
    "sub_category": "Law",
    "videoID": "fFjv93ACGo8",
    "question_id": "001-1",
    "task_type": "Counting Problem",
    "question": "How many?",
    "options": ["A. One.", "B. Two.", "C. Three.", "D. Four."],
    "answer": "C",
}
SRT = (
    '1\n00:00:00,000 --> 00:00:01,500\n<font color="white" size=".72c">Hello</font>\n\n'
    "2\n00:00:01,500 --> 00:00:01,501\nnever seen\n\nnot a cue\n\n"
    "3\n01:00:00,000 --> 01:00:01,000\nlate\nwords\n"
)


def _write(root: Path, *rows: dict[str, object]) -> Path:
    (root / "test.jsonl").write_text("\n".join(map(json.dumps, rows or (ROW,))), encoding="utf-8")
    return root


def _clips(root: Path, *settings: str) -> list[Clip]:
    return list(videomme.clips(root, settings or ("video",), ()))


def test_the_questions_of_one_video_are_one_clip(tmp_path: Path) -> None:
    other = {**ROW, "videoID": "x", "question_id": "002-1"}
    root = _write(tmp_path, ROW, other, {**ROW, "question_id": "001-2"})
    assert [(clip.id, [q.id for q in clip.questions]) for clip in _clips(root)] == [
        ("fFjv93ACGo8", ["videomme:001-1", "videomme:001-2"]),
        ("x", ["videomme:002-1"]),
    ]


@pytest.mark.parametrize(
    "name", ["data/fFjv93ACGo8.mp4", "data/fFjv93ACGo8.mkv", "fFjv93ACGo8.MP4"]
)
def test_a_video_is_found_under_each_published_name(tmp_path: Path, name: str) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).touch()
    assert _clips(_write(tmp_path))[0].video == tmp_path / name


def test_every_setting_has_its_task_and_only_blind_no_video(tmp_path: Path) -> None:
    clips = _clips(_write(tmp_path), *videomme.TASKS)
    assert [(clip.questions[0].task, clip.video is None) for clip in clips] == [
        ("videomme", False),
        ("videomme_w_subtitle", False),
        ("videomme_no_visual", True),
    ]


def test_the_prompt_without_subtitles_is_the_authors(tmp_path: Path) -> None:
    (clip,) = _clips(_write(tmp_path))
    ask = videomme.ask(clip, clip.questions[0])
    assert ask.max_new_tokens == 16
    assert ask.text == (
        "Select the best answer to the following multiple-choice question based on the video. "
        "Respond with only the letter (A, B, C, or D) of the correct option.\nHow many?\nA. One.\n"
        "B. Two.\nC. Three.\nD. Four.\nThe best answer is:"
    )


def test_subtitles_stand_above_the_question(tmp_path: Path, shared: Path) -> None:
    root = _write(tmp_path)
    (root / "data").mkdir()
    video = shared / "videos/real/askanything_yoga.mp4"
    (root / "data/fFjv93ACGo8.mp4").write_bytes(video.read_bytes())
    (root / "subtitle").mkdir()
    (root / "subtitle/fFjv93ACGo8.srt").write_text(SRT, encoding="utf-8")
    (clip,) = _clips(root, "subtitles")
    assert clip.transcript == "Hello"
    text = videomme.ask(clip, clip.questions[0]).text
    assert text.startswith(
        "This video's subtitles are listed below:\nHello\nSelect the best answer to the following "
    )


def test_a_video_without_subtitles_is_asked_as_if_there_were_none(tmp_path: Path) -> None:
    plain, said = _clips(_write(tmp_path), "video", "subtitles")
    assert videomme.ask(said, said.questions[0]) == videomme.ask(plain, plain.questions[0])


def test_a_subtitle_file_is_cues_without_markup(tmp_path: Path) -> None:
    (tmp_path / "x.srt").write_text(SRT, encoding="utf-8")
    assert read_srt(tmp_path / "x.srt") == (
        Cue(start_s=0.0, end_s=1.5, text="Hello"),
        Cue(start_s=1.5, end_s=1.501, text="never seen"),
        Cue(start_s=3600.0, end_s=3601.0, text="late words"),
    )


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({**ROW, "question_id": None}, "'question_id'"),
        ({**ROW, "videoID": ""}, "'videoID'"),
        ({**ROW, "videoID": "../x"}, "climbs out"),
        ({**ROW, "domain": None}, "'domain'"),
        ({**ROW, "answer": "E"}, "answer 'E' for 4 options"),
        ({**ROW, "answer": "B", "options": ["A. One."]}, "answer 'B' for 1 options"),
        ({**ROW, "options": None}, "for 0 options"),
        ({**ROW, "question": 3}, "'question'"),
    ],
)
def test_a_bad_row_is_one_sentence(tmp_path: Path, row: dict[str, object], said: str) -> None:
    with pytest.raises(DataError, match=said) as caught:
        _clips(_write(tmp_path, row))
    assert "\n" not in str(caught.value)


def test_a_folder_without_questions_says_what_it_wants(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="videomme/test"):
        _clips(tmp_path)


def _records(setting: str, *answers: str) -> list[Record]:
    durations = ("short", "medium", "long")
    records = []
    for n, response in enumerate(answers):
        row = {**ROW, "question_id": str(n), "videoID": f"v{n}", "duration": durations[n % 3]}
        question = videomme.question(row)
        scores = {score.rule: score for score in videomme.score(question, response)}
        records.append(Record(question=question, setting=setting, scores=scores))
    return records


def _figure(told: Report, name: str, rule: str, group: str = "") -> Figure:
    (found,) = (f for f in told.figures if (f.name, f.rule, f.group) == (name, rule, group))
    return found


def test_what_cannot_be_read_is_dropped_wrong_or_for_a_judge() -> None:
    told = videomme.report(_records("video", "C", "no idea", "A", "C"))
    counts = {rule: _figure(told, "accuracy", rule) for rule in videomme.RULES}
    assert (counts["official"].n, counts["official"].n_excluded) == (3, 1)
    assert (counts["lmms-eval"].n, counts["lmms-eval"].value) == (4, 50.0)
    assert (counts["vlmeval"].n, counts["vlmeval"].n_needs_judge) == (3, 1)
    assert counts["official"].value == pytest.approx(200 / 3)


def test_every_group_of_the_paper_is_a_figure() -> None:
    told = videomme.report(_records("video", "C", "A", "A"))
    assert _figure(told, "accuracy", "official", "duration=short").value == 100.0
    assert _figure(told, "accuracy", "official", "duration=long").value == 0.0
    for group in ("domain=Knowledge", "sub_category=Law", "task_type=Counting Problem"):
        assert _figure(told, "accuracy", "official", group).n == 3


def test_subtitles_are_told_by_what_they_add() -> None:
    records = [*_records("video", "C", "A", "A"), *_records("subtitles", "C", "C", "A")]
    told = videomme.report(records)
    assert _figure(told, "accuracy, subtitles", "official").value == pytest.approx(200 / 3)
    assert _figure(told, "gain from subtitles", "official").value == pytest.approx(100 / 3)


def test_the_headline_is_lengths_without_subtitles_then_each_setting() -> None:
    told = videomme.report([*_records("video", "C", "A", "A"), *_records("subtitles", "C")])
    lengths = [("accuracy", f"duration={one}") for one in videomme.DURATIONS]
    settings = [("accuracy, subtitles", ""), ("gain from subtitles", "")]
    want = [("accuracy", ""), *lengths, *settings]
    assert told.headline == tuple((n, rule, g) for rule in videomme.RULES for n, g in want)


LMMS_SELECT = (
    "Select the best answer to the following multiple-choice question based on the video and the "
    "subtitles. Respond with only the letter (A, B, C, or D) of the correct option.\n"
)
OPTIONS = "A. One.\nB. Two.\nC. Three.\nD. Four.\n"


@pytest.mark.parametrize(
    ("family", "want"),
    [
        (
            "qwen2_vl",
            f"{LMMS_SELECT}How many?\n{OPTIONS}\n"
            "Answer with the option's letter from the given choices directly.",
        ),
        (
            "qwen3_vl",
            f"Question: How many?\nOptions:\n{OPTIONS}Answer with the option letter only.",
        ),
    ],
)
def test_lmms_eval_asks_in_its_own_words(tmp_path: Path, family: str, want: str) -> None:
    (clip,) = _clips(_write(tmp_path))
    ask = videomme.BENCHMARK.under("lmms-eval", family).ask(clip, clip.questions[0])
    assert ask.text == want


def test_another_protocol_asks_as_the_authors_do() -> None:
    assert videomme.BENCHMARK.under("native", "qwen3_vl") is videomme.BENCHMARK
