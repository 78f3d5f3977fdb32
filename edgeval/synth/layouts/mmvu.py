"""Films as MMVU: multiple choice of five, and open questions for a number or a word.

    validation.json
    videos/<Subject>/<n>.mp4

The subjects are MMVU's names, one of each discipline, and names only: no expert is needed.
"""

from __future__ import annotations

from collections.abc import Sequence

from edgeval.synth.draws import scene_draws
from edgeval.synth.layouts.sheet import Sheet
from edgeval.synth.lessons import LetterTurns
from edgeval.synth.motions import asked
from edgeval.synth.motions.asked import SKILLS
from edgeval.synth.motions.film import Film

NAME = "mmvu"
N_FILMS = 8
SUBJECTS = ("Mechanics", "Computer_Science", "Pharmacy", "Art")
_LETTERS = "ABCDE"
_CHOICE = ("order", "turned")
_OPEN = ("count", "mover colour")


def lay(sheet: Sheet, films: Sequence[Film]) -> None:
    """Write the folder."""
    turns = LetterTurns()
    rows: list[dict[str, object]] = []
    for i, film in enumerate(films):
        draws = scene_draws(film.seed, NAME)
        subject = SUBJECTS[i % len(SUBJECTS)]
        place = f"videos/{subject}/{i}.mp4"
        sheet.film(film, place)
        for skill in (*_CHOICE, *_OPEN):
            query = SKILLS[skill](film, draws)
            row = {"id": f"validation_{len(rows)}", "video": place, "youtube_url": ""}
            row |= {"question": query.stem}
            about = {"metadata": {"subject": subject}}
            if skill in _OPEN:
                blank = dict.fromkeys(_LETTERS, "")
                answer, kind = query.answer, "open-ended"
            else:
                one = asked.posed(query, turns, draws, most=len(_LETTERS))
                blank = dict(zip(_LETTERS, one.options, strict=True))
                answer, kind = _LETTERS[one.place], "multiple-choice"
            rows.append({**row, "question_type": kind, "choices": blank, "answer": answer, **about})
    sheet.rows("validation.json", rows)
