"""Films as LongVideoBench: its shortest duration group, subtitles between the frames.

    lvb_val.json
    videos/<film>.mp4
    subtitles/<film>.json     says what each shape is called

Categories are LongVideoBench's: T2O from what is said to a shape, E2O and O2E between shape and
what it does, O3O from one shape to the next, SSS an order.
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

NAME = "longvideobench"
N_FILMS = 6
_MOST = 5
_CATEGORIES: Mapping[str, str] = MappingProxyType(
    {"named": "T2O", "mover": "E2O", "action": "O2E", "next": "O3O", "order": "SSS"}
)
# One thing in one place is perceived, two are related.
_RELATIONS = ("next", "order")


def lay(sheet: Sheet, films: Sequence[Film]) -> None:
    """Write the folder."""
    turns = LetterTurns()
    rows: list[dict[str, object]] = []
    for film in films:
        draws = scene_draws(film.seed, NAME)
        sheet.film(film, f"videos/{film.name}.mp4")
        said = [{"timestamp": [start, end], "text": text} for start, end, text in asked.cues(film)]
        sheet.json(f"subtitles/{film.name}.json", said)
        for n, (skill, category) in enumerate(_CATEGORIES.items()):
            one = asked.posed(SKILLS[skill](film, draws), turns, draws, most=_MOST)
            rows.append(
                {
                    "video_id": film.name,
                    "id": f"{film.name}_{n}",
                    "video_path": f"{film.name}.mp4",
                    "subtitle_path": f"{film.name}.json",
                    "question": one.query.stem,
                    "candidates": list(one.options),
                    "correct_choice": one.place,
                    "duration": float(film.seconds),
                    "duration_group": 15,
                    "question_category": category,
                    "topic_category": "generated",
                    "level": "L2-Relation" if skill in _RELATIONS else "L1-Perception",
                    "starting_timestamp_for_subtitles": 0,
                }
            )
    sheet.rows("lvb_val.json", rows)
