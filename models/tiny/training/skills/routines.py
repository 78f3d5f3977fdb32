"""Routines of the first level: the video gives the order, the picture of now the place in it."""

from __future__ import annotations

from collections.abc import Sequence

from edgeval.synth.draws import Draws, scene_draws
from edgeval.synth.layouts import seedbench_r1
from edgeval.synth.motions import picture, routine
from edgeval.synth.motions.routine import N_STEPS, Level, Routine, Step
from training import wordings
from training.scene import Drill, Image, Sample, Scene
from training.seeds import checked
from training.skills.films import placed
from training.skills.folder import Unfilmed, laid, place_of
from training.words import Slots

# The other two are there to see what is not learnt from it.
LEVEL: Level = "L1"
_DRILL = 8


def deal(seeds: Sequence[int]) -> list[Sample]:
    """Two samples a seed, one for each picture of now."""
    samples = []
    for seed in seeds:
        made = routine.make(checked(seed), LEVEL, 0)
        draws = scene_draws(seed, "training routine")
        with laid(seedbench_r1.NAME, ("video",), lambda s, d=seed: _lay(s, d)) as found:
            benchmark, sheet, clips = found
            for clip in clips:
                number = int(clip.id.rsplit("_", 1)[1])
                question = clip.questions[0]
                worked = told(made, number)
                still = sheet.shown[place_of(sheet, clip.image)]
                samples.append(
                    Sample(
                        skill="routines",
                        clip=clip,
                        scene=scene(made),
                        asked=(
                            wordings.final(benchmark, clip, question, worked),
                            wordings.in_own_words(question, worked, draws),
                        ),
                        drills=tuple(_drill(made, draws) for _ in range(3)),
                        still=still,  # type: ignore[arg-type]
                        still_says=says(made.steps[made.now[number]], still),  # type: ignore[arg-type]
                    )
                )
    return samples


def _lay(sheet: Unfilmed, seed: int) -> None:
    """The layout deals levels in turn; one routine is of the first."""
    seedbench_r1.lay(sheet, 1, seed)


def scene(made: Routine) -> Scene:
    """A step a second."""
    shown = [made.steps[(made.start + i) % N_STEPS] for i in range(made.n_shown)]
    images = [picture.step(made, number) for number in range(N_STEPS)]

    def image(frame: int) -> Image:
        return images[(made.start + frame // picture.FPS) % N_STEPS]

    return Scene(
        n_frames=picture.FPS * made.n_shown,
        fps=picture.FPS,
        picture=image,
        says=lambda frame: says(shown[frame // picture.FPS], image(frame)),
    )


def says(step: Step, image: Image) -> Slots:
    """As a film's frame says it."""
    found = placed(image)
    return (
        {"word": step.colour},
        {"word": step.shape},
        {"across": found["across"], "above": found["above"]},
        {"high": found["high"], "tilt": "<upright>"},
    )


def told(made: Routine, number: int) -> str:
    """The order, the step of now and the one after it."""
    order = [f"{step.colour} {step.shape}" for step in made.steps]
    turned = [order[(made.start + i) % N_STEPS] for i in range(N_STEPS + 1)]
    now = made.now[number]
    return f"{', '.join(turned)}; now {order[now]}, then {order[(now + 1) % N_STEPS]}"


def _drill(made: Routine, draws: Draws) -> Drill:
    order = [f"{step.colour} {step.shape}" for step in made.steps]
    after = [(order[i], order[(i + 1) % N_STEPS]) for i in range(N_STEPS)]
    head = draws.choice(("Next", "Before"))
    pairs = after if head == "Next" else [(b, a) for a, b in after]
    return Drill(head=f"{head}:", pairs=tuple(draws.choices(pairs, k=_DRILL)))
