"""The rows and the folder of VSI-Bench: its questions as clips, and what is said to a model."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Sequence
from pathlib import Path

from edgeval.answers.vsibench import python_number
from edgeval.benchmarks import folder
from edgeval.benchmarks.base import DataCheck
from edgeval.dataset import Row, filled, inside, texts
from edgeval.errors import DataError
from edgeval.types import Ask, Clip, Question

# lmms-eval's task of each setting. It has no blind one; its vsibench_pruned asks the full set.
TASKS = {
    "full": ("vsibench",),
    "debiased": ("vsibench_debiased",),
    "pruned": ("vsibench_pruned",),
    "blind": ("vsibench_blind",),
}
# The paper's eight tasks in its order, and the three question types that make one of them.
HALVES = ("debiased", "pruned")
DIRECTION = "object_rel_direction"
DIRECTIONS = tuple(f"{DIRECTION}_{level}" for level in ("easy", "medium", "hard"))
NUMBERS = (
    "object_counting",
    "object_abs_distance",
    "object_size_estimation",
    "room_size_estimation",
)
EIGHT = (*NUMBERS, "object_rel_distance", DIRECTION, "route_planning", "obj_appearance_order")
TYPES = (*NUMBERS, "object_rel_distance", *DIRECTIONS, "route_planning", "obj_appearance_order")

_FEW_WORDS = "Please answer the question using a single word or phrase."
_LETTER = "Answer with the option's letter from the given choices directly."


def question(row: Row) -> Question:
    """The question of one raw row, as lmms-eval's task vsibench.

    A question type that VSI-Bench does not have makes a text question: VLMEvalKit's rule scores it
    as a number, the other two cannot. Golds that are no number are left to the rules, too; a data
    folder may hold neither. Raises DataError.
    """
    row_id = row.get("id")
    if isinstance(row_id, bool) or not isinstance(row_id, (int, str)) or row_id == "":
        raise DataError(f"got {row_id!r} for 'id'; wants a whole number")
    who = f"question {row_id}"
    kind, answer = filled(row, "question_type", who), filled(row, "ground_truth", who)
    choices = texts(row, "options", who)
    chosen = kind in TYPES and kind not in NUMBERS
    if chosen and answer not in [choice.partition(".")[0] for choice in choices]:
        raise DataError(f"{who}: got the answer {answer!r}, which is no option's letter; wants one")
    place = (filled(row, "dataset", who), filled(row, "scene_name", who))
    tags = {"question_type": kind, "task": DIRECTION if kind in DIRECTIONS else kind}
    if isinstance(row.get("pruned"), bool):
        tags["half"] = HALVES[bool(row["pruned"])]
    return Question(
        id=f"vsibench:{row_id}",
        row_id=str(row_id),
        clip_id="/".join(place),
        task="vsibench",
        text=filled(row, "question", who),
        answer=answer,
        kind="choice" if chosen else "number" if kind in NUMBERS else "text",
        choices=choices if chosen else (),
        tags={**tags, "dataset": place[0]},
    )


def clips(root: Path, settings: Sequence[str], tasks: Sequence[str]) -> Iterator[Clip]:
    """One clip a video and setting, with all that is asked about it. Raises DataError."""
    for setting, left in folder.chosen("vsibench", TASKS, settings, tasks).items():
        by_clip: dict[str, list[Question]] = {}
        for asked in _asked(root, setting) if left else ():
            one = dataclasses.replace(asked, task=left[0], id=f"{left[0]}:{asked.row_id}")
            by_clip.setdefault(one.clip_id, []).append(one)
        for clip_id, questions in by_clip.items():
            places = (f"{clip_id}.mp4", f"vsibench/{clip_id}.mp4")
            video = None if setting == "blind" else folder.first(root, places)
            yield Clip(id=clip_id, setting=setting, video=video, questions=tuple(questions))


def _files(root: Path, setting: str) -> tuple[Path, ...]:
    own = (f"test_{setting}.*",) if setting in HALVES else ()
    return folder.files(root, "VSI-Bench", (*own, "test-*.parquet", "test.*"))


def _asked(root: Path, setting: str) -> Iterator[Question]:
    """The questions of a setting in file order, each with its half where that is known."""
    files = _files(root, setting)
    listed = inside(root, "pruned_ids.txt")
    ids = frozenset(listed.read_text("utf-8").split()) if listed.is_file() else frozenset()
    for _, asked in folder.asked(files, question):
        kind, half = asked.tags["question_type"], asked.tags.get("half", "")
        if kind not in TYPES:
            raise DataError(f"{files[0]}: got the type {kind!r}; wants one of {', '.join(TYPES)}")
        if kind in NUMBERS and not 0 < (python_number(asked.answer) or 0) < math.inf:
            raise DataError(
                f"{files[0]}: question {asked.row_id}: got the answer {asked.answer!r} for {kind}; "
                "wants a number above 0"
            )
        if not half and files[0].stem.endswith(HALVES):
            half = setting
        elif not half and ids:
            half = HALVES[asked.row_id in ids]
        if setting in HALVES and not half:
            raise DataError(
                f"{files[0]}: does not say which questions are {setting}; wants a column 'pruned', "
                f"or pruned_ids.txt or test_{setting}.parquet beside it"
            )
        if setting not in HALVES or half == setting:
            tags = {**asked.tags, "half": half} if half else asked.tags
            yield dataclasses.replace(asked, tags=tags)


def check(root: Path) -> DataCheck:
    """Read every question, open every video, and say what is missing or damaged."""
    return folder.check(root, lambda: _files(root, "full"), lambda: clips(root, ("full",), ()))


def ask(_: Clip, one: Question) -> Ask:
    """The user's turn, byte for byte; at most 16 new tokens.

    Source: both codes, lmms_eval/tasks/vsibench (utils.py, vsibench_doc_to_text; vsibench.yaml).
    """
    parts = ["These are frames of a video.", one.text]
    if one.kind == "choice":
        parts += ["Options:", *one.choices, _LETTER]
    else:
        parts.append(_FEW_WORDS)
    return Ask(text="\n".join(parts), max_new_tokens=16)
