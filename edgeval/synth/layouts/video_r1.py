"""Films as Video-R1's evaluation: six files of questions about the same films.

    eval_<task>.json      mvbench tempcompass videomme videommmu vsibench mmvu
    films/<film>.mp4

Multiple choice throughout, and numbers (problem type "regression") in vsibench's file, as in the
released ones. The names of the six say which file is which; what is asked is about films.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from edgeval.synth.draws import scene_draws
from edgeval.synth.layouts.sheet import Sheet
from edgeval.synth.lessons import LetterTurns
from edgeval.synth.motions import asked
from edgeval.synth.motions.asked import SKILLS
from edgeval.synth.motions.film import Film

NAME = "video-r1"
N_FILMS = 5
# Task -> what is asked of each film.
_TASKS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "mvbench": ("direction", "exists"),
        "tempcompass": ("speed", "turned"),
        "videomme": ("when", "mover"),
        "videommmu": ("next",),
        "vsibench": ("order", "count"),
        "mmvu": ("action",),
    }
)
_NUMBERS = ("count",)


def lay(sheet: Sheet, films: Sequence[Film]) -> None:
    """Write the folder."""
    turns = LetterTurns()
    for film in films:
        sheet.film(film, f"films/{film.name}.mp4")
    for task, skills in _TASKS.items():
        rows: list[dict[str, object]] = []
        for film in films:
            draws = scene_draws(film.seed, f"{NAME} {task}")
            for skill in skills:
                query = SKILLS[skill](film, draws)
                kind, options, answer = "regression", [], query.answer
                if skill not in _NUMBERS:
                    one = asked.posed(query, turns, draws)
                    pairs = zip("ABCD", one.options, strict=False)
                    options = [f"{letter}. {text}" for letter, text in pairs]
                    kind, answer = "multiple choice", "ABCD"[one.place]
                rows.append(
                    {
                        "problem_id": len(rows),
                        "problem": query.stem,
                        "data_type": "video",
                        "problem_type": kind,
                        "options": options,
                        "solution": f"<answer>{answer}</answer>",
                        "path": f"./Evaluation/films/{film.name}.mp4",
                    }
                )
        sheet.rows(f"eval_{task}.json", rows)
