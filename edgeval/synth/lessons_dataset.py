"""Lessons as a dataset folder in Video-MMMU's own layout.

    perception_video.json  comprehension_video.json  adaptation_video.json
    <Discipline>/<id>.mp4                 24 s, 256 x 256, 4 frames/s, two seconds a slide
    question_only/<id>_image.mp4          the quiz slide alone, two seconds

There is no transcripts folder: a lesson has no sound, so nobody says anything in it. Source of the
layout: EvolvingLMMs-Lab/VideoMMMU@88b4ac3e07326eaabda3a4afe8e7f30dd02bc143 (data/, evaluation).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeval.errors import ArgumentError, EdgevalError
from edgeval.media.encode import encode
from edgeval.synth import lessons
from edgeval.synth.nouns import TRACKS, Lesson, Question, Slide, Track
from edgeval.synth.vocabulary import DISCIPLINES, THEMES

FPS = 4
SECONDS_PER_SLIDE = 2
# x264's quality: the tiny model's frames are 64 x 64, so more bits would not be seen.
CRF = 28
# Held out: the shipped model trained on seeds from 10_000_000 on, its tokenizer on the wording of
# 500_000 .. 501_499. The embedded lessons are the first sixty from here, whatever they score.
FIRST_SEED = 800_000
N_LESSONS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What ``write`` left in the folder: lesson ids in order, and how large it is."""

    ids: tuple[str, ...]
    n_questions: int
    n_bytes: int


def write(
    folder: Path, *, n_lessons: int = N_LESSONS, seed0: int = FIRST_SEED, crf: int = CRF
) -> Written:
    """Make ``n_lessons`` lessons, of seeds ``seed0`` upward, and write them to ``folder``.

    Lesson i is of kind i mod 5 and discipline i mod 6, so thirty lessons hold each pair once. The
    same arguments give the same questions always, and the same bytes with the same Pillow and x264.
    Raises ArgumentError for fewer than one lesson, a negative seed, or a folder that is not empty,
    and EdgevalError where Pillow is not installed.
    """
    if n_lessons < 1 or seed0 < 0:
        raise ArgumentError(
            f"lessons: got n_lessons={n_lessons}, seed0={seed0}; wants n_lessons >= 1, seed0 >= 0"
        )
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ArgumentError(f"lessons: {folder} is not an empty folder; name a new one")
    _painter()
    (folder / "question_only").mkdir(parents=True)
    rows: dict[Track, dict[str, dict[str, object]]] = {track: {} for track in TRACKS}
    ids = []
    for i, (lesson, asked) in enumerate(lessons_of(seed0, n_lessons)):
        ids.append(lesson_id(lesson))
        _write_videos(folder, lesson, crf=crf)
        for question in asked:
            rows[question.track][str(i)] = row(ids[-1], question)
    for track in TRACKS:
        text = json.dumps({track.capitalize(): rows[track]}, indent=1, ensure_ascii=False)
        (folder / f"{track}_video.json").write_text(text + "\n", encoding="utf-8")
    n_bytes = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return Written(ids=tuple(ids), n_questions=len(ids) * len(TRACKS), n_bytes=n_bytes)


def lessons_of(seed0: int, n_lessons: int) -> Iterator[tuple[Lesson, tuple[Question, ...]]]:
    """Lessons and their questions as a dataset has them: kinds, disciplines and letters in turn."""
    turns = lessons.LetterTurns()
    kinds = tuple(lessons.KINDS)
    for i in range(n_lessons):
        kind, discipline = kinds[i % len(kinds)], DISCIPLINES[i % len(DISCIPLINES)]
        lesson = lessons.make(seed0 + i, kind=kind, discipline=discipline)
        yield lesson, lessons.questions(lesson, turns)


def lesson_id(lesson: Lesson) -> str:
    """Video-MMMU's pattern, "<split>_<Subject>_<number>": lesson_Art_Theory_800006.

    The discipline's subjects take turns by seed, six apart, as disciplines do within a dataset.
    """
    subjects = THEMES[lesson.discipline].subjects
    subject = subjects[lesson.seed // len(DISCIPLINES) % len(subjects)]
    return f"lesson_{subject}_{lesson.seed}"


def row(row_id: str, question: Question) -> dict[str, object]:
    """A question as Video-MMMU's own row of a track."""
    return {
        "id": row_id,
        "link_selected": "",
        "question": question.query.stem,
        "options": list(question.options),
        "answer": question.target,
        "question_type": "multiple-choice" if question.options else "open",
    }


def _write_videos(folder: Path, lesson: Lesson, *, crf: int) -> None:
    name = lesson_id(lesson)
    place = folder / lesson.discipline
    place.mkdir(exist_ok=True)
    encode(place / f"{name}.mp4", _film(lesson, lesson.slides), fps=FPS, crf=crf)
    quiz = lesson.slides[-1:]
    encode(folder / "question_only" / f"{name}_image.mp4", _film(lesson, quiz), fps=FPS, crf=crf)


def _film(lesson: Lesson, shown: Sequence[Slide]) -> Iterator[NDArray[np.uint8]]:
    """Each slide for two seconds, as frames."""
    draw = _painter()
    for slide in shown:
        page = draw(slide, lesson.discipline)
        for _ in range(FPS * SECONDS_PER_SLIDE):
            yield page


def _painter() -> Callable[[Slide, str], NDArray[np.uint8]]:
    """What draws slides; imported here, so that questions alone can be made without Pillow."""
    try:
        from edgeval.synth import slides
    except ModuleNotFoundError as error:
        raise EdgevalError(
            f"lessons: {error.name} is not installed, which draws the slides; "
            "pip install 'edgeval[make]'"
        ) from error
    return slides.draw
