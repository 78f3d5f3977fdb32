"""Routines as SEED-Bench-R1: what comes next, by a video of before and a picture of now.

annotations/validation_L1.jsonl   shapes on a light ground
annotations/validation_L2.jsonl   the same task on a dark one
annotations/validation_L3.jsonl   one shape painted, or carried round; four domains
videos/<source>/<routine>.mp4     two to three rounds of the four steps
images/<source>/<routine>_<n>.png
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from edgeval.synth.draws import scene_draws
from edgeval.synth.layouts.sheet import Sheet
from edgeval.synth.lessons import LetterTurns
from edgeval.synth.motions import routine
from edgeval.synth.motions.routine import N_STEPS, Level, Routine

NAME = "seedbench-r1"
N_ROUTINES = 12
LEVELS: tuple[Level, ...] = ("L1", "L2", "L3")
_SOURCES: Mapping[Level, str] = MappingProxyType(
    {"L1": "LightRoutines", "L2": "DarkRoutines", "L3": "OtherRoutines"}
)


def lay(sheet: Sheet, n: int, seed0: int) -> None:
    """Write the folder: ``n`` routines of seeds ``seed0`` upward, levels in turn."""
    # Late, because Pillow, which draws, is an extra; the dataset says so first.
    from edgeval.synth.motions import picture

    turns = LetterTurns()
    rows: dict[Level, list[dict[str, object]]] = {level: [] for level in LEVELS}
    for i in range(n):
        level = LEVELS[i % len(LEVELS)]
        made = routine.make(seed0 + i, level, i // len(LEVELS))
        source = _SOURCES[level]
        sheet.video(f"videos/{source}/{made.name}.mp4", picture.steps(made), fps=picture.FPS)
        for number, now in enumerate(made.now):
            image = f"{made.name}_{number}.png"
            sheet.image(f"images/{source}/{image}", picture.step(made, now))
            rows[level].append(_row(made, number, turns) | {"current_observation_basename": image})
    for level, held in rows.items():
        sheet.rows(f"annotations/validation_{level}.jsonl", held)


def _row(made: Routine, number: int, turns: LetterTurns) -> dict[str, object]:
    """One question: the four steps are the options, the one after ``now`` is right."""
    draws = scene_draws(made.seed, f"{NAME} {number}")
    right = made.steps[(made.now[number] + 1) % N_STEPS].text
    place = turns.deal(draws, N_STEPS)
    others = [step.text for step in made.steps if step.text != right]
    options = draws.sample(others, N_STEPS - 1)
    options.insert(place, right)
    shown = [made.steps[(made.start + i) % N_STEPS].text for i in range(made.n_shown)]
    row: dict[str, object] = {
        "sample_id": f"{made.name}_{number}",
        "question": (
            "The video shows the progress so far, round after round, and the picture what is done "
            f"now. Which action comes next in order to {made.goal}?"
        ),
        **{f"choice_{x}": text for x, text in zip("abcd", options, strict=True)},
        "golden_choice_idx": "ABCD"[place],
        "video_source": _SOURCES[made.level],
        "video_id": made.name,
        "video_basename": f"{made.name}.mp4",
        "task_progress_metadata": [
            {"narration_text": text, "start_s": i, "stop_s": i + 1} for i, text in enumerate(shown)
        ],
    }
    return row | ({"domain": made.domain, "scenario": made.goal} if made.domain else {})
