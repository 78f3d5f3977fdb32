"""Slides as pictures: what is on them can be seen, and nothing else.

Glyphs may move by a pixel between Pillow releases, so no picture is compared with a stored one.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from edgeval.synth import lessons, slides, sprites
from edgeval.synth.nouns import ARROW, Lesson, Mark, Sign, Slide, Word
from edgeval.synth.vocabulary import COLOURS, DISCIPLINES, NAMES, PAINTS, SHAPES


def row(*things: Sign | Word | Mark) -> Slide:
    """A table slide with ``things`` on it."""
    return Slide(kind="pair", header="Moss code", things=things, slots=(None, None, None, "table"))


@pytest.fixture(scope="module")
def lesson() -> Lesson:
    """One lesson with arithmetic on its slides."""
    return lessons.make(800_000, kind="code", discipline="Science")


def test_every_slide_is_a_square_picture(lesson: Lesson) -> None:
    drawn = [slides.draw(slide, lesson.discipline) for slide in lesson.slides]
    assert {(d.shape, d.dtype.name) for d in drawn} == {((slides.SIDE, slides.SIDE, 3), "uint8")}


@pytest.mark.parametrize("colour", COLOURS)
def test_a_sign_has_the_paint_of_its_colour(colour: str) -> None:
    page = slides.draw(row(Sign(colour, "square")), "Art")
    assert (page == PAINTS[colour]).all(axis=-1).sum() > 2000


def test_all_shapes_differ_in_outline() -> None:
    masks = [np.asarray(sprites.sign("red", shape, side=92))[..., 3] > 127 for shape in SHAPES]
    differing = [(a != b).sum() for i, a in enumerate(masks) for b in masks[:i]]
    assert min(differing) > 400


def test_two_values_are_two_pictures() -> None:
    words = [*map(str, range(1, 20)), *(f"+{i}" for i in range(1, 10)), *NAMES]
    pages = {
        slides.draw(row(Sign("red", "star"), Mark(ARROW), Word(w)), "Art").tobytes() for w in words
    }
    assert len(pages) == len(words)


@pytest.mark.parametrize("discipline", DISCIPLINES)
def test_the_longest_row_stays_on_the_page(discipline: str) -> None:
    things = (Word("10"), Mark(ARROW), Sign("grey", "heart"), Mark(ARROW), Word("19"))
    page = slides.draw(row(*things), discipline).astype(int)
    empty = slides.draw(row(Word("")), discipline).astype(int)
    touched = np.abs(page - empty).sum(axis=(0, 2)) > 0
    assert not touched[:12].any()
    assert not touched[-12:].any()


def test_a_shift_moves_the_things_and_not_the_header(lesson: Lesson) -> None:
    slide = lesson.slides[2]
    still, moved = (slides.draw(slide, "Art", shift=shift) for shift in ((0, 0), (5, -3)))
    assert (still[:41] == moved[:41]).all()
    assert (still[60:240, 20:-20] == moved[57:237, 25:-15]).mean() > 0.99


def test_the_quiz_picture_depends_on_the_quiz_alone(lesson: Lesson) -> None:
    """Whatever else a lesson taught, the same quiz things give the same picture: no hint in it."""
    quiz = lesson.slides[-1]
    other = replace(quiz, slots=("red", "moon", "1", "quiz"))
    pages = {slides.draw(q, d).tobytes() for q in (quiz, other) for d in DISCIPLINES}
    assert len(pages) == 1
