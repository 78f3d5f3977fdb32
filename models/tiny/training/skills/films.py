"""Films as seven benchmarks ask about them, each in its own words."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

import numpy as np

from edgeval.synth.draws import Draws, scene_draws
from edgeval.synth.layouts import longvideobench, mmvu, mvbench, tempcompass, video_r1, videomme
from edgeval.synth.motions import film as films
from edgeval.synth.motions import picture
from edgeval.synth.motions.film import SECONDS_PER_ACT, Act, Film
from training import wordings
from training.scene import Drill, Image, Sample, Scene
from training.seeds import checked
from training.skills.folder import Unfilmed, laid, place_of
from training.words import Slots, binned

FRAMES_AN_ACT = picture.FPS * SECONDS_PER_ACT
_DRILL = 8
_UPRIGHT_DEG = 20
# Below this difference from the ground, of three times 255, a pixel is ground.
_GROUND = 60
Lay = Callable[[Unfilmed, Sequence[Film]], None]
# Layout -> the settings to ask in. A film is shared out to a few of them.
LAYOUTS: Mapping[str, tuple[Lay, tuple[str, ...]]] = MappingProxyType(
    {
        tempcompass.NAME: (tempcompass.lay, ("video",)),
        mvbench.NAME: (mvbench.lay, ("video",)),
        videomme.NAME: (videomme.lay, ("video", "subtitles")),
        longvideobench.NAME: (longvideobench.lay, ("interleaved",)),
        mmvu.NAME: (mmvu.lay, ("video", "cot")),
        video_r1.NAME: (video_r1.lay, ("video",)),
    }
)
# Asked of a film without an answer that can be told from a list: a sentence for a judge.
_UNREAD = ("tempcompass_captioning",)


def deal(seeds: Sequence[int]) -> list[Sample]:
    """A sample a view of each film: every benchmark has its own frames, captions or system turn."""
    made = {f"film_{seed}": films.make(checked(seed)) for seed in seeds}
    names = list(LAYOUTS)
    samples: list[Sample] = []
    # Each film by two of the layouts, in turn by its seed.
    for at, name in enumerate(names):
        mine = [
            film
            for film in made.values()
            if at in {film.seed % len(names), (film.seed // 7) % len(names)}
        ]
        if mine:
            samples += _of_layout(name, mine)
    return samples


def _of_layout(name: str, mine: Sequence[Film]) -> list[Sample]:
    lay, settings = LAYOUTS[name]
    samples = []
    with laid(name, settings, lambda sheet: lay(sheet, mine)) as (benchmark, sheet, clips):
        views: dict[object, Sample] = {}
        for clip in clips:
            film = sheet.shown[place_of(sheet, clip.video)]
            assert isinstance(film, Film)
            draws = scene_draws(film.seed, f"training {name} {clip.id} {clip.setting}")
            asked = []
            for question in clip.questions:
                if question.task in _UNREAD:
                    continue
                worked = told(film, clip.segment_s)
                asked.append(wordings.final(benchmark, clip, question, worked))
                if draws.random() < 0.5:
                    asked.append(wordings.in_own_words(question, worked, draws))
            key = (film.seed, clip.segment_s, clip.captions, clip.system)
            if key in views:
                asked = [*views[key].asked, *asked]
            views[key] = Sample(
                skill="films",
                clip=clip,
                scene=scene(film),
                asked=tuple(asked),
                drills=tuple(_drill(film, draws) for _ in range(4)),
            )
        samples = list(views.values())
    return [one for one in samples if one.asked]


def scene(film: Film) -> Scene:
    """A film as it is encoded, drawn a frame at a time."""

    @functools.lru_cache(maxsize=1)
    def frames() -> list[Image]:
        return list(picture.frames(film))

    return Scene(
        n_frames=FRAMES_AN_ACT * len(film.acts),
        fps=picture.FPS,
        picture=lambda frame: frames()[frame],
        says=lambda frame: says(film, frame, frames()[frame]),
    )


def says(film: Film, frame: int, image: Image) -> Slots:
    """Colour, shape, place and size of what a frame shows; nothing while a shape is hidden."""
    act = film.acts[frame // FRAMES_AN_ACT]
    share = frame % FRAMES_AN_ACT / (FRAMES_AN_ACT - 1)
    colour = act.colour if act.part == "turns" and share >= 0.5 else act.sign.colour
    found = placed(image)
    if not found:
        return ({"word": "none"},) * 4
    spins = act.part == "acts" and act.action == "spins"
    tilted = spins and _UPRIGHT_DEG < 360 * share < 360 - _UPRIGHT_DEG
    return (
        {"word": colour},
        {"word": act.sign.shape},
        {"across": found["across"], "above": found["above"]},
        {"high": found["high"], "tilt": "<tilted>" if tilted else "<upright>"},
    )


def placed(image: Image) -> dict[str, str]:
    """Where the shape on a plain ground is, and how high; empty where there is none."""
    off = np.abs(image.astype(int) - image[0, 0].astype(int)).sum(axis=2) > _GROUND
    if not off.any():
        return {}
    rows, columns = np.nonzero(off)
    side = len(image)
    return {
        "across": binned("across", columns.mean() / side, 0.15, 0.85),
        "above": binned("above", rows.mean() / side, 0.15, 0.85),
        "high": binned("high", float(np.ptp(rows)) / side, 0.1, 0.7),
    }


def does(act: Act) -> str:
    """What an act's shape does, in few words."""
    return {
        "moves": f"moves {act.direction} {act.speed}",
        "turns": f"turns {act.colour}",
        "acts": act.action,
        "rests": "rests",
    }[act.part]


def told(film: Film, part_s: tuple[float, float] | None = None) -> str:
    """The film, or the part of it that is shown, act by act."""
    begin, end = part_s or (0.0, float(film.seconds))
    step = SECONDS_PER_ACT
    acts = [act for i, act in enumerate(film.acts) if begin < step * (i + 1) and end > step * i]
    return ", ".join(f"{act.sign} {does(act)}" for act in acts)


def _drill(film: Film, draws: Draws) -> Drill:
    signs = film.signs
    facts = {
        "Does": [(str(act.sign), does(act)) for act in film.acts],
        "Who": [(does(act), str(act.sign)) for act in film.acts if act.part != "rests"],
        "Next": list(itertools.pairwise(signs)),
        "Before": list(zip(signs[1:], signs, strict=False)),
    }
    head = draws.choice(tuple(facts))
    return Drill(head=f"{head}:", pairs=tuple(draws.choices(facts[head], k=_DRILL)))
