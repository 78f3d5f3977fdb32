"""The TempCompass folder in both layouts, its prompts byte for byte, and its figures."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edgeval.benchmarks.tempcompass import BENCHMARK, data, report, rules
from edgeval.errors import DataError
from edgeval.figures import Figure, Report
from edgeval.types import Clip, Record

CHOICE = {"question": "What?\nA. running\nB. resting", "answer": "B. resting"}
MATCHING = {
    "question": "Which?\nOption 1: It runs.\nOption 2: It rests.",
    "answer": "Option 2: It rests.",
}
GOOD = {
    "multi-choice": CHOICE,
    "yes_no": {"question": "Is it running?", "answer": "no"},
    "caption_matching": MATCHING,
    "captioning": {"question": "Describe.\nGenerated Caption:", "answer": "B. resting"},
}
ASPECTS = {"1_reverse": {"eval_dim": {"action": {"type": "fine-grained action"}, "order": None}}}


def _write(root: Path, **changed: object) -> Path:
    """The repository's four files with one video, one dimension and one question each."""
    for task, row in GOOD.items():
        value = changed.get(task.replace("-", "_"), {"1_reverse": {"action": [row]}})
        (root / f"{task}.json").write_text(json.dumps(value), encoding="utf-8")
    return root


def _clips(root: Path, *settings: str) -> list[Clip]:
    return list(data.clips(root, settings or ("video",), ()))


def test_all_four_tasks_about_one_video_are_one_clip(tmp_path: Path) -> None:
    (clip,) = _clips(_write(tmp_path))
    assert clip.video == tmp_path / "videos/1_reverse.mp4"
    assert [question.id for question in clip.questions] == [
        f"{name}:1_reverse/action/0" for name in data.TASKS["video"]
    ]


def test_the_hugging_face_layout_gives_the_same_clips(tmp_path: Path) -> None:
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    ours.mkdir()
    for task, row in GOOD.items():
        (theirs / task).mkdir(parents=True)
        text = json.dumps([{**row, "video_id": "1_reverse", "dim": "action"}])
        (theirs / task / "test.json").write_text(text, encoding="utf-8")
    want = [clip.questions for clip in _clips(_write(ours))]
    assert [clip.questions for clip in _clips(theirs)] == want


def test_aspects_come_from_the_meta_file_and_order_needs_none(tmp_path: Path) -> None:
    root = _write(tmp_path, yes_no={"1_reverse": {"order": [GOOD["yes_no"]]}})
    (root / "meta_info.json").write_text(json.dumps(ASPECTS), encoding="utf-8")
    aspects = {q.tags["task"]: q.tags.get("aspect") for q in _clips(root)[0].questions}
    assert aspects["multi-choice"] == "fine-grained action"
    assert aspects["yes_no"] == "order"


@pytest.mark.parametrize("video", ["1", "1_reverse", "1_concat_2", "1_7_0"])
def test_videos_made_of_one_video_are_one_cluster(video: str) -> None:
    row = {**CHOICE, "video_id": video, "dim": "action", "task": "multi-choice"}
    assert data.question(row).tags["video"] == "1"


def test_each_task_ends_its_question_as_the_authors_do(tmp_path: Path) -> None:
    (clip,) = _clips(_write(tmp_path))
    asks = [data.ask(clip, question) for question in clip.questions]
    assert [ask.text for ask in asks] == [
        "What?\nA. running\nB. resting\nPlease directly give the best option:",
        "Is it running?\nPlease answer yes or no:",
        "Which?\nOption 1: It runs.\nOption 2: It rests.\nPlease directly give the best option:",
        "Describe.\nGenerated Caption:",
    ]
    assert {ask.max_new_tokens for ask in asks} == {128}


@pytest.mark.parametrize(
    ("protocol", "family", "longest"),
    [
        ("native", "internvl", 128),
        ("lmms-eval", "internvl", 1024),
        ("lmms-eval", "llava_onevision", 1024),
        ("lmms-eval", "qwen2_vl", 128),
    ],
)
def test_lmms_evals_classes_limit_an_answer_by_themselves(
    tmp_path: Path, protocol: str, family: str, longest: int
) -> None:
    (clip,) = _clips(_write(tmp_path))
    asked = BENCHMARK.under(protocol, family).ask(clip, clip.questions[0])
    assert (asked.text, asked.max_new_tokens) == (data.ask(clip, clip.questions[0]).text, longest)


def test_blind_has_no_video(tmp_path: Path) -> None:
    (clip,) = _clips(_write(tmp_path), "blind")
    assert clip.video is None
    assert clip.questions[0].task == "tempcompass_multi_choice_no_visual"


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ([CHOICE], "wants videos, dimensions, questions"),
        ({"1": [CHOICE]}, "wants videos, dimensions, questions"),
        ({"1": {"action": CHOICE}}, "no list of questions for 1, action"),
        ({"1": {"mood": [CHOICE]}}, "in 'mood'"),
        ({"../1": {"action": [CHOICE]}}, "climbs out"),
        ({"1": {"action": [{**CHOICE, "answer": "C. eating"}]}}, "no line of the question's"),
        ({"1": {"action": [{"answer": "B. resting"}]}}, "'question'"),
    ],
)
def test_a_bad_file_is_one_sentence(tmp_path: Path, value: object, said: str) -> None:
    root = _write(tmp_path, multi_choice=value)
    with pytest.raises(DataError, match=said) as caught:
        _clips(root)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("task", "row", "said"),
    [
        ("yes_no", {"question": "?", "answer": "maybe"}, "wants yes or no"),
        ("caption_matching", {"question": "?\nIt runs.", "answer": "It runs."}, "without a name"),
        ("riddle", CHOICE, "task 'riddle'"),
    ],
)
def test_a_bad_row_is_one_sentence(task: str, row: dict[str, object], said: str) -> None:
    with pytest.raises(DataError, match=said):
        data.question({**row, "video_id": "1", "dim": "action", "task": task})


def test_a_folder_without_questions_says_what_it_wants(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"questions/multi-choice\.json"):
        _clips(tmp_path)


def test_a_judges_reply_that_failed_is_the_authors_minus_one() -> None:
    row = {"video_id": "1", "dim": "action", "question": "?", "answer": "B. resting"}
    question = data.question({**row, "task": data.JUDGE_REPLY})
    replies = ("Answer: B. resting", "Answer: A. running", "")
    assert [rules.score(question, reply)[0].value for reply in replies] == [1.0, 0.0, -1.0]


def _told(task: str, *answers: str) -> Report:
    records = []
    for n, response in enumerate(answers):
        dimension = data.DIMENSIONS[n % 2]
        row = {**GOOD[task], "video_id": str(n), "dim": dimension, "task": task}
        question = data.question(row)
        scores = {score.rule: score for score in rules.score(question, response)}
        records.append(Record(question=question, setting="video", scores=scores))
    return report.report(records)


def _figure(told: Report, name: str, rule: str, group: str = "") -> Figure:
    (found,) = (f for f in told.figures if (f.name, f.rule, f.group) == (name, rule, group))
    return found


def test_what_no_rule_matches_is_wrong_officially_and_a_judges_to_lmms_eval() -> None:
    told = _told("multi-choice", "B", "B. resting", "A", "resting, surely")
    official = _figure(told, "accuracy", "official", "task=multi-choice")
    lmms = _figure(told, "accuracy", "lmms-eval", "task=multi-choice")
    assert (official.value, official.n, official.n_unparsed) == (50.0, 4, 1)
    assert (lmms.n, lmms.n_needs_judge) == (3, 1)
    assert lmms.value == pytest.approx(200 / 3)
    for rule in rules.RULES:
        assert _figure(told, "matched", rule, "task=multi-choice").value == 75.0


def test_dimensions_are_within_their_task() -> None:
    told = _told("yes_no", "No", "yes", "no", "no")
    over = "task=yes_no,dimension="
    assert _figure(told, "accuracy", "official", f"{over}action").value == 100.0
    assert _figure(told, "accuracy", "official", f"{over}direction").value == 50.0


def test_captions_are_in_no_accuracy_and_said_so() -> None:
    told = _told("captioning", "A dog rests.", "It sleeps.")
    found = _figure(told, "accuracy", "official", "task=captioning")
    assert (found.value, found.n, found.n_needs_judge) == (None, 0, 2)
    assert any("judge for 2 answers" in note for note in told.notes)
