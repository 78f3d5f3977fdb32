"""The data of every step of every stage: a function of the run, the stage and the step alone.

So nothing is stored, a resumed training sees what an uninterrupted one does, and how many processes
draw makes no difference.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from edgeval.synth.draws import Draws, scene_draws
from training import curriculum, seeds, wordings
from training.batch import EARLY, Parts, in_parts
from training.scene import Asked, Sample
from training.skills import SKILLS
from training.stages import Stage
from training.view import Line, Seer, View

# How many frames a clip is shown in, each as often as it stands here.
N_FRAMES = (8, 12, 16, 16, 16, 16, 24, 32)
# How large a film is before it is shrunk, to what it was drawn.
SIZES = (1.0, 1.0, 1.0, 1.5, 0.75, 0.6)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """``run`` is the training's seed; ``tokenizer`` the file that its texts are encoded with."""

    run: int
    tokenizer: Path


def dealt_seeds(run: int, stage: Stage, group: int) -> Iterator[tuple[str, list[int]]]:
    """Skill and seeds of every clip of a group of batches."""
    for skill, n in stage.skills.items():
        yield skill, [seeds.deal(run, stage.name, skill, group, i) for i in range(n)]


def group(recipe: Recipe, stage: Stage, number: int) -> list[Parts]:
    """The batches of one group, ``stage.reuse`` of them, that show the same clips."""
    seer = Seer(recipe.tokenizer)
    draws = scene_draws(recipe.run, f"{stage.name} {number}")
    if stage.kind == "recall":
        rows = curriculum.rows(draws, seer, stage.name, number / stage.steps, stage.lines)
        return [in_parts(rows, stage.parts, None if stage.deepened else EARLY)]
    shown = list(_rows(recipe, stage, number, draws))
    # One number of frames for all, or rows would be padded to the longest.
    most = draws.choice(N_FRAMES)
    told = number * stage.reuse < stage.told * stage.steps
    views = [
        (sample, seer.view(sample, most_frames=most, size=draws.choice(SIZES), told=told))
        for sample in shown
    ]
    if stage.kind == "vision":
        return [in_parts([(view, []) for _, view in views], stage.parts)] * stage.reuse
    batches = []
    for _ in range(stage.reuse):
        asked = [(view, _lines(seer, stage, sample, view, draws)) for sample, view in views]
        if told and stage.rehearsed:
            asked += curriculum.anything(draws, seer, stage.rehearsed)
        batches.append(in_parts(asked, stage.parts))
    return batches


def _rows(recipe: Recipe, stage: Stage, number: int, draws: Draws) -> Iterator[Sample]:
    """As many samples of each skill as there are seeds; where a seed gave several, some of them."""
    for skill, dealt in dealt_seeds(recipe.run, stage, number):
        samples = SKILLS[skill](dealt)
        for sample in draws.sample(samples, min(len(samples), len(dealt))):
            if draws.random() < stage.blind:
                yield replace(sample, scene=None, still=None, drills=())
            else:
                yield sample


def _lines(seer: Seer, stage: Stage, sample: Sample, view: View, draws: Draws) -> list[Line]:
    """Questions of a row, final or in our own words, and drills."""
    n_drills = min(stage.drills, len(sample.drills))
    asked = [_one(stage, sample, draws) for _ in range(stage.lines - n_drills)]
    lines = [seer.line(sample, view, one) for one in dict.fromkeys(asked)]
    for drill in draws.sample(sample.drills, n_drills):
        by_letter = draws.random() < stage.by_letter
        lines.append(seer.drill(wordings.lettered(drill, draws) if by_letter else drill))
    return lines


def _one(stage: Stage, sample: Sample, draws: Draws) -> Asked:
    wanted = draws.random() >= stage.own_words
    fitting = [one for one in sample.asked if one.final == wanted]
    return draws.choice(fitting or list(sample.asked))
