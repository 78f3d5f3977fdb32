"""Films as MVBench: nine of its twenty tasks; the files of the other eleven are empty lists.

    json/<task>.json              rows, with start and end where only that part counts
    video/<place>/<film>.mp4      where MVBench's notebook has the videos of the task

What happens in a film has no poses, no language and nobody who goes his way, so fine_grained_pose,
episodic_reasoning, egocentric_navigation and the like stay empty rather than being stretched.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from edgeval.synth.draws import Draws, scene_draws
from edgeval.synth.layouts.sheet import Sheet
from edgeval.synth.lessons import LetterTurns
from edgeval.synth.motions import asked
from edgeval.synth.motions.asked import SKILLS
from edgeval.synth.motions.film import SECONDS_PER_ACT, Film
from edgeval.synth.nouns import Query

NAME = "mvbench"
N_FILMS = 6
_STAR = "star/Charades_v1_480"
_CLEVRER = "clevrer/video_validation"
_PERCEPTION = "perception/videos"
# Task -> what is asked of a film and where its videos are; "part": of a part of the film alone.
_TASKS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "action_sequence": ("part", _STAR),
        "object_existence": ("exists", _CLEVRER),
        "moving_direction": ("direction", _CLEVRER),
        "moving_attribute": ("mover colour", _CLEVRER),
        "action_localization": ("when", "sta/sta_video"),
        "fine_grained_action": ("action", "Moments_in_Time_Raw/videos"),
        "action_count": ("count", _PERCEPTION),
        "state_change": ("turned", _PERCEPTION),
        "character_order": ("order", _PERCEPTION),
    }
)
_EMPTY = (
    *("action_prediction", "action_antonym", "unexpected_action", "object_interaction"),
    *("object_shuffle", "scene_transition", "moving_count", "fine_grained_pose"),
    *("egocentric_navigation", "episodic_reasoning", "counterfactual_inference"),
)


def lay(sheet: Sheet, films: Sequence[Film]) -> None:
    """Write the folder."""
    turns = LetterTurns()
    for task, (skill, place) in _TASKS.items():
        rows: list[dict[str, object]] = []
        for film in films:
            draws = scene_draws(film.seed, f"{NAME} {task}")
            bounds: dict[str, float] = {}
            if skill == "part":
                query, bounds = _part(film, draws)
            else:
                query = SKILLS[skill](film, draws)
            if skill == "when":
                bounds = {"start": 0.0, "end": float(film.seconds)}
            one = asked.posed(query, turns, draws)
            row = {"video": f"{film.name}.mp4", "question": query.stem}
            rows.append({**row, "candidates": list(one.options), "answer": query.answer, **bounds})
            sheet.film(film, f"video/{place}/{film.name}.mp4")
        sheet.rows(f"json/{task}.json", rows)
    for task in _EMPTY:
        sheet.rows(f"json/{task}.json", [])


def _part(film: Film, draws: Draws) -> tuple[Query, dict[str, float]]:
    """Which shape comes last within a part of two acts or more; its bounds in seconds.

    Options are shapes of the whole film, so one who watches all of it finds another last.
    """
    n = len(film.acts)
    begin = draws.randrange(n - 1)
    end = draws.randrange(begin + 2, n + 1)
    query = SKILLS["last"](film, draws)
    answer = film.signs[end - 1]
    bounds = {"start": float(SECONDS_PER_ACT * begin), "end": SECONDS_PER_ACT * end - 0.25}
    renamed = Query(
        skill="part", stem=query.stem, answer=answer, pool=query.pool, worked=query.worked
    )
    return renamed, bounds
