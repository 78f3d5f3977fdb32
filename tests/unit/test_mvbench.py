"""The MVBench folder, its prompt byte for byte, and its figures on small sets."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edgeval.benchmarks import mvbench
from edgeval.errors import DataError, UnknownName
from edgeval.figures import Figure, Report
from edgeval.types import Clip, Failure, Record

ROW = {"video": "a.mp4", "question": "Which?", "candidates": ["a cat", "a dog"], "answer": "a dog"}
PART = {**ROW, "start": 1.5, "end": 17}


def _write(root: Path, **tasks: list[dict[str, object]]) -> Path:
    """The folder json/ with all twenty files; a task that is not given has no rows."""
    (root / "json").mkdir(exist_ok=True)
    for name in mvbench.TASKS["video"]:
        task = name.removeprefix("mvbench_")
        path = root / "json" / f"{task}.json"
        path.write_text(json.dumps(tasks.get(task, [])), encoding="utf-8")
    return root


def _clips(root: Path, setting: str = "video", tasks: tuple[str, ...] = ()) -> list[Clip]:
    return list(mvbench.clips(root, (setting,), tasks))


def test_rows_about_one_part_of_a_video_share_a_clip(tmp_path: Path) -> None:
    rows = [PART, {**PART, "end": 18.0}, {**PART, "question": "And?"}]
    clips = _clips(_write(tmp_path, action_sequence=rows))
    assert [(clip.segment_s, len(clip.questions)) for clip in clips] == [
        ((1.5, 17.0), 2),
        ((1.5, 18.0), 1),
    ]
    assert len({clip.id for clip in clips}) == 2


def test_tasks_that_ask_about_the_same_video_share_a_clip(tmp_path: Path) -> None:
    clips = _clips(_write(tmp_path, moving_count=[ROW], moving_attribute=[ROW]))
    assert [[question.id for question in clip.questions] for clip in clips] == [
        ["mvbench_moving_count:0", "mvbench_moving_attribute:0"]
    ]


@pytest.mark.parametrize(
    ("place", "part"),
    [
        ("video/star/Charades_v1_480/a.mp4", (1.5, 17.0)),
        ("star/Charades_v1_480/a.mp4", (1.5, 17.0)),
        ("video/data0613/star/Charades_v1_480/a.mp4", (1.5, 17.0)),
        ("star/Charades_segment/a.mp4", None),
    ],
)
def test_a_video_is_found_where_an_archive_puts_it_and_cut_once(
    tmp_path: Path, place: str, part: tuple[float, float] | None
) -> None:
    file = tmp_path / place
    file.parent.mkdir(parents=True)
    file.touch()
    (clip,) = _clips(_write(tmp_path, action_sequence=[PART]))
    assert (clip.video, clip.segment_s) == (file, part)


def test_a_folder_of_pictures_is_wanted_as_a_video(tmp_path: Path) -> None:
    file = tmp_path / "video/tvqa/frames_fps3_hq/castle_1.mp4"
    file.parent.mkdir(parents=True)
    file.touch()
    row = {**PART, "video": "castle_1"}
    (clip,) = _clips(_write(tmp_path, episodic_reasoning=[row]))
    assert clip.video == file


def test_blind_has_neither_video_nor_part(tmp_path: Path) -> None:
    (clip,) = _clips(_write(tmp_path, action_sequence=[PART]), "blind")
    assert (clip.video, clip.segment_s) == (None, None)
    assert clip.questions[0].task == "mvbench_action_sequence_no_visual"


def test_a_file_that_no_task_needs_is_not_read(tmp_path: Path) -> None:
    root = _write(tmp_path, action_count=[ROW])
    (root / "json/action_sequence.json").unlink()
    assert len(_clips(root, tasks=("mvbench_action_count",))) == 1


def test_the_prompt_is_the_notebooks(tmp_path: Path) -> None:
    (clip,) = _clips(_write(tmp_path, action_sequence=[ROW]))
    ask = mvbench.ask(clip, clip.questions[0])
    assert ask.text == (
        "Question: Which?\nOptions:\n(A) a cat\n(B) a dog\nOnly give the best option."
    )
    assert ask.prefill == "Best option:("
    assert clip.system == (
        "Carefully watch the video and pay attention to the cause and sequence of events, the "
        "detail and movement of objects, and the action and pose of persons. Based on your "
        "observations, select the best option that accurately addresses the question.\n"
    )


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({**ROW, "video": None}, "nothing for 'video'"),
        ({**ROW, "video": "../a.mp4"}, "climbs out"),
        ({**ROW, "question": 7}, "got int for 'question'"),
        ({**ROW, "answer": "a cow"}, "answer 'a cow' and 2 candidates"),
        ({**ROW, "candidates": "a cat"}, "not a list"),
        ({**PART, "end": 1}, "0 <= start <= end"),
        ({**PART, "end": "later"}, "wants seconds or neither"),
        ({**PART, "end": None}, "wants seconds or neither"),
    ],
)
def test_a_bad_row_is_one_sentence(tmp_path: Path, row: dict[str, object], said: str) -> None:
    root = _write(tmp_path, action_sequence=[row])
    with pytest.raises(DataError, match=said) as caught:
        _clips(root)
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    root = _write(tmp_path)
    (root / "json/action_count.json").unlink()
    with pytest.raises(DataError, match=r"json/action_count\.json"):
        _clips(root)


def test_an_unknown_task_gets_a_hint(tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match="did you mean mvbench_action_count"):
        _clips(tmp_path, tasks=("mvbench_action_cuont",))


def test_check_tells_a_missing_video(tmp_path: Path) -> None:
    found = mvbench.check(_write(tmp_path, action_count=[ROW]))
    assert [(finding.kind, finding.path) for finding in found.findings] == [
        ("missing", "video/perception/videos/a.mp4")
    ]


def _told(**answers: list[str | None]) -> Report:
    """The report on answers to questions whose right answer is B; None for a failure."""
    records = []
    for task, said in answers.items():
        for n, response in enumerate(said):
            question = mvbench.question({**ROW, "task": task, "id": str(n), "video": f"{n}.mp4"})
            if response is None:
                failure = Failure(kind="model", message="no")
                records.append(Record(question=question, setting="video", failure=failure))
                continue
            scores = {score.rule: score for score in mvbench.score(question, response)}
            records.append(Record(question=question, setting="video", scores=scores))
    return mvbench.report(records)


def _figure(told: Report, name: str, rule: str, group: str = "") -> Figure:
    (found,) = (f for f in told.figures if (f.name, f.rule, f.group) == (name, rule, group))
    return found


def test_empty_answers_are_right_for_the_notebook_and_left_out_by_lmms_eval() -> None:
    told = _told(action_count=["", "", "B", "A"])
    official = _figure(told, "accuracy", "official", "task=action_count")
    lmms = _figure(told, "accuracy", "lmms-eval", "task=action_count")
    assert (official.value, official.n) == (75.0, 4)
    assert (lmms.value, lmms.n, lmms.n_excluded) == (50.0, 2, 2)
    assert any("2 answers" in note for note in told.notes)


def test_the_mean_of_tasks_says_how_many_there_are() -> None:
    told = _told(action_count=["B"], state_change=["A", "A", None])
    assert _figure(told, "accuracy", "official").value == 25.0
    mean = _figure(told, "mean of tasks", "official")
    assert (mean.value, mean.note) == (50.0, "2 of 20 tasks")


def test_the_headline_is_all_and_every_task_asked() -> None:
    told = _told(state_change=["A"], action_count=["B"])
    groups = ("", "task=action_count", "task=state_change")
    assert told.headline == tuple(
        ("accuracy", rule, group) for rule in mvbench.RULES for group in groups
    )


def test_lmms_eval_asks_in_its_own_words(tmp_path: Path) -> None:
    (clip,) = _clips(_write(tmp_path, action_sequence=[ROW]), tasks=("mvbench_action_sequence",))
    ask = mvbench.BENCHMARK.under("lmms-eval", "qwen2_vl").ask(clip, clip.questions[0])
    want = "Question:Which?\nOption:\n(A) a cat\n(B) a dog\nOnly give the best option.\n"
    assert (ask.text, ask.prefill, ask.max_new_tokens) == (want, "", 16)
