"""What the package carries: the lessons are those of the generator, whole, and small."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

import edgeval
from edgeval import frames, pixels
from edgeval.media.decode import decode
from edgeval.media.probe import probe
from edgeval.synth import slides
from edgeval.synth.lessons_dataset import FIRST_SEED, N_LESSONS, lesson_id, lessons_of
from edgeval.synth.nouns import N_SLIDES, TRACKS, Lesson, Question, Track
from edgeval.types import FrameRule

CARRIED = Path(edgeval.__file__).parent / "embedded"
LESSONS = CARRIED / "videommmu"


@pytest.fixture(scope="module")
def made() -> list[tuple[Lesson, tuple[Question, ...]]]:
    """The lessons that the folder should hold, made anew."""
    return list(lessons_of(FIRST_SEED, N_LESSONS))


@pytest.mark.parametrize("track", TRACKS)
def test_the_questions_are_those_the_generator_asks(
    track: Track, made: list[tuple[Lesson, tuple[Question, ...]]]
) -> None:
    held = json.loads((LESSONS / f"{track}_video.json").read_text("utf-8"))[track.capitalize()]
    got = [(r["id"], r["question"], r["options"], r["answer"]) for r in held.values()]
    assert got == [
        (lesson_id(lesson), q.query.stem, list(q.options), q.target)
        for lesson, asked in made
        for q in asked
        if q.track == track
    ]


def test_every_lesson_has_its_film_and_its_quiz(
    made: list[tuple[Lesson, tuple[Question, ...]]],
) -> None:
    wanted = {f"{lesson.discipline}/{lesson_id(lesson)}.mp4" for lesson, _ in made}
    wanted |= {f"question_only/{lesson_id(lesson)}_image.mp4" for lesson, _ in made}
    assert {p.relative_to(LESSONS).as_posix() for p in LESSONS.rglob("*.mp4")} == wanted


def test_kinds_and_disciplines_are_even(
    made: list[tuple[Lesson, tuple[Question, ...]]],
) -> None:
    kinds = Counter(lesson.kind for lesson, _ in made)
    disciplines = Counter(lesson.discipline for lesson, _ in made)
    assert (set(kinds.values()), set(disciplines.values())) == ({12}, {10})


def test_the_lessons_are_small() -> None:
    assert sum(path.stat().st_size for path in LESSONS.rglob("*") if path.is_file()) < 2_000_000


@pytest.mark.parametrize("i", range(5))
def test_a_film_shows_the_slides_two_seconds_each(
    i: int, made: list[tuple[Lesson, tuple[Question, ...]]]
) -> None:
    lesson = made[i][0]
    info = probe(LESSONS / lesson.discipline / f"{lesson_id(lesson)}.mp4")
    ends = tuple(at for k in range(N_SLIDES) for at in (8 * k, 8 * k + 7))
    rule = FrameRule(how="indices", indices=ends)
    shown = decode(frames.plan(info, rule), shrink=pixels.to_rgb, workers=1).pixels
    drawn = [slides.draw(slide, lesson.discipline) for slide in lesson.slides for _ in range(2)]
    errors = [np.abs(a.astype(int) - b).mean() for a, b in zip(shown, drawn, strict=True)]
    assert (info.n_frames, info.duration_s) == (96, 24.0)
    assert max(errors) < 4
