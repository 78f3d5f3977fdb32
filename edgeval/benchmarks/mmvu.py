"""MMVU: expert questions over 27 subjects, most with five options, the rest open.

A data folder is the Hugging Face download (videos unpacked) or the authors' repository:

    validation.json   or   data/validation.json   or   data/validation*.parquet
        row = {"id", "question_type": "multiple-choice" | "open-ended", "question",
               "choices": {"A".."E": str, "" for open}, "answer": letter or text,
               "video": URL ending in videos/<Subject>/<n>.mp4, or "video_path": that path alone,
               "youtube_url"}
    videos/<Subject>/<n>.mp4

Source: yale-nlp/MMVU@4d54223d912f498707c105ab645a921abce6e39a and
EvolvingLMMs-Lab/lmms-eval@75571cfe0fa36ca5ec2e6aa2bb268f9d38295af3, lmms_eval/tasks/mmvu.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from edgeval import tally
from edgeval.answers import option_letters, strip_reasoning
from edgeval.answers.mmvu import choice_letter, choice_right, open_right
from edgeval.benchmarks import folder
from edgeval.benchmarks.base import Benchmark, DataCheck
from edgeval.dataset import Row, filled, inside
from edgeval.errors import DataError
from edgeval.figures import Figure, Reference, Report
from edgeval.types import Ask, Clip, Question, Record, Score, Status

NAME = "mmvu"
LMMS_EVAL = "lmms-eval"
LETTERS = option_letters(5)
MAX_NEW_TOKENS = 1024
KINDS = MappingProxyType({"multiple-choice": "choice", "open-ended": "text"})
_LOGGED = 100

# lmms-eval's names; it has no task without the video.
TABLE = MappingProxyType(
    {"video": ("mmvu_val",), "cot": ("mmvu_val_cot",), "blind": ("mmvu_val_no_visual",)}
)
# Source: lmms-eval, lmms_eval/tasks/mmvu/utils.py, TASK_MAP.
DISCIPLINES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "Science": (
            *("Biology", "Chemistry", "Modern_Physics", "Astronomy", "Geography"),
            *("Materials_Science", "Neurobiology", "Electromagnetism", "Thermodynamics"),
            "Mechanics",
        ),
        "Engineering": (
            *("Civil_Engineering", "Electrical_Engineering", "Mechanical_Engineering"),
            *("Biomedical_Engineering", "Electronics_and_Communication", "Computer_Science"),
        ),
        "Healthcare": (
            *("Clinical_Medicine", "Basic_Medicine", "Preventive_Medicine", "Pharmacy"),
            "Dentistry",
        ),
        "Humanities_and_Social_Science": (
            *("Art", "Literature", "History", "Law", "Economics", "Management"),
        ),
    }
)
_DIRECT = "Do not generate any intermediate reasoning process. "
_STEPS = "step by step. Begin by explaining your reasoning process"
_CONCLUDE = 'by stating the final answer using the following format: "Therefore, the final answer'
# (setting is "cot", there are options) -> what follows the question. Line breaks are lmms-eval's.
_ORDERS: Mapping[tuple[bool, bool], str] = MappingProxyType(
    {
        (
            False,
            True,
        ): f"{_DIRECT}Answer directly with the option letter from the\ngiven choices.\n",
        (False, False): f"{_DIRECT}Directly output the final answer.\n",
        (True, True): (
            f"Answer the given multiple-choice question {_STEPS}\nclearly. Conclude {_CONCLUDE}\n"
            'is: $LETTER" (without quotes), where $LETTER is one of the options. '
            "Think step by step before\nanswering.\n"
        ),
        (True, False): (
            f"Answer the given question {_STEPS} clearly. Conclude\n{_CONCLUDE} is: "
            '"Answer:\n$ANSWER" (without quotes), where $ANSWER is the final answer of the '
            "question. Think step by\nstep before answering.\n"
        ),
    }
)
_YOUTUBE = re.compile(r"(?:v=|youtu\.be/|/shorts/|/embed/|/live/)([\w-]{11})", re.ASCII)


def question(row: Row) -> Question:
    """The question of one raw row, of the authors' files or of lmms-eval's. Raises DataError."""
    row_id = filled(row, "id", "a row without an id")
    kind = filled(row, "question_type", row_id)
    if kind not in KINDS:
        raise DataError(f"{row_id}: got the type {kind!r}; wants {' or '.join(KINDS)}")
    path = _path(row, row_id)
    subject = path.split("/")[-2]
    answer = filled(row, "answer", row_id)
    choices = _choices(row, row_id) if kind == "multiple-choice" else ()
    if choices and answer not in LETTERS:
        raise DataError(f"{row_id}: got the answer {answer!r}; wants a letter from A to E")
    match = _YOUTUBE.search(str(row.get("youtube_url", "")))
    return Question(
        id=f"mmvu_val:{row_id}",
        row_id=row_id,
        clip_id=path,
        task="mmvu_val",
        text=filled(row, "question", row_id),
        answer=answer,
        kind="choice" if choices else "text",
        choices=choices,
        tags={
            "question_type": kind,
            "discipline": discipline(subject),
            "subject": subject,
            "video": f"youtube:{match.group(1)}" if match else path,
        },
    )


def discipline(subject: str) -> str:
    """The discipline of a subject, "Other" for one that MMVU does not have."""
    return next((name for name, held in DISCIPLINES.items() if subject in held), "Other")


def clips(root: Path, settings: Sequence[str], tasks: Sequence[str]) -> Iterator[Clip]:
    """One clip a video and setting with all that is asked about it, in file order.

    Raises UnknownName, ArgumentError and DataError.
    """
    wanted = folder.chosen(NAME, TABLE, settings, tasks)
    by_video: dict[str, list[Question]] = {}
    for _, one in folder.asked(_files(root), question):
        by_video.setdefault(one.clip_id, []).append(one)
    for path, questions in by_video.items():
        for setting, (task, *_) in ((s, t) for s, t in wanted.items() if t):
            yield Clip(
                id=path,
                setting=setting,
                video=None if setting == "blind" else inside(root, path),
                questions=tuple(folder.as_task(one, task) for one in questions),
            )


def ask(clip: Clip, one: Question) -> Ask:
    """lmms-eval's turn: direct, or step by step in the setting "cot"."""
    options = "".join(f"{x}: {text}\n" for x, text in zip(LETTERS, one.choices, strict=False))
    order = _ORDERS[clip.setting == "cot", bool(one.choices)]
    text = f"\nQuestion:{one.text}\n{options}Visual Information: processed video\n{order}"
    return Ask(text=text, max_new_tokens=MAX_NEW_TOKENS)


def score(one: Question, response: str) -> tuple[Score, ...]:
    """lmms-eval's rules first; what they do not find right in an open answer needs its judge."""
    said = strip_reasoning(response)
    if one.kind == "choice":
        letter = choice_letter(said)
        right = choice_right(said, one.answer, one.choices[LETTERS.index(one.answer)])
        status: Status = "scored" if letter is not None or right else "unparsed"
        return (Score(rule=LMMS_EVAL, value=float(right), parsed=letter, status=status),)
    parsed = said if len(said) <= _LOGGED else f"{said[:_LOGGED]}..."
    if open_right(said, one.answer):
        return (Score(rule=LMMS_EVAL, value=1.0, parsed=parsed, status="scored"),)
    return (Score(rule=LMMS_EVAL, value=None, parsed=parsed, status="needs_judge"),)


def report(records: Sequence[Record]) -> Report:
    """Accuracy over all without a judge, by question type, discipline and subject."""
    figures = tuple(_figures(records))
    have = {(figure.name, figure.group) for figure in figures}
    overs = [f"question_type={kind}" for kind in KINDS] + [f"discipline={x}" for x in DISCIPLINES]
    columns = [
        (f"accuracy{suffix}", over)
        for suffix, _ in tally.by_setting(records, "video")
        for over in ("", *overs)
    ]
    notes = []
    if judged := sum(figure.n_needs_judge for figure in figures if figure.group == ""):
        notes.append(
            f"{judged} open answers need a judge and are outside n: accuracy over all, and over "
            "open questions, is of the rest alone and flatters; multiple choice is complete"
        )
    own = all(r.question.tags["video"].startswith("youtube:") for r in records)
    return Report(
        benchmark=NAME,
        figures=figures,
        headline=tuple((name, LMMS_EVAL, over) for name, over in columns if (name, over) in have),
        references=_references("" if own else "; on MMVU's own videos, not on these"),
        notes=tuple(notes),
    )


def check(root: Path) -> DataCheck:
    """Read every question, open every video, say what is missing or damaged."""
    return folder.check(root, lambda: _files(root), lambda: clips(root, ("video",), ()))


def _files(root: Path) -> tuple[Path, ...]:
    return folder.files(root, "MMVU", ("validation*.*", "data/validation*.*"))


def _path(row: Row, row_id: str) -> str:
    """Where the video stands in the folder: lmms-eval's column, else the end of the URL."""
    key = "video_path" if row.get("video_path") else "video"
    head, mark, tail = filled(row, key, row_id).rpartition("videos/")
    if not mark or "/" not in tail:
        raise DataError(f"{row_id}: got {head + mark + tail!r}; wants videos/<Subject>/<n>.mp4")
    return mark + tail


def _choices(row: Row, row_id: str) -> tuple[str, ...]:
    held = row.get("choices")
    texts = tuple(held.get(x) for x in LETTERS) if isinstance(held, dict) else ()
    if len(texts) != len(LETTERS) or not all(isinstance(text, str) for text in texts):
        raise DataError(f"{row_id}: got 'choices' without a text for each of A to E; wants five")
    return tuple(str(text) for text in texts)


def _figures(records: Sequence[Record]) -> Iterator[Figure]:
    for suffix, asked in tally.by_setting(records, "video"):
        cells = tally.cells(asked, LMMS_EVAL)
        tags = ("question_type", "discipline", "subject")
        yield from tally.broken_down(f"accuracy{suffix}", LMMS_EVAL, "", cells, tags)


def _references(where: str) -> tuple[Reference, ...]:
    published = (
        ("GPT-4o", 67.4, "Qwen2.5-VL technical report"),
        ("Gemini-1.5-Pro", 65.4, "Qwen2.5-VL technical report"),
        ("Qwen2.5-VL-72B", 62.9, "Qwen2.5-VL technical report"),
        ("Qwen2.5-VL-7B", 50.1, "Qwen2.5-VL technical report"),
        ("VideoLLaMA3-2B", 39.9, "VideoLLaMA3 paper"),
        ("Qwen2-VL-2B", 36.5, "VideoLLaMA3 paper"),
        ("InternVL2.5-2B", 33.6, "VideoLLaMA3 paper"),
    )
    guess = {"question_type=multiple-choice": 20.0}
    return (
        Reference(name="Guessing", values=guess, source="computed: one of five options"),
        *(
            Reference(
                name=name,
                values={"accuracy": value},
                source=f"{source}, validation set, open answers judged there{where}",
            )
            for name, value, source in published
        ),
    )


BENCHMARK = Benchmark(
    name=NAME,
    title="MMVU",
    tasks=tuple(task for tasks in TABLE.values() for task in tasks),
    settings=tuple(TABLE),
    default_settings=("video",),
    rules=(LMMS_EVAL,),
    metric="accuracy",
    licence="none seen for questions and videos: evaluate only, do not pass on",
    published="validation: 625 multiple choice and 375 open questions; test: without answers",
    source="yale-nlp/MMVU@4d54223d, EvolvingLMMs-Lab/lmms-eval@75571cfe",
    embedded=Path(__file__).parents[1] / "embedded" / "mmvu",
    references=_references(""),
    clips=clips,
    ask=ask,
    question=question,
    score=score,
    report=report,
    check=check,
)
