"""VSI-Bench: what its folder holds, what it says to a model, and what it reports."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from edgeval.benchmarks.vsibench import BENCHMARK, data
from edgeval.errors import ArgumentError, DataError, UnknownName
from edgeval.figures import Figure, Report
from edgeval.types import Clip, Record

COUNTING: dict[str, object] = {
    "id": 3,
    "dataset": "scannet",
    "scene_name": "scene0001_00",
    "question_type": "object_counting",
    "question": "How many chair(s) are in this room?",
    "ground_truth": "4",
    "options": None,
    "pruned": True,
}
ORDER: dict[str, object] = {
    **COUNTING,
    "id": 8,
    "question_type": "obj_appearance_order",
    "question": "Which comes first?",
    "ground_truth": "B",
    "options": ["A. sofa", "B. lamp"],
    "pruned": False,
}
ELSEWHERE: dict[str, object] = {**COUNTING, "id": 5, "dataset": "scannetpp", "scene_name": "1ada"}


def _write(root: Path, rows: Sequence[Mapping[str, object]], name: str = "test.jsonl") -> Path:
    text = "".join(json.dumps(row) + "\n" for row in rows)
    (root / name).write_text(text, encoding="utf-8")
    return root


def _clips(root: Path, *settings: str, tasks: Sequence[str] = ()) -> list[Clip]:
    return list(BENCHMARK.clips(root, settings or ("full",), tasks))


def _asked(clips: Sequence[Clip]) -> list[str]:
    return [question.id for clip in clips for question in clip.questions]


def test_questions_about_one_video_are_one_clip(tmp_path: Path) -> None:
    clips = _clips(_write(tmp_path, [COUNTING, ELSEWHERE, ORDER]))
    assert [clip.id for clip in clips] == ["scannet/scene0001_00", "scannetpp/1ada"]
    assert _asked(clips) == ["vsibench:3", "vsibench:8", "vsibench:5"]
    assert clips[0].video == tmp_path / "scannet/scene0001_00.mp4"
    assert [question.row_id for question in clips[0].questions] == ["3", "8"]


def test_videos_may_stand_as_in_the_cache_of_lmms_eval(tmp_path: Path) -> None:
    place = tmp_path / "vsibench/scannet/scene0001_00.mp4"
    place.parent.mkdir(parents=True)
    place.touch()
    assert _clips(_write(tmp_path, [COUNTING]))[0].video == place


def test_the_halves_are_told_by_the_column(tmp_path: Path) -> None:
    root = _write(tmp_path, [COUNTING, ORDER])
    assert _asked(_clips(root, "debiased")) == ["vsibench_debiased:8"]
    assert _asked(_clips(root, "pruned")) == ["vsibench_pruned:3"]


def test_the_halves_are_told_by_the_list_of_ids(tmp_path: Path) -> None:
    rows = [{**row, "pruned": None} for row in (COUNTING, ORDER)]
    root = _write(tmp_path, rows)
    (root / "pruned_ids.txt").write_text("3\n77\n", encoding="utf-8")
    assert _asked(_clips(root, "debiased")) == ["vsibench_debiased:8"]
    halves = [q.tags["half"] for clip in _clips(root) for q in clip.questions]
    assert halves == ["pruned", "debiased"]


def test_the_halves_are_told_by_their_own_files(tmp_path: Path) -> None:
    row = {**COUNTING, "pruned": None}
    root = _write(tmp_path, [row], "test_debiased.jsonl")
    (question,) = (q for clip in _clips(root, "debiased") for q in clip.questions)
    assert (question.id, question.tags["half"]) == ("vsibench_debiased:3", "debiased")


def test_a_half_that_nothing_tells_is_refused(tmp_path: Path) -> None:
    root = _write(tmp_path, [{**COUNTING, "pruned": None}])
    with pytest.raises(DataError, match=r"pruned_ids\.txt or test_debiased\.parquet"):
        _clips(root, "debiased")


def test_blind_has_no_video(tmp_path: Path) -> None:
    (clip,) = _clips(_write(tmp_path, [COUNTING]), "blind")
    assert (clip.video, clip.questions[0].task) == (None, "vsibench_blind")


def test_the_published_parquet_layout_loads(shared: Path) -> None:
    pytest.importorskip("duckdb", reason="the extra 'parquet' is not installed")
    clips = _clips(shared / "e2e" / "VSI-Bench")
    kinds = {q.tags["question_type"] for clip in clips for q in clip.questions}
    assert len(_asked(clips)) == 30
    assert kinds == set(data.TYPES)


def test_the_prompt_of_a_number() -> None:
    question = BENCHMARK.question(COUNTING)
    ask = BENCHMARK.ask(Clip(id="x", setting="full", video=None, questions=(question,)), question)
    assert ask.text == (
        "These are frames of a video.\nHow many chair(s) are in this room?\n"
        "Please answer the question using a single word or phrase."
    )
    assert ask.max_new_tokens == 16


def test_the_prompt_of_a_choice() -> None:
    question = BENCHMARK.question(ORDER)
    ask = BENCHMARK.ask(Clip(id="x", setting="full", video=None, questions=(question,)), question)
    assert ask.text == (
        "These are frames of a video.\nWhich comes first?\nOptions:\nA. sofa\nB. lamp\n"
        "Answer with the option's letter from the given choices directly."
    )


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({**COUNTING, "id": None}, "None for 'id'"),
        ({**COUNTING, "id": True}, "True for 'id'"),
        ({**COUNTING, "ground_truth": ""}, "nothing for 'ground_truth'"),
        ({**COUNTING, "ground_truth": "many"}, "wants a number above 0"),
        ({**COUNTING, "ground_truth": "0"}, "wants a number above 0"),
        ({**COUNTING, "ground_truth": "inf"}, "wants a number above 0"),
        ({**COUNTING, "question_type": "object_color"}, "object_color"),
        ({**COUNTING, "scene_name": "../../etc/passwd"}, "climbs out"),
        ({**ORDER, "ground_truth": "C"}, "no option's letter"),
        ({**ORDER, "options": None}, "no option's letter"),
        ({**ORDER, "options": "A. sofa"}, "not a list"),
    ],
)
def test_a_bad_row_is_one_sentence(tmp_path: Path, row: Mapping[str, object], said: str) -> None:
    with pytest.raises(DataError, match=said) as caught:
        _clips(_write(tmp_path, [row]))
    assert "\n" not in str(caught.value)


def test_the_same_id_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="twice"):
        _clips(_write(tmp_path, [COUNTING, COUNTING]))


def test_a_folder_without_questions_says_what_it_wants(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"test-\*\.parquet"):
        _clips(tmp_path)


def test_unknown_names_get_a_hint(tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match="debiased"):
        _clips(tmp_path, "debias")
    with pytest.raises(ArgumentError, match="none of which"):
        _clips(tmp_path, "full", tasks=("vsibench_pruned",))


def test_check_counts_questions_and_missing_videos(tmp_path: Path) -> None:
    found = BENCHMARK.check(_write(tmp_path, [COUNTING, ELSEWHERE, ORDER]))
    assert found.counts["vsibench questions"] == 3
    assert [finding.kind for finding in found.findings] == ["missing", "missing"]


def _record(kind: str, number: int, said: str, *, half: bool | None = None) -> Record:
    """An answer to a question whose gold is 4 or B."""
    row = COUNTING if kind in data.NUMBERS else ORDER
    row = {**row, "id": number, "question_type": kind, "scene_name": str(number), "pruned": half}
    question = BENCHMARK.question(row)
    scores = {one.rule: one for one in BENCHMARK.score(question, said)}
    return Record(question=question, setting="full", scores=scores)


def _figure(told: Report, name: str, group: str = "", rule: str = "official") -> Figure:
    (found,) = (f for f in told.figures if (f.name, f.rule, f.group) == (name, rule, group))
    return found


def _full(good: str, bad: str) -> list[Record]:
    """One right answer of each type but ``bad``, and one more wrong one of ``good``."""
    said = {kind: "4" if kind in data.NUMBERS else "B" for kind in data.TYPES}
    records = [_record(kind, i, said[kind]) for i, kind in enumerate(data.TYPES) if kind != bad]
    return [*records, _record(good, 99, "x")]


def test_the_mean_of_tasks_counts_direction_once() -> None:
    told = BENCHMARK.report(_full("object_rel_direction_hard", ""))
    # Direction: (1 + 1 + 1/2) / 3; the other seven tasks are all right.
    assert _figure(told, "overall").value == pytest.approx(100 * (7 + 2.5 / 3) / 8)
    assert _figure(told, "overall, micro").value == pytest.approx(100 * 10 / 11)
    assert _figure(told, "accuracy", "task=object_rel_direction").value == pytest.approx(250 / 3)


def test_the_headline_is_the_eight_tasks_and_both_means() -> None:
    told = BENCHMARK.report(_full("route_planning", ""))
    groups = [group for _, rule, group in told.headline if rule == "official"]
    assert groups == [*(f"task={task}" for task in data.EIGHT), "", ""]
    assert [rule for _, rule, _ in told.headline] == [r for r in BENCHMARK.rules for _ in range(10)]


def test_a_second_setting_adds_its_means_to_the_headline() -> None:
    full = _full("route_planning", "")
    blind = [dataclasses.replace(record, setting="blind") for record in full]
    told = BENCHMARK.report([*full, *blind])
    means = [name for name, rule, group in told.headline if rule == "official" and not group]
    assert means == ["overall", "overall, micro", "overall, blind", "overall, micro, blind"]
    assert len(told.headline) == 3 * (len(data.EIGHT) + len(means))


@pytest.mark.parametrize(
    ("missing", "rule", "value"),
    [
        ("object_rel_direction_hard", "official", None),
        ("object_rel_direction_hard", "lmms-eval", None),
        ("object_rel_direction_hard", "vlmeval", 100 * 7.5 / 8),
        # Without the easy ones the authors count medium and hard as two tasks of nine.
        ("object_rel_direction_easy", "official", 100 * 8.5 / 9),
        ("object_rel_direction_easy", "lmms-eval", None),
        ("route_planning", "lmms-eval", 100 * 6.5 / 7),
    ],
)
def test_a_partial_set_has_the_mean_its_code_gives_and_a_note(
    missing: str, rule: str, value: float | None
) -> None:
    figure = _figure(BENCHMARK.report(_full("object_counting", missing)), "overall", rule=rule)
    assert figure.value == (None if value is None else pytest.approx(value))
    assert figure.note or (missing, rule) == ("object_rel_direction_hard", "vlmeval")


def test_the_halves_stand_apart_in_a_full_run() -> None:
    told = BENCHMARK.report(
        [
            _record("object_counting", 1, "4", half=True),
            _record("object_counting", 2, "x", half=False),
        ]
    )
    assert _figure(told, "overall, micro", "half=pruned").value == 100.0
    assert _figure(told, "overall, micro", "half=debiased").value == 0.0


def test_what_the_code_cannot_score_is_told_in_a_note() -> None:
    question = BENCHMARK.question({**COUNTING, "ground_truth": "0"})
    scores = {one.rule: one for one in BENCHMARK.score(question, "3")}
    told = BENCHMARK.report([Record(question=question, setting="full", scores=scores)])
    assert any("gold 0" in note for note in told.notes)
