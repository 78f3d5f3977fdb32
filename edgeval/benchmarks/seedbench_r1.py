"""SEED-Bench-R1: what to do next, in kitchens known (L1), homes unknown (L2), tasks unknown (L3).

A data folder is the Hugging Face download with its archives unpacked:

    annotations/validation_L1.jsonl  _L2.jsonl  _L3.jsonl     (or directly in the folder)
        row = {"sample_id", "question", "choice_a".."choice_d", "golden_choice_idx": "A".."D",
               "video_source", "video_id", "video_basename", "current_observation_basename",
               "task_progress_metadata": [...]}, in L3 also "domain", "scenario"
    videos/<video_source>/<video_basename>     the progress so far; none where the metadata is empty
    images/<video_source>/<current_observation_basename>     what is seen now, shown after it

Source: TencentARC/SEED-Bench-R1@12e8fccbd9de626a4c1c617c4a48cf2927b77c6e
(src/open_r1_egoplan/grpo.py: prompt, order of the parts, rewards; scripts/eval.sh).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from types import MappingProxyType

from edgeval import tally
from edgeval.answers.tags import answer_block, has_think_answer_form
from edgeval.benchmarks import folder
from edgeval.benchmarks.base import Benchmark, DataCheck
from edgeval.dataset import Row, filled, inside
from edgeval.errors import DataError
from edgeval.figures import Figure, Reference, Report
from edgeval.types import Ask, Clip, Question, Record, Score

NAME = "seedbench-r1"
OFFICIAL = "official"
LEVELS = ("L1", "L2", "L3")
UNSET = "unset"
LETTERS = "ABCD"
MAX_NEW_TOKENS = 256
FORM = "think/answer form"

# No task of lmms-eval or VLMEvalKit has this benchmark: the names are ours.
_TASKS = {level: f"seedbench_r1_{level.lower()}" for level in LEVELS}
TABLE = MappingProxyType(
    {
        "video": tuple(_TASKS.values()),
        "image-only": tuple(f"{task}_image_only" for task in _TASKS.values()),
        "blind": tuple(f"{task}_no_visual" for task in _TASKS.values()),
    }
)
_THINK = (
    " Output the thinking process in <think> </think> and final answer in <answer> </answer> tags, "
    "i.e., <think> reasoning process here </think><answer> answer here </answer>. "
)
_GAPS = (("L1", "L2"), ("L2", "L3"))
_README = "SEED-Bench-R1 README at 12e8fccb, assets/evaluation_results.png"


def question(row: Row) -> Question:
    """The question of one raw row; ``level`` (L1, L2, L3) is what a row does not say of itself.

    Scoring needs ``golden_choice_idx`` alone; what else is missing stays empty. Raises DataError.
    """
    gold = row.get("golden_choice_idx")
    given = row.get("sample_id")
    row_id = str(given) if isinstance(given, (str, int)) and given != "" else "unnamed"
    if not isinstance(gold, str) or gold not in tuple(LETTERS):
        raise DataError(f"{row_id}: got {gold!r} for 'golden_choice_idx'; wants A, B, C or D")
    level = row.get("level", UNSET)
    if level not in (*LEVELS, UNSET):
        raise DataError(f"{row_id}: got the level {level!r}; wants one of {', '.join(LEVELS)}")
    tags = {"level": str(level)}
    for tag in ("domain", "scenario", "video_source"):
        if isinstance(value := row.get(tag), str) and value:
            tags[tag] = value
    source = row.get("video_id") or row.get("video_basename")
    if isinstance(source, (str, int)):
        tags["video"] = f"{tags.get('video_source', '')}/{source}"
    task = _TASKS.get(str(level), "seedbench_r1")
    return Question(
        id=f"{task}:{row_id}",
        row_id=row_id,
        clip_id=row_id,
        task=task,
        text=_text(row, "question"),
        answer=gold,
        kind="choice",
        choices=tuple(_text(row, f"choice_{letter.lower()}") for letter in LETTERS),
        tags=tags,
    )


def clips(root: Path, settings: Sequence[str], tasks: Sequence[str]) -> Iterator[Clip]:
    """Every clip of ``settings`` in file order, a clip's settings side by side.

    Rows that show the same video and image share one clip. Raises UnknownName, ArgumentError and
    DataError.
    """
    wanted = folder.chosen(NAME, TABLE, settings, tasks)
    for level in LEVELS:
        if not any(_named(setting, level) in asked for setting, asked in wanted.items()):
            continue
        shown: dict[tuple[Path | None, Path], list[Question]] = {}
        for row, one in folder.asked(_files(root, level), partial(_whole, level=level)):
            shown.setdefault(_seen(root, row, one), []).append(one)
        for (video, image), questions in shown.items():
            for setting, asked in wanted.items():
                if (task := _named(setting, level)) in asked:
                    yield _clip(setting, task, (video, image), questions)


def ask(_clip: Clip, one: Question) -> Ask:
    """The user's turn; the authors sample at temperature 1, which is left to the run."""
    options = "".join(f"{x}. {text}\n" for x, text in zip(LETTERS, one.choices, strict=True))
    return Ask(text=f"{one.text}\n{options}{_THINK}", max_new_tokens=MAX_NEW_TOKENS)


def score(one: Question, response: str) -> tuple[Score, ...]:
    """The first character in the first <answer> block must be the letter, in its own case.

    The authors first ask math_verify to compare the response with "<answer>X.</answer>". It finds
    no mathematics in that (its parse is empty for A to D), and nothing equals an empty parse, so
    that branch never scores: seen with math_verify 0.9.0 and in every golden row.
    Source: SEED-Bench-R1@12e8fccb, src/open_r1_egoplan/grpo.py, accuracy_reward.
    """
    said = (answer_block(response) or "").strip()
    if not said:
        return (Score(rule=OFFICIAL, value=0.0, parsed=None, status="unparsed"),)
    value = float(said[0] == one.answer)
    return (Score(rule=OFFICIAL, value=value, parsed=said[0], status="scored"),)


def report(records: Sequence[Record]) -> Report:
    """Accuracy by level (L3 by domain too), the two gaps, and who keeps to the asked form."""
    figures = tuple(_figures(records))
    have = {(figure.name, figure.group) for figure in figures}
    suffixes = [suffix for suffix, _ in tally.by_setting(records, "video")]
    columns = [("accuracy" + s, f"level={x}") for s in suffixes for x in (*LEVELS, UNSET)]
    columns += [(_gap(*pair) + suffix, "") for suffix in suffixes for pair in _GAPS]
    own = all(r.question.tags.get("video_source") in ("EpicKitchens", "Ego4D") for r in records)
    return Report(
        benchmark=NAME,
        figures=figures,
        headline=tuple((name, OFFICIAL, over) for name, over in columns if (name, over) in have),
        references=_references("" if own else "; on SEED-Bench-R1's own videos, not on these"),
        notes=("a gap is the fall from one level to the next; there is no combined score",),
    )


def check(root: Path) -> DataCheck:
    """Read every question, open every video and image, say what is missing or damaged."""
    return folder.check(
        root,
        lambda: [file for level in LEVELS for file in _files(root, level)],
        lambda: clips(root, ("video",), ()),
    )


def _text(row: Row, key: str) -> str:
    value = row.get(key)
    return value if isinstance(value, str) else ""


def _whole(row: Row, level: str) -> Question:
    """The question of a row that is to be asked: then everything must be there."""
    one = question({**row, "level": level})
    if one.row_id == "unnamed":
        raise DataError("got a row without 'sample_id'; wants text or a whole number")
    needed = ["question", *(f"choice_{letter.lower()}" for letter in LETTERS)]
    for key in (*needed, "video_source", "current_observation_basename"):
        filled(row, key, one.row_id)
    return one


def _named(setting: str, level: str) -> str:
    return TABLE[setting][LEVELS.index(level)]


def _files(root: Path, level: str) -> tuple[Path, ...]:
    name = f"validation_{level}.jsonl"
    return folder.files(root, f"{NAME} {level}", (f"annotations/{name}", name))


def _seen(root: Path, row: Row, one: Question) -> tuple[Path | None, Path]:
    source = one.tags["video_source"]
    image = inside(root, f"images/{source}/{row['current_observation_basename']}")
    if not row.get("task_progress_metadata"):
        return None, image
    return inside(root, f"videos/{source}/{filled(row, 'video_basename', one.row_id)}"), image


def _clip(
    setting: str, task: str, shown: tuple[Path | None, Path], questions: Sequence[Question]
) -> Clip:
    video, image = shown
    return Clip(
        id=questions[0].row_id,
        setting=setting,
        video=video if setting == "video" else None,
        image=None if setting == "blind" else image,
        questions=tuple(folder.as_task(one, task) for one in questions),
    )


def _figures(records: Sequence[Record]) -> Iterator[Figure]:
    for suffix, asked in tally.by_setting(records, "video"):
        cells = tally.cells(asked, OFFICIAL)
        by_level = tally.by_tag(cells, "level")
        for level, group in by_level.items():
            tags = ("domain", "scenario") if level == "L3" else ()
            yield from tally.broken_down(
                f"accuracy{suffix}", OFFICIAL, f"level={level}", group, tags
            )
        for upper, lower in _GAPS:
            if upper in by_level and lower in by_level:
                key = (_gap(upper, lower) + suffix, OFFICIAL, "")
                yield tally.fall(key, by_level[upper], by_level[lower])
        if said := [r.generation.text for r in asked if r.generation is not None]:
            value = 100 * sum(map(has_think_answer_form, said)) / len(said)
            yield tally.figure((FORM + suffix, OFFICIAL, ""), (), value=value, n=len(said))


def _gap(upper: str, lower: str) -> str:
    return f"gap {upper}-{lower}"


def _references(where: str) -> tuple[Reference, ...]:
    keys = [f"level={level}" for level in LEVELS]
    domains = [f"level=L3,domain={x}" for x in ("Daily life", "Hobbies", "Recreation", "Work")]

    def row(name: str, levels: tuple[float, ...], by_domain: tuple[float, ...] = ()) -> Reference:
        values = dict(zip(keys, levels, strict=True)) | dict(zip(domains, by_domain, strict=False))
        values |= {_gap(x, y): values[f"level={x}"] - values[f"level={y}"] for x, y in _GAPS}
        return Reference(name=name, values=values, source=_README + where)

    chance = Reference(
        name="Guessing", values=dict.fromkeys(keys, 25.0), source="computed: one of four options"
    )
    return (
        chance,
        row("Qwen2-VL-7B, GRPO", (46.01, 50.16, 44.89), (48.52, 45.08, 43.72, 41.34)),
        row("Qwen2-VL-7B, SFT", (43.79, 44.10, 38.15)),
        row("Qwen2-VL-7B", (34.79, 34.02, 31.57), (31.21, 32.30, 33.33, 30.69)),
    )


BENCHMARK = Benchmark(
    name=NAME,
    title="SEED-Bench-R1",
    tasks=tuple(task for tasks in TABLE.values() for task in tasks),
    settings=tuple(TABLE),
    default_settings=("video",),
    rules=(OFFICIAL,),
    metric="accuracy",
    licence="videos: Epic-Kitchens CC BY-NC 4.0, Ego4D licence; do not pass on",
    published="L1 2,432, L2 923, L3 1,321 questions",
    source="TencentARC/SEED-Bench-R1@12e8fccb",
    embedded=Path(__file__).parents[1] / "embedded" / "seedbench-r1",
    references=_references(""),
    clips=clips,
    ask=ask,
    question=question,
    score=score,
    report=report,
    check=check,
)
