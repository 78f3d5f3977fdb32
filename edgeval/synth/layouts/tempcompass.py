"""Films as TempCompass: four tasks in five dimensions about each.

    questions/{multi-choice,yes_no,caption_matching,captioning}.json   {video: {dimension: [row]}}
    meta_info.json        the fine-grained aspect of each
    videos/<film>.mp4

Wording: the released questions (llyx97/TempCompass@e1b46316).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from edgeval.synth.draws import scene_draws
from edgeval.synth.layouts.sheet import Sheet
from edgeval.synth.lessons import LetterTurns
from edgeval.synth.motions import asked
from edgeval.synth.motions.asked import SKILLS, Posed
from edgeval.synth.motions.film import Film, Part

NAME = "tempcompass"
N_FILMS = 6
TASKS = ("multi-choice", "yes_no", "caption_matching", "captioning")
# Dimension -> what is asked of a film, whose part it is, and the aspect's name.
_DIMENSIONS: Mapping[str, tuple[str, Part | None, str]] = MappingProxyType(
    {
        "action": ("action", "acts", "fine-grained action"),
        "direction": ("direction", "moves", "object motion"),
        "speed": ("speed", "moves", "absolute speed"),
        "order": ("order", None, "order"),
        "attribute_change": ("turned", "turns", "color & light change"),
    }
)
_CAPTION = (
    "You will be presented with a video and several pieces of information. One piece of "
    "information is consistent with the video while the others are not. Please identify the "
    "information that consistent with the video and generate a video caption accordingly.\n"
)
_MATCH = "Which description is a more suitable match for the video?"
Row = dict[str, str]


def lay(sheet: Sheet, films: Sequence[Film]) -> None:
    """Write the folder."""
    tables: dict[str, dict[str, dict[str, list[Row]]]] = {task: {} for task in TASKS}
    turns = {task: LetterTurns() for task in TASKS}
    about: dict[str, object] = {}
    for film in films:
        draws = scene_draws(film.seed, NAME)
        sheet.film(film, f"videos/{film.name}.mp4")
        facts = {}
        for dimension, (skill, part, aspect) in _DIMENSIONS.items():
            subject = str(film.one(part).sign) if part else "shapes"
            query = SKILLS[skill](film, draws)
            most = {"yes_no": 2, "caption_matching": 2}
            for task in TASKS:
                one = asked.posed(query, turns[task], draws, most=most.get(task, 4))
                row = _ROWS[task](one, subject, dimension)
                tables[task].setdefault(film.name, {})[dimension] = [row]
            facts[dimension] = {"subject": subject, dimension: query.answer, "type": aspect}
        about[film.name] = {"eval_dim": facts, "content": ["shapes"]}
    for task, table in tables.items():
        n = sum(len(rows) for dimensions in table.values() for rows in dimensions.values())
        sheet.json(f"questions/{task}.json", table, questions=n)
    sheet.json("meta_info.json", about)


def _choice(one: Posed, _subject: str, _dimension: str) -> Row:
    options = [f"{x}. {text}" for x, text in zip("ABCD", one.options, strict=False)]
    return {"question": "\n".join((one.query.stem, *options)), "answer": options[one.place]}


def _yes_no(one: Posed, _subject: str, _dimension: str) -> Row:
    """Whether the first of two options is what happens: as often as the right one comes first."""
    said = one.query.worked.format(one.options[0])
    question = f"Is it true that {said[0].lower()}{said[1:-1]}?"
    return {"question": question, "answer": ("yes", "no")[one.place]}


def _matching(one: Posed, _subject: str, _dimension: str) -> Row:
    said = [one.query.worked.format(text) for text in one.options]
    options = [f"Option {n}: {text}" for n, text in enumerate(said, 1)]
    return {"question": "\n".join((_MATCH, *options)), "answer": options[one.place]}


def _captioning(one: Posed, subject: str, dimension: str) -> Row:
    lines = [
        f"Information {x}: { ({'subject': subject, dimension: text}) }"
        for x, text in zip("ABCD", one.options, strict=False)
    ]
    question = _CAPTION + "\n".join((*lines, "Generated Caption:"))
    return {"question": question, "answer": f"{'ABCD'[one.place]}. {one.query.answer}"}


_ROWS = MappingProxyType(dict(zip(TASKS, (_choice, _yes_no, _matching, _captioning), strict=True)))
