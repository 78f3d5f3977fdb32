"""Video-R1's evaluation: its files, its prompts byte for byte, its headlines."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from edgeval.benchmarks import video_r1
from edgeval.benchmarks.video_r1 import report, rules
from edgeval.errors import ArgumentError, DataError, UnknownName
from edgeval.types import Clip, Failure, Generation, Question, Record, Timing

ROW: dict[str, Any] = {
    "problem": "What moves?",
    "problem_type": "multiple choice",
    "options": ["A. a dog", "B. a cat"],
    "solution": "<answer>B</answer>",
    "data_type": "video",
    "path": "./Evaluation/MVBench/x.mp4",
}
NUMBER = ROW | {
    "problem": "How many?",
    "problem_type": "regression",
    "options": [],
    "solution": "<answer>4</answer>",
}
THINK = (
    "Please think about this question as if you were a human pondering deeply. Engage in an "
    "internal dialogue using expressions such as 'let me think', 'wait', 'Hmm', 'oh, I see', "
    "'let's break it down', etc, or other natural language thought expressions It's encouraged to "
    "include self-reflection or verification in the reasoning process. Provide your detailed "
    "reasoning between the <think> and </think> tags, and then give your final answer between the "
    "<answer> and </answer> tags."
)
VALUE = " Please provide the numerical value (e.g., 42 or 3.14) within the <answer> </answer> tags."


def _folder(root: Path, task: str, rows: object, *, inside: str = "") -> Path:
    (root / inside).mkdir(exist_ok=True, parents=True)
    (root / inside / f"eval_{task}.json").write_text(json.dumps(rows), encoding="utf-8")
    return root


def _clips(root: Path, *tasks: str, settings: Sequence[str] = ("video",)) -> list[Clip]:
    return list(video_r1.clips(root, settings, tasks))


def test_one_clip_holds_every_question_about_a_video(tmp_path: Path) -> None:
    other = ROW | {"path": "./Evaluation/MVBench/y.mp4"}
    root = _folder(tmp_path, "mvbench", [ROW, other, NUMBER])
    clips = _clips(root, "mvbench")
    assert [[one.id for one in clip.questions] for clip in clips] == [
        ["mvbench:0", "mvbench:2"],
        ["mvbench:1"],
    ]
    assert [clip.video for clip in clips] == [
        root / "Evaluation/MVBench/x.mp4",
        root / "Evaluation/MVBench/y.mp4",
    ]


def test_videos_may_stand_beside_the_questions(tmp_path: Path) -> None:
    root = _folder(tmp_path, "mvbench", [ROW])
    (root / "MVBench").mkdir()
    (root / "MVBench/x.mp4").touch()
    assert _clips(root, "mvbench")[0].video == root / "MVBench/x.mp4"


def test_questions_may_stand_in_the_folder_evaluation(tmp_path: Path) -> None:
    root = _folder(tmp_path, "mmvu", [ROW], inside="Evaluation")
    assert _clips(root, "mmvu")[0].questions[0].task == "mmvu"


def test_blind_asks_the_same_without_a_video(tmp_path: Path) -> None:
    root = _folder(tmp_path, "mvbench", [ROW])
    tasks = ("mvbench", "mvbench_no_visual")
    seen, blind = _clips(root, *tasks, settings=("video", "blind"))
    assert blind.video is None
    pairs = zip(seen.questions, blind.questions, strict=True)
    assert all(video_r1.ask(blind, b) == video_r1.ask(seen, a) for a, b in pairs)


def test_a_question_keeps_what_its_tags_hold(tmp_path: Path) -> None:
    (one,) = _clips(_folder(tmp_path, "vsibench", [NUMBER]), "vsibench")[0].questions
    assert (one.answer, one.kind, one.choices) == ("4", "number", ())
    assert one.tags["problem_type"] == "regression"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"solution": None}, "got NoneType for 'solution'; wants text"),
        ({"problem": ""}, "got nothing for 'problem'; wants text"),
        ({"options": []}, "multiple choice row without options; wants at least one"),
        ({"options": "A"}, "'options' that are not a list of texts"),
        ({"problem_type": "math"}, "got the problem_type 'math'; wants one of multiple choice"),
        ({"data_type": "image"}, "got the data_type 'image'; wants 'video'"),
        ({"path": "./../x.mp4"}, "climbs out of the data folder"),
        ({"path": None}, "got nothing for 'path'; wants text"),
    ],
)
def test_a_bad_row_is_told_in_one_sentence(
    tmp_path: Path, change: dict[str, object], said: str
) -> None:
    root = _folder(tmp_path, "mvbench", [ROW | change])
    with pytest.raises(DataError, match=said):
        _clips(root, "mvbench")


def test_a_missing_file_is_told_with_its_places(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"wants eval_mmvu.json, else Evaluation/eval_mmvu.json"):
        _clips(tmp_path, "mmvu")


def test_unknown_tasks_and_settings_are_told(tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match="did you mean mvbench"):
        _clips(tmp_path, "mv_bench")
    with pytest.raises(UnknownName, match="did you mean video"):
        _clips(tmp_path, settings=("vidoe",))
    with pytest.raises(ArgumentError, match="none of which"):
        _clips(tmp_path, settings=())


def test_a_question_asked_blind_has_an_id_of_its_own(tmp_path: Path) -> None:
    for task in video_r1.TASKS:
        _folder(tmp_path, task, [ROW])
    clips = _clips(tmp_path, settings=("video", "blind"))
    ids = [one.id for clip in clips for one in clip.questions]
    assert len(set(ids)) == len(ids) == 12


def test_check_says_what_is_missing(tmp_path: Path) -> None:
    for task in video_r1.TASKS:
        _folder(tmp_path, task, [ROW])
    found = video_r1.check(tmp_path)
    assert [(f.kind, f.path) for f in found.findings] == [("missing", "Evaluation/MVBench/x.mp4")]
    assert found.counts["mmvu questions"] == 1


def _asked(row: dict[str, Any]) -> str:
    one = video_r1.question(row | {"task": "mvbench"})
    asked = video_r1.ask(Clip(id="x", setting="video", video=None, questions=(one,)), one)
    assert (asked.max_new_tokens, asked.prefill) == (1024, "")
    return asked.text


def test_a_choice_is_asked_with_its_options_right_behind_the_question() -> None:
    assert _asked(ROW) == (
        "What moves?Options:\nA. a dog\nB. a cat\n\n"
        + THINK
        + " Please provide only the single option letter (e.g., A, B, C, D, etc.) within the "
        "<answer> </answer> tags."
    )


@pytest.mark.parametrize(
    ("kind", "tail"),
    [
        ("regression", VALUE),
        ("numerical", VALUE),
        (
            "OCR",
            " Please transcribe text from the image/video clearly and provide your text answer "
            "within the <answer> </answer> tags.",
        ),
        ("free-form", " Please provide your text answer within the <answer> </answer> tags."),
    ],
)
def test_every_other_type_has_a_tail_of_its_own(kind: str, tail: str) -> None:
    assert _asked(NUMBER | {"problem_type": kind}) == f"How many?\n{THINK}{tail}"


def _record(task: str, row: dict[str, Any], response: str | None, video: str) -> Record:
    one: Question = video_r1.question(row | {"task": task, "path": video, "id": video})
    if response is None:
        failure = Failure(kind="video", message="gone")
        return Record(question=one, setting="video", failure=failure)
    said = Generation(text=response, token_ids=(), stop="eos", timing=Timing())
    scores = {score.rule: score for score in rules.score(one, response)}
    return Record(question=one, setting="video", generation=said, scores=scores, answer=response)


def _told(records: Sequence[Record]) -> dict[tuple[str, str, str], float | None]:
    told = report.report(records)
    return {(figure.name, figure.rule, figure.group): figure.value for figure in told.figures}


def test_vsi_bench_is_the_mean_of_choices_and_numbers() -> None:
    told = _told(
        [
            _record("vsibench", ROW, "<answer>B</answer>", "1"),
            _record("vsibench", ROW, "<answer>A</answer>", "2"),
            _record("vsibench", ROW, None, "3"),
            _record("vsibench", NUMBER, "<answer>5</answer>", "4"),
        ]
    )
    assert told["mean_acc", "official", "task=vsibench"] == pytest.approx(100 / 3)
    assert told["mean_mra", "official", "task=vsibench"] == pytest.approx(50)
    assert told["score", "official", "task=vsibench"] == pytest.approx((100 / 3 + 50) / 2)


def test_the_other_five_are_their_mean_accuracy_alone() -> None:
    told = _told(
        [
            _record("mmvu", ROW, "<answer>B</answer>", "1"),
            _record("mmvu", NUMBER, "<answer>9</answer>", "2"),
        ]
    )
    assert told["score", "official", "task=mmvu"] == 100
    assert told["mean_mra", "official", "task=mmvu"] == 0


def test_a_vsi_bench_without_numbers_says_what_it_is_the_mean_of() -> None:
    told = report.report([_record("vsibench", ROW, "<answer>B</answer>", "1")])
    (score, _) = (figure for figure in told.figures if figure.name == "score")
    assert (score.value, score.note) == (100, "mean_acc only")


def test_rewards_are_reported_with_the_share_in_the_asked_form() -> None:
    told = _told(
        [
            _record("mmvu", ROW, "<think>x</think><answer>B</answer>", "1"),
            _record("mmvu", ROW, "<answer>B</answer>", "2"),
            _record("mmvu", ROW, "B", "3"),
            _record("mmvu", ROW, None, "4"),
        ]
    )
    assert told["score", "rewards", "task=mmvu"] == 50
    assert told["mean reward", "rewards", "task=mmvu,problem_type=multiple choice"] == 50
    assert told["format reward", "rewards", "task=mmvu"] == 25


def test_what_cannot_be_read_is_unparsed() -> None:
    one = video_r1.question(ROW)
    status = {text: rules.score(one, text)[0].status for text in ("B", "C", "a cat", "")}
    assert status == {"B": "scored", "C": "unparsed", "a cat": "unparsed", "": "unparsed"}


def test_only_tables_and_not_breakdowns_are_headlines() -> None:
    told = report.report([_record("mmvu", ROW, "<answer>B</answer>", "1")])
    assert told.headline == (
        ("score", "official", "task=mmvu"),
        ("score", "rewards", "task=mmvu"),
    )
