"""MMVU: its folder, its prompts, what can be wrong in a row, its report."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edgeval.benchmarks import mmvu
from edgeval.errors import DataError
from edgeval.types import Clip, Record

URL = "https://huggingface.co/datasets/yale-nlp/MMVU/resolve/main/videos/Art/0.mp4"


def _row(row_id: str = "validation_0", **changes: object) -> dict[str, object]:
    row: dict[str, object] = {
        "id": row_id,
        "video": URL,
        "youtube_url": "https://www.youtube.com/watch?v=abcdefghijk",
        "question_type": "multiple-choice",
        "question": "Which?",
        "choices": {x: f"option {x}" for x in "ABCDE"},
        "answer": "B",
        **changes,
    }
    return {key: value for key, value in row.items() if value is not ...}


def _open(row_id: str = "validation_1", **changes: object) -> dict[str, object]:
    blank = dict.fromkeys("ABCDE", "")
    return _row(
        row_id, **{"question_type": "open-ended", "choices": blank, "answer": "zoom", **changes}
    )


def _clips(root: Path, *rows: dict[str, object], settings: tuple[str, ...]) -> list[Clip]:
    (root / "validation.json").write_text(json.dumps(rows), encoding="utf-8")
    return list(mmvu.clips(root, settings, ()))


def test_questions_about_one_video_share_its_clip(tmp_path: Path) -> None:
    other = _row("validation_2", video=URL.replace("/0.mp4", "/1.mp4"))
    clips = _clips(tmp_path, _row(), other, _open(), settings=("video",))
    assert [(clip.id, [q.id for q in clip.questions]) for clip in clips] == [
        ("videos/Art/0.mp4", ["mmvu_val:validation_0", "mmvu_val:validation_1"]),
        ("videos/Art/1.mp4", ["mmvu_val:validation_2"]),
    ]
    assert clips[0].video == tmp_path / "videos/Art/0.mp4"


def test_each_setting_has_its_task(tmp_path: Path) -> None:
    clips = _clips(tmp_path, _row(), settings=tuple(mmvu.TABLE))
    seen = [(clip.questions[0].task, clip.video is not None) for clip in clips]
    assert seen == [("mmvu_val", True), ("mmvu_val_cot", True), ("mmvu_val_no_visual", False)]


def test_the_row_of_lmms_eval_reads_the_same() -> None:
    theirs = mmvu.question(_row(video=..., video_path="videos/Art/0.mp4"))
    assert theirs == mmvu.question(_row())


@pytest.mark.parametrize(
    ("link", "video"),
    [
        ("https://youtu.be/abcdefghijk?si=x", "youtube:abcdefghijk"),
        ("https://www.youtube.com/watch?list=x&v=abcdefghijk&t=3s", "youtube:abcdefghijk"),
        ("https://www.youtube.com/shorts/abcdefghijk", "youtube:abcdefghijk"),
        ("", "videos/Art/0.mp4"),
    ],
)
def test_what_was_filmed_is_the_cluster(link: str, video: str) -> None:
    assert mmvu.question(_row(youtube_url=link)).tags["video"] == video


OPTIONS = "A: option A\nB: option B\nC: option C\nD: option D\nE: option E\n"


@pytest.mark.parametrize(
    ("row", "setting", "text"),
    [
        (
            _row(),
            "video",
            f"\nQuestion:Which?\n{OPTIONS}Visual Information: processed video\n"
            "Do not generate any intermediate reasoning process. Answer directly with the option "
            "letter from the\ngiven choices.\n",
        ),
        (
            _open(),
            "blind",
            "\nQuestion:Which?\nVisual Information: processed video\n"
            "Do not generate any intermediate reasoning process. Directly output the final "
            "answer.\n",
        ),
        (
            _row(),
            "cot",
            f"\nQuestion:Which?\n{OPTIONS}Visual Information: processed video\n"
            "Answer the given multiple-choice question step by step. Begin by explaining your "
            "reasoning process\nclearly. Conclude by stating the final answer using the following "
            'format: "Therefore, the final answer\nis: $LETTER" (without quotes), where $LETTER is '
            "one of the options. Think step by step before\nanswering.\n",
        ),
        (
            _open(),
            "cot",
            "\nQuestion:Which?\nVisual Information: processed video\n"
            "Answer the given question step by step. Begin by explaining your reasoning process "
            "clearly. Conclude\nby stating the final answer using the following format: "
            '"Therefore, the final answer is: "Answer:\n$ANSWER" (without quotes), where $ANSWER '
            "is the final answer of the question. Think step by\nstep before answering.\n",
        ),
    ],
)
def test_the_prompt_is_lmms_evals_byte_for_byte(
    tmp_path: Path, row: dict[str, object], setting: str, text: str
) -> None:
    (clip,) = _clips(tmp_path, row, settings=(setting,))
    asked = mmvu.ask(clip, clip.questions[0])
    assert (asked.text, asked.max_new_tokens) == (text, 1024)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (_row(id=...), "without an id"),
        (_row(question_type="essay"), "got the type 'essay'"),
        (_row(question=...), "'question'"),
        (_row(answer="F"), "got the answer 'F'"),
        (_row(choices=["a", "b"]), "'choices'"),
        (_row(choices={"A": "a"}), "'choices'"),
        (_row(video="https://example.org/0.mp4"), "videos/<Subject>"),
        (_row(video=...), "'video'"),
        (_row(video="videos/../../x/0.mp4"), "climbs out"),
    ],
)
def test_a_bad_row_is_one_sentence(tmp_path: Path, row: dict[str, object], said: str) -> None:
    with pytest.raises(DataError, match=said) as caught:
        _clips(tmp_path, row, settings=("video",))
    assert "\n" not in str(caught.value)


def test_an_empty_folder_says_what_it_wants(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="validation"):
        list(mmvu.clips(tmp_path, ("video",), ()))


def test_check_says_what_is_missing(tmp_path: Path) -> None:
    _clips(tmp_path, _row(), settings=("video",))
    found = mmvu.check(tmp_path)
    assert [(f.kind, f.path) for f in found.findings] == [("missing", "videos/Art/0.mp4")]
    assert found.counts["mmvu_val questions"] == 1


def _record(row: dict[str, object], response: str) -> Record:
    one = mmvu.question(row)
    scores = {score.rule: score for score in mmvu.score(one, response)}
    return Record(question=one, setting="video", scores=scores)


def test_what_needs_a_judge_is_outside_n_and_told() -> None:
    told = mmvu.report([_record(_row(), "B"), _record(_open(), "pan"), _record(_open("v"), "zoom")])
    by_group = {figure.group: figure for figure in told.figures}
    overall = by_group[""]
    assert (overall.value, overall.n, overall.n_needs_judge) == (100, 2, 1)
    assert by_group["question_type=multiple-choice"].n == 1
    assert by_group["discipline=Humanities_and_Social_Science"].n == 2
    assert "1 open answers need a judge" in told.notes[0]
