"""Lessons as Video-MMMU asks about them: every kind, three tracks, both ways of answering."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Sequence
from pathlib import Path

from edgeval import benchmarks
from edgeval.benchmarks.base import Benchmark
from edgeval.synth import lessons, lessons_dataset, slides
from edgeval.synth.draws import Draws, scene_draws
from edgeval.synth.kinds.chain import Chain
from edgeval.synth.kinds.code import Code
from edgeval.synth.kinds.machine import Machine
from edgeval.synth.kinds.sorting import Sorting
from edgeval.synth.kinds.steps import Steps
from edgeval.synth.nouns import N_SLIDES, TRACKS, Lesson, Query, Question, Track
from edgeval.synth.vocabulary import COLOURS, LETTERS, NAMES, ONE_TO_TEN, SHAPES
from edgeval.types import Clip
from training import wordings
from training.scene import Asked, Drill, Image, Sample, Scene
from training.seeds import checked
from training.words import Slots

FRAMES_A_SLIDE = lessons_dataset.FPS * lessons_dataset.SECONDS_PER_SLIDE
# Of each track's questions about one lesson.
N_ASKED = {"perception": 5, "comprehension": 5, "adaptation": 4}
_DRILL = 8
_POOLS = (NAMES, ONE_TO_TEN, COLOURS, SHAPES)


def deal(seeds: Sequence[int]) -> list[Sample]:
    """A sample a lesson."""
    benchmark = benchmarks.load("videommmu")
    return [_sample(lessons.make(checked(seed)), benchmark) for seed in seeds]


def _sample(lesson: Lesson, benchmark: Benchmark) -> Sample:
    draws = scene_draws(lesson.seed, "training lesson")
    name = lessons_dataset.lesson_id(lesson)
    clip = Clip(
        id=name,
        setting="video",
        video=Path(lesson.discipline, f"{name}.mp4"),
        questions=(),
        must_see_last=True,
    )
    asked: list[Asked] = []
    for made in _questions(lesson):
        question = benchmark.question(lessons_dataset.row(name, made) | {"track": made.track})
        asked.append(wordings.final(benchmark, clip, question, made.query.worked))
        if draws.random() < 0.3:
            asked.append(wordings.in_own_words(question, made.query.worked, draws))
        elif draws.random() < 0.2:
            asked.append(wordings.short(question, draws))
    return Sample(
        skill="lessons",
        clip=clip,
        scene=scene(lesson, draws),
        asked=tuple(draws.sample(asked, len(asked))),
        drills=tuple(_drill(lesson, draws) for _ in range(6)),
    )


def scene(lesson: Lesson, draws: Draws) -> Scene:
    """Slides of two seconds each, what is on them moved a little."""
    shift = (draws.randint(-6, 6), draws.randint(-6, 6))

    @functools.lru_cache(maxsize=N_SLIDES)
    def slide(number: int) -> Image:
        return slides.draw(lesson.slides[number], lesson.discipline, shift=shift)

    def says(frame: int) -> Slots:
        slots = lesson.slides[frame // FRAMES_A_SLIDE].slots
        return tuple({"word": word or "none"} for word in slots)

    return Scene(
        n_frames=N_SLIDES * FRAMES_A_SLIDE,
        fps=lessons_dataset.FPS,
        picture=lambda frame: slide(frame // FRAMES_A_SLIDE),
        says=says,
    )


def _questions(lesson: Lesson) -> tuple[Question, ...]:
    draws = scene_draws(lesson.seed, "training questions")
    return tuple(
        _posed(draws, lessons.query(draws, lesson, track), track, lesson)
        for track in TRACKS
        for _ in range(N_ASKED[track])
    )


def _posed(draws: Draws, query: Query, track: Track, lesson: Lesson) -> Question:
    """As a dataset poses it, letters drawn instead of dealt; fewer options now and then."""
    if lesson.kind in lessons.OPEN_KINDS and track == "adaptation" and draws.random() < 0.34:
        return Question(track=track, query=query, options=(), target=query.answer)
    others = [text for text in query.pool if text != query.answer]
    most = draws.choice((len(LETTERS), len(LETTERS), 8, 6, 4))
    n = min(most, len(others) + 1)
    place = draws.randrange(n)
    options = draws.sample(others, n - 1)
    options.insert(place, query.answer)
    return Question(track=track, query=query, options=tuple(options), target=LETTERS[place])


def _drill(lesson: Lesson, draws: Draws) -> Drill:
    facts = _facts(lesson)
    kind = draws.choice((*facts, "Letter", "Sum"))
    if kind == "Letter":
        pool = draws.choice(_POOLS)
        said = draws.sample(pool, min(len(pool), draws.randint(4, 10)))
        pairs = list(zip(said, LETTERS, strict=False))
        return Drill(head=wordings.listed(said), pairs=tuple(draws.choices(pairs, k=_DRILL)))
    if kind == "Sum":
        sums = [(draws.randint(1, 10), draws.randint(1, 9)) for _ in range(_DRILL)]
        return Drill(head="Sum:", pairs=tuple((f"{a} + {b}", str(a + b)) for a, b in sums))
    return Drill(head=f"{kind}:", pairs=tuple(draws.choices(facts[kind], k=_DRILL)))


def _facts(lesson: Lesson) -> dict[str, list[tuple[str, str]]]:
    """Cues and answers by what is asked: the single steps that worked answers take."""
    table, order = tables(lesson)
    steps = list(itertools.pairwise(order))
    facts = {"Next": steps, "Before": [(b, a) for a, b in steps], "Quiz": read(lesson)}
    if table:
        facts |= {"Beside": table, "Back": [(b, a) for a, b in table]}
    if isinstance(lesson.rule, Sorting):
        place = ("colour", "shape").index(lesson.rule.by)
        facts["Like"] = [(sign[place], str(sign)) for sign in lesson.rule.signs]
    return facts


def read(lesson: Lesson) -> list[tuple[str, str]]:
    """What the last slide asks about, and what the slide with the rule says decides."""
    quiz = [word for word in lesson.slides[-1].slots[:3] if word not in (None, "grey")]
    rules = [slide.slots[2] for slide in lesson.slides if slide.slots[3] == "rule"]
    return [("quiz", " ".join(map(str, quiz))), *(("rule", rule) for rule in rules if rule)]


def tables(lesson: Lesson) -> tuple[list[tuple[str, str]], list[str]]:
    """What stands beside what, and what comes in which order, as words."""
    rule = lesson.rule
    if isinstance(rule, Chain):
        return [*rule.colour_of.items(), *rule.value_of.items()], list(rule.colour_of)
    if isinstance(rule, Steps):
        return [], [str(sign) for sign in rule.order]
    if isinstance(rule, Code):
        table = [(str(sign), str(number)) for sign, number in rule.numbers.items()]
    elif isinstance(rule, Machine):
        table = [(shape, str(number)) for shape, number in rule.adds.items()]
    else:
        assert isinstance(rule, Sorting)
        table = list(zip(map(str, rule.signs), rule.bins, strict=True))
    return table, [cue for cue, _ in table]
