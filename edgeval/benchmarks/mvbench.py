"""MVBench: twenty kinds of short temporal question, two hundred of each, four options or fewer.

A data folder holds the questions as Hugging Face OpenGVLab/MVBench has them, and the videos of its
archives, unpacked into video/ or beside:

    json/<task>.json    [{"video", "question", "candidates": [str, ...], "answer": str,
                          "start", "end": seconds, where only that part counts}, ...]
    video/<place>/<video>    _PLACES has the place of each task

Where a place ends in "_segment" its videos are cut already and asked about whole. NTU RGB-D
(fine_grained_pose) must be fetched by hand. Episodic reasoning ships as folders of pictures at
3 a second (tvqa/frames_fps3_hq): wanted here is the video made of them, <folder>.mp4.

Source: OpenGVLab/Ask-Anything@4dd8210b030374bb0c510a57dfbe916f70d3ef71, video_chat2/mvbench.ipynb,
and EvolvingLMMs-Lab/lmms-eval@75571cfe0fa36ca5ec2e6aa2bb268f9d38295af3, lmms_eval/tasks/mvbench.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from edgeval import tally
from edgeval.answers import option_letters, strip_reasoning
from edgeval.answers.mvbench import is_option, lmms_letter, option_word
from edgeval.benchmarks import folder
from edgeval.benchmarks.base import Benchmark, DataCheck
from edgeval.dataset import Row, filled, texts
from edgeval.errors import DataError
from edgeval.figures import Figure, Reference, Report
from edgeval.types import Ask, Clip, Question, Record, Score

OFFICIAL, LMMS_EVAL = RULES = ("official", "lmms-eval")
SYSTEM = (
    "Carefully watch the video and pay attention to the cause and sequence of events, the detail "
    "and movement of objects, and the action and pose of persons. Based on your observations, "
    "select the best option that accurately addresses the question.\n"
)
PREFILL = "Best option:("
MAX_NEW_TOKENS = 100
LMMS_NEW_TOKENS = 16

_STAR = ("star/Charades_v1_480", "star/Charades_segment", "data0613/star/Charades_v1_480")
_CLEVRER = ("clevrer/video_validation", "data0613/clevrer/video_validation")
_PERCEPTION = ("perception/videos",)
# In the notebook's order, which is the paper's; the first place is the notebook's.
_PLACES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "action_sequence": _STAR,
        "action_prediction": _STAR,
        "action_antonym": ("ssv2_video", "ssv2_video_mp4"),
        "fine_grained_action": ("Moments_in_Time_Raw/videos",),
        "unexpected_action": ("FunQA_test/test",),
        "object_existence": _CLEVRER,
        "object_interaction": _STAR,
        "object_shuffle": _PERCEPTION,
        "moving_direction": _CLEVRER,
        "action_localization": ("sta/sta_video", "sta/sta_video_segment"),
        "scene_transition": ("scene_qa/video",),
        "action_count": _PERCEPTION,
        "moving_count": _CLEVRER,
        "moving_attribute": _CLEVRER,
        "state_change": _PERCEPTION,
        "fine_grained_pose": ("nturgbd", "nturgbd_convert"),
        "character_order": _PERCEPTION,
        "egocentric_navigation": ("vlnqa",),
        "episodic_reasoning": ("tvqa/frames_fps3_hq", "tvqa/video_fps3_hq_segment"),
        "counterfactual_inference": _CLEVRER,
    }
)
TASKS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "video": tuple(f"mvbench_{task}" for task in _PLACES),
        "blind": tuple(f"mvbench_{task}_no_visual" for task in _PLACES),
    }
)
_SPLITS = MappingProxyType(
    {name: task for names in TASKS.values() for name, task in zip(names, _PLACES, strict=True)}
)


def question(row: Row) -> Question:
    """One raw row, with "task" and "id" added where they are known. Raises DataError."""
    task = row.get("task", "")
    if task != "" and task not in _PLACES:
        raise DataError(f"got the task {task!r}; wants one of {', '.join(_PLACES)}")
    video = filled(row, "video", f"a row of {task or 'MVBench'}")
    row_id = str(row.get("id", video))
    choices = texts(row, "candidates", row_id)
    answer = filled(row, "answer", row_id)
    if answer not in choices or len(choices) > 26:
        raise DataError(
            f"{row_id}: got the answer {answer!r} and {len(choices)} candidates; wants it among "
            "26 at most"
        )
    name = f"mvbench_{task}" if task else "mvbench"
    shown = f"{_PLACES[str(task)][0]}/{video}" if task else video
    part = _segment(row, row_id)
    clip_id = f"{shown}@{part[0]}-{part[1]}" if part else shown
    return Question(
        id=f"{name}:{row_id}",
        row_id=row_id,
        clip_id=clip_id,
        task=name,
        text=filled(row, "question", row_id),
        answer=option_letters(len(choices))[choices.index(answer)],
        kind="choice",
        choices=choices,
        tags={"task": str(task), "video": shown},
    )


def _segment(row: Row, who: str) -> tuple[float, float] | None:
    start, end = row.get("start"), row.get("end")
    if start is None and end is None:
        return None
    if not isinstance(start, (int, float)) or not isinstance(end, (int, float)):
        raise DataError(f"{who}: got start {start!r} and end {end!r}; wants seconds or neither")
    if not 0 <= start <= end < float("inf"):
        raise DataError(f"{who}: got a part from {start} to {end} s; wants 0 <= start <= end")
    return float(start), float(end)


def clips(root: Path, settings: Sequence[str], tasks: Sequence[str]) -> Iterator[Clip]:
    """One clip a video, part of it and setting, with all that any task asks about it.

    A video that is not there is named where the notebook wants it. Raises UnknownName,
    ArgumentError and DataError.
    """
    for setting, names in folder.chosen("mvbench", TASKS, settings, tasks).items():
        grouped: dict[str, list[tuple[Row, Question]]] = {}
        for name in names:
            for row, asked in folder.asked(_files(root, _SPLITS[name]), _reader(name)):
                grouped.setdefault(asked.clip_id, []).append((row, asked))
        for clip_id, pairs in grouped.items():
            row, first = pairs[0]
            video = _video(root, first.tags["task"], filled(row, "video", clip_id))
            shown = setting == "video"
            cut = video.parent.name.endswith("_segment")
            yield Clip(
                id=clip_id,
                setting=setting,
                video=video if shown else None,
                questions=tuple(asked for _, asked in pairs),
                segment_s=_segment(row, clip_id) if shown and not cut else None,
                system=SYSTEM,
            )


def _files(root: Path, task: str) -> tuple[Path, ...]:
    return folder.files(
        root, f"MVBench {task}", (f"json/{task}.json", f"{task}.json", f"{task}/*.*")
    )


def _reader(name: str) -> Callable[[Row], Question]:
    """Reads the rows of one task one after the other: their number is all the id they have."""
    numbers = itertools.count()

    def read(row: Row) -> Question:
        asked = question({**row, "task": _SPLITS[name], "id": str(next(numbers))})
        return folder.as_task(asked, name)

    return read


def _video(root: Path, task: str, video: str) -> Path:
    """Where the video is; in archives of other times some are mp4, or without a suffix."""
    stem, _, suffix = video.rpartition(".")
    bare = stem if stem and "/" not in suffix else video
    names = (video, f"{video}.mp4", f"{bare}.mp4", f"{bare}.webm")
    spots = [f"{place}/{name}" for place in _PLACES[task] for name in names]
    return folder.first(root, [f"{top}{spot}" for top in ("video/", "") for spot in spots])


def ask(_clip: Clip, question: Question) -> Ask:
    """The notebook's turn and the beginning of the answer, for the model to go on with."""
    letters = option_letters(len(question.choices))
    options = "".join(f"({x}) {c}\n" for x, c in zip(letters, question.choices, strict=True))
    asked = f"Question: {question.text}\nOptions:\n{options}".rstrip()
    return Ask(
        text=f"{asked}\nOnly give the best option.", max_new_tokens=MAX_NEW_TOKENS, prefill=PREFILL
    )


def ask_as_lmms_eval(_clip: Clip, question: Question) -> Ask:
    """lmms-eval's turn. Source: lmms-eval@75571cfe, tasks/mvbench/utils.py and its yaml files."""
    letters = option_letters(len(question.choices))
    options = "".join(f"({x}) {c}\n" for x, c in zip(letters, question.choices, strict=True))
    text = f"Question:{question.text}\nOption:\n{options}Only give the best option.\n"
    return Ask(text=text, max_new_tokens=LMMS_NEW_TOKENS)


def score(question: Question, response: str) -> tuple[Score, ...]:
    """The answer, as it goes on after the prefill, under each rule.

    ``official`` counts every answer; ``lmms-eval`` strips reasoning and leaves out empty answers.
    """
    word = option_word(response)
    right = is_option(word, question.answer)
    official = Score(rule=OFFICIAL, value=float(right), parsed=word, status="scored")
    said = strip_reasoning(response)
    if said == "":
        return official, Score(rule=LMMS_EVAL, value=None, parsed=None, status="excluded")
    got, want = lmms_letter(said), lmms_letter(question.answer)
    known = got == want or (len(got) == 1 and got.isupper())
    return official, Score(
        rule=LMMS_EVAL,
        value=float(got == want),
        parsed=got if known else None,
        status="scored" if known else "unparsed",
    )


def report(records: Sequence[Record]) -> Report:
    """Accuracy over all questions, the mean of the tasks, and each task, under both rules."""
    figures = tuple(figure for rule in RULES for figure in _figures(records, rule))
    have = {(figure.name, figure.rule, figure.group) for figure in figures}
    groups = ("", *(f"task={task}" for task in _PLACES))
    return Report(
        benchmark="mvbench",
        figures=figures,
        headline=tuple(
            key for rule in RULES for group in groups if (key := ("accuracy", rule, group)) in have
        ),
        references=REFERENCES,
        notes=tuple(_notes(records)),
    )


def _figures(records: Sequence[Record], rule: str) -> Iterator[Figure]:
    for suffix, asked in tally.by_setting(records, "video"):
        cells = tally.cells(asked, rule)
        yield from tally.broken_down(f"accuracy{suffix}", rule, "", cells, ("task",))
        tasks = tally.by_tag(cells, "task")
        note = "" if len(tasks) == len(_PLACES) else f"{len(tasks)} of {len(_PLACES)} tasks"
        yield tally.macro((f"mean of tasks{suffix}", rule, ""), tasks, note=note)


def _notes(records: Sequence[Record]) -> Iterator[str]:
    yield from tally.notes(records)
    yield from tally.left_out(records)
    scores = [record.scores[OFFICIAL] for record in records if OFFICIAL in record.scores]
    words = [str(score.parsed) for score in scores]
    if n := sum(is_option(word, "A") and is_option(word, "B") for word in words):
        yield f"official would count {n} answers (empty, or of several letters) as A and B alike"


def check(root: Path) -> DataCheck:
    """Read every question, open every video, and say what is missing or damaged."""
    return folder.check(
        root,
        lambda: [file for task in _PLACES for file in _files(root, task)],
        lambda: clips(root, ("video",), ()),
    )


def _reference(name: str, value: float, source: str) -> Reference:
    return Reference(name=name, values={"accuracy": value}, source=f"{source}, on MVBench's 4,000")


REFERENCES = (
    _reference("GPT-4o", 64.6, "Qwen2.5-VL technical report"),
    _reference("Qwen2.5-VL-7B", 69.6, "Qwen2.5-VL technical report"),
    _reference("Qwen2.5-VL-3B", 67.0, "Qwen2.5-VL technical report"),
    _reference("Qwen2-VL-2B", 63.2, "model card"),
    _reference("LLaVA-OneVision-7B", 56.7, "model card"),
    _reference("InternVL2-8B", 66.4, "model card, 16 frames"),
    _reference("InternVL2-2B", 60.2, "model card, 16 frames"),
    _reference("SmolVLM2-2.2B", 46.27, "model card"),
    _reference("SmolVLM2-500M", 39.73, "model card"),
    _reference("SmolVLM2-256M", 32.7, "model card"),
)

BENCHMARK = Benchmark(
    name="mvbench",
    title="MVBench",
    tasks=tuple(_SPLITS),
    settings=tuple(TASKS),
    default_settings=("video",),
    rules=RULES,
    metric="mvbench_accuracy",
    licence="code and questions MIT; videos under the terms of eleven datasets: evaluate only",
    published="20 tasks of 200 questions",
    source="OpenGVLab/Ask-Anything@4dd8210b, EvolvingLMMs-Lab/lmms-eval@75571cfe",
    embedded=Path(__file__).parents[1] / "embedded" / "mvbench",
    references=REFERENCES,
    clips=clips,
    ask=ask,
    question=question,
    score=score,
    report=report,
    check=check,
    asks={LMMS_EVAL: ask_as_lmms_eval},
)
