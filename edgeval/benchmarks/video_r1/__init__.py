"""Video-R1's evaluation: six benchmarks asked to think first, in one file of questions each.

A data folder is the authors' src/r1-v, or its Evaluation folder, or the Hugging Face download
Video-R1/Video-R1-eval with the videos of the six benchmarks placed beside the questions:

    Evaluation/eval_<task>.json  or  eval_<task>.json      task: mvbench tempcompass videomme
        [{"problem", "problem_type", "options": ["A. ...", ...],      videommmu vsibench mmvu
          "solution": "<answer>A</answer>", "data_type": "video",
          "path": "./Evaluation/MVBench/x.mp4"}, ...]
    Evaluation/MVBench/x.mp4  or  MVBench/x.mp4            where "path" says

The authors show 2 frames a second, 4 to 16 in all (also 32 and 64), each of 128 to 256 times
28 x 28 pixels; their code as shipped stops at 128 (issue 11). They sample at temperature 0.1 and
top-p 0.001, which is greedy but for ties, and leave at most 1,024 tokens.

Source: tulerfeng/Video-R1@59d65c347e44efa71be27abf9d89b4a2bb7d1c05, src/eval_bench.py, README.md,
src/r1-v/src/open_r1/grpo.py; its issues 11, 69, 94 and 121.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import MappingProxyType

from edgeval.answers.video_r1 import final_answer
from edgeval.benchmarks import folder
from edgeval.benchmarks.base import Benchmark, DataCheck
from edgeval.benchmarks.video_r1 import report, rules
from edgeval.benchmarks.video_r1.rules import CHOICE, KINDS, NUMERICAL, REGRESSION
from edgeval.dataset import Row, filled, texts
from edgeval.errors import DataError
from edgeval.types import Ask, Clip, Question

NAME = "video-r1"
TASKS = ("mvbench", "tempcompass", "videomme", "videommmu", "vsibench", "mmvu")
_BLIND = "_no_visual"
TABLE = MappingProxyType({"video": TASKS, "blind": tuple(task + _BLIND for task in TASKS)})
MAX_NEW_TOKENS = 1024

_THINK = (
    "\nPlease think about this question as if you were a human pondering deeply. "
    "Engage in an internal dialogue using expressions such as 'let me think', 'wait', 'Hmm', "
    "'oh, I see', 'let's break it down', etc, or other natural language thought expressions "
    "It's encouraged to include self-reflection or verification in the reasoning process. "
    "Provide your detailed reasoning between the <think> and </think> tags, and then give your "
    "final answer between the <answer> and </answer> tags."
)
_INSIDE = "within the <answer> </answer> tags."
_VALUE = f" Please provide the numerical value (e.g., 42 or 3.14) {_INSIDE}"
_TAILS = MappingProxyType(
    {
        CHOICE: f" Please provide only the single option letter (e.g., A, B, C, D, etc.) {_INSIDE}",
        NUMERICAL: _VALUE,
        REGRESSION: _VALUE,
        "OCR": (
            " Please transcribe text from the image/video clearly and provide your text answer "
            + _INSIDE
        ),
        "free-form": f" Please provide your text answer {_INSIDE}",
    }
)


def question(row: Row) -> Question:
    """The question of one raw row; ``task`` and ``id`` are what a row does not say of itself.

    The answer is what the solution's tags hold, "" without tags, as the authors take it. A type
    that they do not have makes a text question, worth 0 to them. Raises DataError.
    """
    task = row.get("task", "video_r1")
    row_id = str(row.get("id", row.get("problem_id", "unnamed")))
    who = f"{task} {row_id}"
    if task not in (*TASKS, "video_r1"):
        raise DataError(f"{who}: got the task {task!r}; wants one of {', '.join(TASKS)}")
    solution, path = row.get("solution"), row.get("path")
    if not isinstance(solution, str):
        raise DataError(f"{who}: got {type(solution).__name__} for 'solution'; wants text")
    problem_type = filled(row, "problem_type", who)
    choices = texts(row, "options", who)
    if problem_type == CHOICE and not choices:
        raise DataError(f"{who}: got a multiple choice row without options; wants at least one")
    clip_id = path if isinstance(path, str) and path else who
    return Question(
        id=f"{task}:{row_id}",
        row_id=row_id,
        clip_id=f"{task}:{clip_id}",
        task=str(task),
        text=filled(row, "problem", who),
        answer=final_answer(solution),
        kind=KINDS.get(problem_type, "text"),
        choices=choices if problem_type == CHOICE else (),
        tags={"task": str(task), "problem_type": problem_type, "video": clip_id},
    )


def clips(root: Path, settings: Sequence[str], tasks: Sequence[str]) -> Iterator[Clip]:
    """One clip a task, video and setting, with all that is asked about it, never a part of it.

    Raises UnknownName, ArgumentError and DataError.
    """
    for setting, names in folder.chosen(NAME, TABLE, settings, tasks).items():
        for name in names:
            task = name.removesuffix(_BLIND)
            by_video: dict[Path, list[Question]] = {}
            for row, one in folder.asked(_files(root, task), _reader(task)):
                by_video.setdefault(_video(root, row, one), []).append(one)
            for video, questions in by_video.items():
                yield Clip(
                    id=questions[0].clip_id,
                    setting=setting,
                    video=video if setting == "video" else None,
                    questions=tuple(folder.as_task(one, name) for one in questions),
                )


def _files(root: Path, task: str) -> tuple[Path, ...]:
    name = f"eval_{task}.json"
    return folder.files(root, f"{NAME} {task}", (name, f"Evaluation/{name}"))


def _reader(task: str) -> Callable[[Row], Question]:
    """Reads the rows of one task one after the other: their place in the file is their id."""
    places = itertools.count()

    def read(row: Row) -> Question:
        one = question({**row, "task": task, "id": str(next(places))})
        if one.tags["problem_type"] not in _TAILS:
            raise DataError(
                f"{task} {one.row_id}: got the problem_type {one.tags['problem_type']!r}; wants "
                f"one of {', '.join(_TAILS)}"
            )
        return one

    return read


def _video(root: Path, row: Row, one: Question) -> Path:
    """Where the row's path leads, from src/r1-v or from its Evaluation folder."""
    who = f"{one.task} {one.row_id}"
    if row.get("data_type") != "video":
        raise DataError(f"{who}: got the data_type {row.get('data_type')!r}; wants 'video'")
    path = filled(row, "path", who).removeprefix("./")
    return folder.first(root, (path, path.removeprefix("Evaluation/")))


def ask(_clip: Clip, one: Question) -> Ask:
    """The user's turn, byte for byte. "Options:" follows the question without a line break."""
    options = "".join(f"{option}\n" for option in one.choices)
    asked = f"{one.text}Options:\n{options}" if one.kind == "choice" else one.text
    tail = _TAILS.get(one.tags["problem_type"], "")
    return Ask(text=f"{asked}{_THINK}{tail}", max_new_tokens=MAX_NEW_TOKENS)


def check(root: Path) -> DataCheck:
    """Read every question, open every video, say what is missing or damaged."""
    return folder.check(
        root,
        lambda: [file for task in TASKS for file in _files(root, task)],
        lambda: clips(root, ("video",), ()),
    )


BENCHMARK = Benchmark(
    name=NAME,
    title="Video-R1 evaluation",
    tasks=tuple(task for tasks in TABLE.values() for task in tasks),
    settings=tuple(TABLE),
    default_settings=("video",),
    rules=rules.RULES,
    metric="score",
    licence="none given for the question files; videos under the terms of six benchmarks",
    published="six files, one a benchmark; how many questions they hold was not seen",
    source="tulerfeng/Video-R1@59d65c34",
    embedded=Path(__file__).parents[2] / "embedded" / "video-r1",
    references=report.PUBLISHED,
    clips=clips,
    ask=ask,
    question=question,
    score=rules.score,
    report=report.report,
    check=check,
)
