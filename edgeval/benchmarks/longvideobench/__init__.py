"""LongVideoBench: referred reasoning over videos of 8 s to one hour, subtitles between the frames.

A data folder is the Hugging Face download (gated) with its archives unpacked:

    lvb_val.json   or   validation*.parquet, also under data/
        row = {"id", "video_path", "subtitle_path", "question", "correct_choice": 0-based,
               "candidates": [str, ...] or "option0".."option4" ("N/A" where there is none),
               "duration": s, "duration_group": 15 | 60 | 600 | 3600, "question_category",
               "topic_category", "starting_timestamp_for_subtitles": s}, in JSON also "level"
    videos/<video_path>
    subtitles/<subtitle_path>     [{"timestamp": [s, s], "text"} or {"start", "end", "line"}, ...]

Source: longvideobench/LongVideoBench@fc3c553250cfee6853a722f9b181f1b69f478426 (dataloader) and
EvolvingLMMs-Lab/lmms-eval@75571cfe0fa36ca5ec2e6aa2bb268f9d38295af3, lmms_eval/tasks/longvideobench.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from edgeval import tally
from edgeval.answers import option_letters, strip_reasoning
from edgeval.answers.videomme import VLMEVAL_LEADS, first_letter
from edgeval.benchmarks import folder
from edgeval.benchmarks.base import Benchmark, DataCheck
from edgeval.benchmarks.longvideobench import subtitles
from edgeval.dataset import Row, filled, inside, texts
from edgeval.errors import DataError
from edgeval.figures import Figure, Reference, Report
from edgeval.types import Ask, Clip, Question, Record, Score

NAME = "longvideobench"
LMMS_EVAL = "lmms-eval"
VLMEVAL = "vlmeval"
RULES = (LMMS_EVAL, VLMEVAL)
MAIN = "interleaved"
TABLE = MappingProxyType(
    {
        MAIN: ("longvideobench_val_i",),
        "video": ("longvideobench_val_v",),
        "blind": ("longvideobench_no_visual",),
    }
)
MAX_NEW_TOKENS = 32
DURATIONS = ("15", "60", "600", "3600")

# Source: lmms-eval, utils.py, parse_multi_choice_response, in its order; VLMEvalKit@e8e78f05 has
# those of Video-MME in vlmeval/dataset/utils/longvideobench.py.
_LEADS = (
    *("The best answer is", "The correct answer is", "The answer is", "The answer"),
    *("The best option is", "The correct option is", "Best answer:", "Best option:"),
)
_LETTERS = "ABCDE"
_MOST = 5
_INSTRUCTION = "Answer with the option's letter from the given choices directly.\n"
_TAGS = ("duration_group", "question_category", "topic_category", "level")


def question(row: Row) -> Question:
    """The question of one raw row; its answer is ``correct_choice``, else the letter in ``answer``.

    Scoring needs options and answer alone. Raises DataError, also for a row of the test split,
    whose answers are not published.
    """
    row_id = row["id"] if isinstance(row.get("id"), str) and row["id"] else "unnamed"
    choices = _choices(row, str(row_id))
    path = row.get("video_path")
    clip_id = path if isinstance(path, str) and path else str(row_id)
    tags = {tag: str(row[tag]) for tag in _TAGS if row.get(tag) not in (None, "")}
    return Question(
        id=f"longvideobench_val_i:{row_id}",
        row_id=str(row_id),
        clip_id=clip_id,
        task="longvideobench_val_i",
        text=filled(row, "question", str(row_id)),
        answer=_gold(row, str(row_id), len(choices)),
        kind="choice",
        choices=choices,
        tags={**tags, "video": clip_id},
    )


def clips(root: Path, settings: Sequence[str], tasks: Sequence[str]) -> Iterator[Clip]:
    """One clip a video (and its subtitles) and setting with all that is asked about it.

    ``captions`` stand where lmms-eval puts them among its 16 frames, and are those that it keeps
    there. Raises UnknownName, ArgumentError and DataError.
    """
    wanted = folder.chosen(NAME, TABLE, settings, tasks)
    shown: dict[tuple[str, ...], tuple[Row, list[Question]]] = {}
    for row, one in folder.asked(_files(root), question):
        filled(row, "id", "a row of LongVideoBench")
        columns = ("video_path", "subtitle_path", "starting_timestamp_for_subtitles", "duration")
        key = tuple(str(row.get(column)) for column in columns)
        shown.setdefault(key, (row, []))[1].append(one)
    for row, questions in shown.values():
        video = inside(root, f"videos/{filled(row, 'video_path', questions[0].row_id)}")
        for setting, (task, *_) in ((s, t) for s, t in wanted.items() if t):
            yield Clip(
                id=questions[0].clip_id,
                setting=setting,
                video=None if setting == "blind" else video,
                questions=tuple(folder.as_task(one, task) for one in questions),
                captions=subtitles.captions(root, row, questions[0].row_id)
                if setting == MAIN
                else (),
            )


def ask(_clip: Clip, one: Question) -> Ask:
    """lmms-eval's turn; captions stand before it, between the frames."""
    pairs = zip(option_letters(len(one.choices)), one.choices, strict=True)
    options = "\n".join(f"{letter}. {choice}" for letter, choice in pairs)
    return Ask(text=f"{one.text}\n{options}\n{_INSTRUCTION}", max_new_tokens=MAX_NEW_TOKENS)


def score(one: Question, response: str) -> tuple[Score, ...]:
    """The first capital A to E under both rules, also one past the last option or inside a word.

    Where no letter is found lmms-eval picks an option at random: worth the expected value here,
    unparsed. VLMEvalKit asks a judge.
    """
    letter = first_letter(strip_reasoning(response), _LEADS, _LETTERS)
    guess = Score(rule=LMMS_EVAL, value=1 / len(one.choices), parsed=None, status="unparsed")
    other = first_letter(response, VLMEVAL_LEADS, _LETTERS)
    judge = Score(rule=VLMEVAL, value=None, parsed=None, status="needs_judge")
    return (
        guess if letter is None else _read(LMMS_EVAL, one, letter),
        judge if other is None else _read(VLMEVAL, one, other),
    )


def report(records: Sequence[Record]) -> Report:
    """Accuracy over all (lmms-eval's double count of every answer weighs out), then by group."""
    figures = tuple(figure for rule in RULES for figure in _figures(records, rule))
    have = {(figure.name, figure.rule, figure.group) for figure in figures}
    overs = ("", *(f"duration_group={group}" for group in DURATIONS))
    keys = [
        (f"accuracy{suffix}", rule, over)
        for rule in RULES
        for suffix, _ in tally.by_setting(records, MAIN)
        for over in overs
    ]
    return Report(
        benchmark=NAME,
        figures=figures,
        headline=tuple(key for key in keys if key in have),
        references=(*_guessing(records), *_references()),
        notes=tuple(_notes(records)),
    )


def check(root: Path) -> DataCheck:
    """Read every question and subtitle, open every video, say what is missing or damaged."""
    return folder.check(root, lambda: _files(root), lambda: clips(root, (MAIN,), ()))


def _files(root: Path) -> tuple[Path, ...]:
    names = ("lvb_val.json", "validation*.parquet")
    return folder.files(root, "LongVideoBench", (*names, *(f"data/{name}" for name in names)))


def _choices(row: Row, row_id: str) -> tuple[str, ...]:
    """The options from whichever columns the row has; lmms-eval's stop at the first "N/A"."""
    columns = [row.get(f"option{i}") for i in range(_MOST)]
    held = [text for text in columns if isinstance(text, str) and text != "N/A"]
    choices = texts(row, "candidates", row_id) or texts(row, "bare", row_id) or tuple(held)
    choices = choices or texts(row, "options", row_id)
    if not 1 <= len(choices) <= _MOST:
        raise DataError(f"{row_id}: got {len(choices)} options; wants 1 to {_MOST}")
    return choices


def _gold(row: Row, row_id: str, n: int) -> str:
    letters = option_letters(n)
    place = row.get("correct_choice")
    if isinstance(place, int) and 0 <= place < n:
        return letters[place]
    if place is None and row.get("answer") in letters:
        return str(row["answer"])
    raise DataError(
        f"{row_id}: got the answer {place if place is not None else row.get('answer')!r} for {n} "
        "options; wants one of them (the test split has none; use the validation split)"
    )


def _read(rule: str, one: Question, letter: str) -> Score:
    return Score(rule=rule, value=float(letter == one.answer), parsed=letter, status="scored")


def _figures(records: Sequence[Record], rule: str) -> Iterator[Figure]:
    for suffix, asked in tally.by_setting(records, MAIN):
        cells = tally.cells(asked, rule)
        yield from tally.broken_down(f"accuracy{suffix}", rule, "", cells, _TAGS)


def _notes(records: Sequence[Record]) -> Iterator[str]:
    statuses = [score.status for r in records for score in r.scores.values()]
    if guessed := statuses.count("unparsed"):
        yield (
            f"rule {LMMS_EVAL} would guess {guessed} answers at random: each counts as one over "
            "its options, the expected value"
        )
    yield from tally.left_out(records)


def _guessing(records: Sequence[Record]) -> Iterator[Reference]:
    if chances := [1 / len(record.question.choices) for record in records]:
        values = {"accuracy": 100 * sum(chances) / len(chances)}
        source = "computed: one over the options of each question asked"
        yield Reference(name="Guessing", values=values, source=source)


def _references() -> tuple[Reference, ...]:
    readme = "LongVideoBench README at fc3c5532, leaderboard_paper.png, validation set"
    qwen, internvl = "Qwen2.5-VL technical report", "InternVL2.5 model card"
    published: Mapping[str, tuple[float, str]] = {
        "GPT-4o": (66.7, readme),
        "Gemini-1.5-Pro": (64.0, readme),
        "Gemini-1.5-Flash": (61.6, readme),
        "VideoLLaMA3-2B": (57.1, "VideoLLaMA3 paper"),
        "Qwen2.5-VL-7B": (56.0, qwen),
        "Qwen2-VL-7B": (55.6, internvl),
        "Qwen2.5-VL-3B": (54.2, qwen),
        "InternVL2.5-2B": (52.0, internvl),
        "Qwen2-VL-2B": (48.7, "VideoLLaMA3 paper"),
        "InternVL2.5-1B": (47.9, internvl),
        "LLaVA-1.5-7B": (40.3, readme),
        "VideoLLaVA": (39.1, readme),
    }
    return tuple(
        Reference(name=name, values={"accuracy": value}, source=f"{source}; on LongVideoBench")
        for name, (value, source) in published.items()
    )


BENCHMARK = Benchmark(
    name=NAME,
    title="LongVideoBench",
    tasks=tuple(task for tasks in TABLE.values() for task in tasks),
    settings=tuple(TABLE),
    default_settings=(MAIN,),
    rules=RULES,
    metric="lvb_acc",
    licence="CC BY-NC-SA 4.0",
    published="validation: 1,337 questions; test: 5,341 without answers",
    source="longvideobench/LongVideoBench@fc3c5532, EvolvingLMMs-Lab/lmms-eval@75571cfe",
    embedded=Path(__file__).parents[2] / "embedded" / "longvideobench",
    references=_references(),
    clips=clips,
    ask=ask,
    question=question,
    score=score,
    report=report,
    check=check,
)
