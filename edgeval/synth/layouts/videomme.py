"""Films as Video-MME: short videos, three questions each, subtitles for all but one.

    videomme/test.json
    data/<film>.mp4
    subtitle/<film>.srt       says what each shape is called, which is asked and shown nowhere

Domains, sub-categories and task types are Video-MME's names where it has one for what is asked.
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

NAME = "videomme"
N_FILMS = 8
_TYPES: Mapping[str, str] = MappingProxyType(
    {
        "count": "Counting Problem",
        "order": "Temporal Reasoning",
        "action": "Action Recognition",
        "mover colour": "Attribute Perception",
        "next": "Temporal Reasoning",
        "mover": "Object Reasoning",
        "when": "Temporal Perception",
        "turned": "Attribute Perception",
        "name": "Object Recognition",
    }
)
_SHOWN = tuple(skill for skill in _TYPES if skill != "name")


def lay(sheet: Sheet, films: Sequence[Film]) -> None:
    """Write the folder."""
    turns = LetterTurns()
    rows: list[dict[str, object]] = []
    for i, film in enumerate(films):
        draws = scene_draws(film.seed, NAME)
        sheet.film(film, f"data/{film.name}.mp4")
        skills = [_SHOWN[(2 * i + k) % len(_SHOWN)] for k in range(3)]
        if told := i < len(films) - 1 or i == 0:
            sheet.text(f"subtitle/{film.name}.srt", srt(asked.cues(film)))
        for number, skill in enumerate((*skills[:2], "name") if told else skills, 1):
            one = asked.posed(SKILLS[skill](film, draws), turns, draws)
            options = [f"{x}. {text}" for x, text in zip("ABCD", one.options, strict=False)]
            rows.append(
                {
                    "video_id": f"{i + 1:03}",
                    "duration": "short",
                    "domain": "Generated",
                    "sub_category": "Moving shapes",
                    "url": "",
                    "videoID": film.name,
                    "question_id": f"{i + 1:03}-{number}",
                    "task_type": _TYPES[skill],
                    "question": one.query.stem,
                    "options": options,
                    "answer": "ABCD"[one.place],
                }
            )
    sheet.rows("videomme/test.json", rows)


def srt(cues: Sequence[tuple[float, float, str]]) -> str:
    """Subtitles as SubRip has them."""
    blocks = [
        f"{n}\n{_clock(start)} --> {_clock(end)}\n{text}\n"
        for n, (start, end, text) in enumerate(cues, 1)
    ]
    return "\n".join(blocks)


def _clock(seconds: float) -> str:
    whole, rest = divmod(round(seconds * 1000), 1000)
    return f"{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02},{rest:03}"
