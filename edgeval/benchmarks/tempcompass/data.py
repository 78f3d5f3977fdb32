"""TempCompass's questions: four tables of them, as clips with all that is asked about a video."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from edgeval.answers.tempcompass import options
from edgeval.benchmarks import folder
from edgeval.benchmarks.base import DataCheck
from edgeval.dataset import Row, filled, inside, read_json, read_rows
from edgeval.errors import DataError
from edgeval.types import Ask, Clip, Question

DIMENSIONS = ("action", "direction", "speed", "order", "attribute_change")
# How each task ends its question.
ENDINGS: Mapping[str, str] = MappingProxyType(
    {
        "multi-choice": "\nPlease directly give the best option:",
        "yes_no": "\nPlease answer yes or no:",
        "caption_matching": "\nPlease directly give the best option:",
        "captioning": "",
    }
)
# The reply of a judge in the place of an answer, for `score` alone: what the authors' code makes
# of it. There 0 and 1 are joined by -1, a reply that failed, which they add up with the others.
JUDGE_REPLY = "captioning_judge_parse"
MAX_NEW_TOKENS = 128
# lmms-eval's task names no limit, so that of its model class counts: 128 in most, this in some.
LONG_NEW_TOKENS = 1024
LONG_FAMILIES = ("internvl", "llava_onevision")

_LISTED = ("multi-choice", "caption_matching")  # options are the lines of the question
_YES_NO = ("yes", "no")

_NAMES = MappingProxyType({task: f"tempcompass_{task.replace('-', '_')}" for task in ENDINGS})
TASKS = MappingProxyType(
    {
        "video": tuple(_NAMES.values()),
        "blind": tuple(f"{name}_no_visual" for name in _NAMES.values()),
    }
)
SPLITS = MappingProxyType(
    {name: task for names in TASKS.values() for name, task in zip(names, ENDINGS, strict=True)}
)


def question(row: Row) -> Question:
    """One row of a table with "video_id", "dim" and, added, "task". Raises DataError."""
    video = filled(row, "video_id", "a row without a video")
    dimension, task = filled(row, "dim", video), filled(row, "task", video)
    who = str(row.get("id", f"{video}/{dimension}"))
    if task not in (*ENDINGS, JUDGE_REPLY) or dimension not in DIMENSIONS:
        raise DataError(
            f"{who}: got the task {task!r} in {dimension!r}; wants one of {', '.join(ENDINGS)} in "
            f"one of {', '.join(DIMENSIONS)}"
        )
    text, answer = filled(row, "question", who), filled(row, "answer", who)
    _check_answer(who, task, text, answer)
    name = _NAMES.get(task, task)
    aspect = row.get("aspect") or ("order" if dimension == "order" else None)
    return Question(
        id=f"{name}:{who}",
        row_id=who,
        clip_id=video,
        task=name,
        text=text,
        answer=answer,
        kind="choice" if task in _LISTED else "text",
        choices=options(text) if task in _LISTED else _YES_NO if task == "yes_no" else (),
        tags={
            "task": task,
            "dimension": dimension,
            # What was filmed: reversed, joined and cut videos begin with the same number.
            "video": video.split("_", maxsplit=1)[0],
            **({"aspect": str(aspect)} if aspect else {}),
        },
    )


def _check_answer(who: str, task: str, text: str, answer: str) -> None:
    if task == "yes_no" and answer not in _YES_NO:
        raise DataError(f"{who}: got the answer {answer!r}; wants yes or no")
    listed = options(text)
    if task in _LISTED and answer not in listed:
        raise DataError(f"{who}: got the answer {answer!r}, which is no line of the question's")
    if task == "caption_matching" and not all(": " in option for option in listed):
        raise DataError(f"{who}: got an option without a name before ': '; wants one in each")


def clips(root: Path, settings: Sequence[str], tasks: Sequence[str]) -> Iterator[Clip]:
    """One clip a video and setting, with all that any task asks about it.

    Raises UnknownName, ArgumentError and DataError.
    """
    aspects: Mapping[tuple[str, str], str] | None = None
    for setting, names in folder.chosen("tempcompass", TASKS, settings, tasks).items():
        by_video: dict[str, list[Question]] = {}
        for name in names:
            sources = _files(root, SPLITS[name])
            aspects = _aspects(root) if aspects is None else aspects
            for _, asked in folder.asked(sources, _reader(name, aspects), _rows):
                by_video.setdefault(asked.clip_id, []).append(asked)
        for video_id, questions in by_video.items():
            video = folder.first(root, (f"videos/{video_id}.mp4", f"{video_id}.mp4"))
            yield Clip(
                id=video_id,
                setting=setting,
                video=None if setting == "blind" else video,
                questions=tuple(questions),
            )


def _files(root: Path, task: str) -> tuple[Path, ...]:
    places = (f"questions/{task}.json", f"{task}.json", f"{task}/*.*")
    return folder.files(root, f"TempCompass {task}", places)


def _reader(name: str, aspects: Mapping[tuple[str, str], str]) -> Callable[[Row], Question]:
    """Reads the rows of one task; their number in a video and dimension is all the id they have."""
    seen: Counter[str] = Counter()

    def read(row: Row) -> Question:
        video, dimension = str(row.get("video_id")), str(row.get("dim"))
        place = f"{video}/{dimension}"
        added = {"task": SPLITS[name], "aspect": aspects.get((video, dimension))}
        asked = question({**row, **added, "id": f"{place}/{seen[place]}"})
        seen[place] += 1
        return folder.as_task(asked, name)

    return read


def _rows(path: Path) -> Iterator[Row]:
    """The rows of a table, or of the repository's {video: {dimension: [row]}}."""
    if path.suffix != ".json" or path.parent.name in ENDINGS:
        yield from read_rows(path)
        return
    for video, dimensions in _named(read_json(path), path):
        for dimension, rows in _named(dimensions, path):
            if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
                raise DataError(f"{path}: got no list of questions for {video}, {dimension}")
            yield from ({**row, "video_id": video, "dim": dimension} for row in rows)


def _named(value: object, path: Path) -> Iterator[tuple[str, object]]:
    if not isinstance(value, dict):
        raise DataError(f"{path}: got {type(value).__name__}; wants videos, dimensions, questions")
    yield from value.items()


def _aspects(root: Path) -> dict[tuple[str, str], str]:
    """The fine-grained aspect of each video's dimension, as far as meta_info.json has it."""
    path = inside(root, "meta_info.json")
    found: dict[tuple[str, str], str] = {}
    for video, info in _named(read_json(path), path) if path.is_file() else ():
        dimensions = info.get("eval_dim") if isinstance(info, dict) else None
        for dimension, facts in _named(dimensions, path):
            if isinstance(facts, dict) and isinstance(facts.get("type"), str):
                found[(video, dimension)] = facts["type"]
    return found


def ask(_clip: Clip, question: Question) -> Ask:
    """The question with its task's ending; captioning ends by itself."""
    text = question.text + ENDINGS[question.tags["task"]]
    return Ask(text=text, max_new_tokens=MAX_NEW_TOKENS)


def ask_at_length(clip: Clip, question: Question) -> Ask:
    """The same with the limit of lmms-eval's classes internvl_hf and llava_hf."""
    return dataclasses.replace(ask(clip, question), max_new_tokens=LONG_NEW_TOKENS)


def check(root: Path) -> DataCheck:
    """Read every question, open every video, and say what is missing or damaged."""
    return folder.check(
        root,
        lambda: [file for task in ENDINGS for file in _files(root, task)],
        lambda: clips(root, ("video",), ()),
    )
