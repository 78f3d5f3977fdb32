"""SEED-Bench-R1: its folder, its prompt, what can be wrong in a row, its report."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from edgeval.answers.tags import answer_block, has_think_answer_form
from edgeval.benchmarks import seedbench_r1
from edgeval.errors import DataError, UnknownName
from edgeval.figures import Figure
from edgeval.types import Clip, Generation, Record, Timing


def _row(row_id: object = 7, **changes: object) -> dict[str, object]:
    row: dict[str, object] = {
        "sample_id": row_id,
        "video_source": "EpicKitchens",
        "video_id": "P01_01",
        "video_basename": f"P01_01_{row_id}.mp4",
        "current_observation_basename": f"P01_01_{row_id}.png",
        "question": "What next?",
        "golden_choice_idx": "B",
        "task_progress_metadata": [{"narration_text": "open door"}],
        **{f"choice_{x}": f"do {x}" for x in "abcd"},
        **changes,
    }
    return {key: value for key, value in row.items() if value is not ...}


def _write(root: Path, **levels: Sequence[dict[str, object]]) -> Path:
    (root / "annotations").mkdir()
    for level in seedbench_r1.LEVELS:
        rows = levels.get(level, [_row()])
        text = "".join(json.dumps(row) + "\n" for row in rows)
        (root / f"annotations/validation_{level}.jsonl").write_text(text, encoding="utf-8")
    return root


def _clips(root: Path, *settings: str, tasks: tuple[str, ...] = ()) -> list[Clip]:
    return list(seedbench_r1.clips(root, settings or ("video",), tasks))


def test_a_clip_has_the_progress_as_video_and_the_present_as_image(tmp_path: Path) -> None:
    root = _write(tmp_path)
    first = _clips(root)[0]
    assert first.video == root / "videos/EpicKitchens/P01_01_7.mp4"
    assert first.image == root / "images/EpicKitchens/P01_01_7.png"
    assert [q.id for clip in _clips(root) for q in clip.questions] == [
        f"seedbench_r1_{level}:7" for level in ("l1", "l2", "l3")
    ]


def test_without_progress_there_is_no_video(tmp_path: Path) -> None:
    root = _write(tmp_path, L1=[_row(task_progress_metadata=[], video_basename=...)])
    assert _clips(root)[0].video is None
    assert _clips(root)[0].image is not None


def test_each_setting_shows_less(tmp_path: Path) -> None:
    root = _write(tmp_path)
    clips = _clips(root, "video", "image-only", "blind")[:3]
    seen = [(clip.setting, clip.video is not None, clip.image is not None) for clip in clips]
    assert seen == [("video", True, True), ("image-only", False, True), ("blind", False, False)]
    assert len({q.id for clip in clips for q in clip.questions}) == 3


def test_rows_that_show_the_same_share_a_clip(tmp_path: Path) -> None:
    same = {"video_basename": "x.mp4", "current_observation_basename": "x.png"}
    root = _write(tmp_path, L1=[_row(1, **same), _row(2, **same), _row(3)])
    sizes = [len(clip.questions) for clip in _clips(root, tasks=("seedbench_r1_l1",))]
    assert sizes == [2, 1]


def test_a_level_that_no_task_needs_is_not_read(tmp_path: Path) -> None:
    root = _write(tmp_path)
    (root / "annotations/validation_L3.jsonl").unlink()
    assert _clips(root, tasks=("seedbench_r1_l2",))
    with pytest.raises(DataError, match=r"validation_L3\.jsonl"):
        _clips(root)


def test_an_unknown_task_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match="seedbench_r1_l4"):
        _clips(_write(tmp_path), tasks=("seedbench_r1_l4",))


def test_the_prompt_is_the_authors_byte_for_byte(tmp_path: Path) -> None:
    clip = _clips(_write(tmp_path))[0]
    asked = seedbench_r1.ask(clip, clip.questions[0])
    assert asked.max_new_tokens == 256
    assert asked.text == (
        "What next?\nA. do a\nB. do b\nC. do c\nD. do d\n"
        " Output the thinking process in <think> </think> and final answer in <answer> </answer> "
        "tags, i.e., <think> reasoning process here </think><answer> answer here </answer>. "
    )


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (_row(sample_id=...), "without 'sample_id'"),
        (_row(golden_choice_idx="E"), "got 'E' for 'golden_choice_idx'"),
        (_row(golden_choice_idx=["B"]), "for 'golden_choice_idx'"),
        (_row(question=""), "got nothing for 'question'"),
        (_row(choice_c=...), "'choice_c'"),
        (_row(video_source=...), "'video_source'"),
        (_row(current_observation_basename=3), "got int"),
        (_row(video_basename=...), "'video_basename'"),
        (_row(current_observation_basename="../../x.png"), "climbs out"),
    ],
)
def test_a_bad_row_is_one_sentence(tmp_path: Path, row: dict[str, object], said: str) -> None:
    with pytest.raises(DataError, match=said) as caught:
        _clips(_write(tmp_path, L1=[row]))
    assert "\n" not in str(caught.value)


def test_the_same_id_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="twice"):
        _clips(_write(tmp_path, L1=[_row(), _row()]))


def test_check_says_what_is_missing(tmp_path: Path) -> None:
    found = seedbench_r1.check(_write(tmp_path))
    assert {finding.path for finding in found.findings if finding.kind == "missing"} == {
        "videos/EpicKitchens/P01_01_7.mp4",
        "images/EpicKitchens/P01_01_7.png",
    }
    assert found.counts["seedbench_r1_l1 questions"] == 1


@pytest.mark.parametrize(
    ("text", "block", "form"),
    [
        ("<think>x</think><answer>B</answer>", "B", True),
        ("<think>x</think> \n <answer>\nB\n</answer> and more", "\nB\n", True),
        ("<think>a</think>b</think><answer>B</answer>", "B", True),
        ("<think>x</think> so <answer>B</answer>", "B", False),
        (" <think>x</think><answer>B</answer>", "B", False),
        ("<answer>B</answer><think>x</think>", "B", False),
        ("<think></think><answer>", None, False),
        ("</answer><answer>", None, False),
        ("", None, False),
    ],
)
def test_tags_are_read_as_the_authors_patterns_read_them(
    text: str, block: str | None, form: bool
) -> None:
    assert (answer_block(text), has_think_answer_form(text)) == (block, form)


def _record(number: int, level: str, response: str, **changes: object) -> Record:
    row = _row(number, level=level, video_id=f"V{level}{number}", **changes)
    one = seedbench_r1.question(row)
    said = Generation(text=response, token_ids=(), stop="eos", timing=Timing())
    scores = {score.rule: score for score in seedbench_r1.score(one, response)}
    return Record(question=one, setting="video", generation=said, scores=scores)


def _told(records: Sequence[Record]) -> dict[tuple[str, str], Figure]:
    return {(f.name, f.group): f for f in seedbench_r1.report(records).figures}


def test_a_gap_is_the_fall_between_levels_with_its_interval() -> None:
    right, wrong = "<think>x</think><answer>B</answer>", "B"
    records = [_record(n, "L1", right if n % 4 else wrong) for n in range(40)]
    records += [_record(n, "L2", right if n % 2 else wrong) for n in range(40)]
    told = _told(records)
    gap = told["gap L1-L2", ""]
    assert gap.value == pytest.approx(25)
    assert gap.low is not None
    assert gap.high is not None
    assert 0 < gap.low < 25 < gap.high < 50
    assert ("gap L2-L3", "") not in told
    assert told[seedbench_r1.FORM, ""].value == pytest.approx(62.5)


def test_only_the_third_level_is_told_by_domain() -> None:
    records = [_record(n, level, "B", domain="Work") for n, level in enumerate(("L2", "L3"))]
    groups = {group for _, group in _told(records) if "domain" in group}
    assert groups == {"level=L3,domain=Work"}
