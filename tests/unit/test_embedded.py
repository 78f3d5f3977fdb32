"""What the package carries is what the generators make, whole, and small."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

import edgeval
from edgeval import benchmarks, frames, pixels
from edgeval.media.decode import decode
from edgeval.media.probe import probe
from edgeval.synth import films_dataset, rooms, rooms_dataset, rooms_view, slides
from edgeval.synth.films_dataset import LAYOUTS
from edgeval.synth.lessons_dataset import FIRST_SEED, N_LESSONS, lesson_id, lessons_of
from edgeval.synth.nouns import N_SLIDES, TRACKS, Lesson, Question, Track
from edgeval.types import FrameRule

CARRIED = Path(edgeval.__file__).parent / "embedded"
LESSONS = CARRIED / "videommmu"

ROOMS = CARRIED / "vsibench"


def shown(path: Path, *indices: int) -> list[np.ndarray]:
    """Frames of a video, uint8 [H, W, 3]."""
    plan = frames.plan(probe(path), FrameRule(how="indices", indices=indices))
    return [np.asarray(page) for page in decode(plan, shrink=pixels.to_rgb, workers=1).pixels]


def off(got: np.ndarray, want: np.ndarray) -> float:
    """Mean absolute difference, of 255."""
    return float(np.abs(got.astype(int) - want).mean())


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


def test_every_benchmark_carries_its_data_and_nothing_else_is_carried() -> None:
    held = {path.name for path in CARRIED.iterdir() if path.is_dir()}
    assert held == set(benchmarks.MODULES)
    assert all(benchmarks.load(name).embedded == CARRIED / name for name in held)


def test_rooms_and_films_are_small() -> None:
    others = [path for name in (*LAYOUTS, "vsibench") for path in (CARRIED / name).rglob("*.*")]
    assert sum(path.stat().st_size for path in others) < 1_500_000


@pytest.mark.parametrize("name", sorted(LAYOUTS))
def test_films_are_those_the_generator_makes(name: str, tmp_path: Path) -> None:
    """Tables and subtitles to the byte; pictures as far as another x264 may differ."""
    films_dataset.write(name, tmp_path / name)
    again = {path.relative_to(tmp_path / name) for path in (tmp_path / name).rglob("*.*")}
    assert {path.relative_to(CARRIED / name) for path in (CARRIED / name).rglob("*.*")} == again
    for path in again:
        held, new = CARRIED / name / path, tmp_path / name / path
        if path.suffix not in (".mp4", ".png"):
            assert held.read_bytes() == new.read_bytes(), path
    first = min(path for path in again if path.suffix == ".mp4")
    pairs = zip(
        shown(CARRIED / name / first, 0, 20, 40),
        shown(tmp_path / name / first, 0, 20, 40),
        strict=True,
    )
    assert max(off(a, b) for a, b in pairs) < 4
    shutil.rmtree(tmp_path / name)


def test_the_meta_file_holds_the_rooms() -> None:
    held = json.loads((ROOMS / "rooms_meta_info_val.json").read_text("utf-8"))
    seeds = range(rooms_dataset.FIRST_SEED, rooms_dataset.FIRST_SEED + rooms_dataset.N_ROOMS)
    made = [rooms.make(seed) for seed in seeds]
    assert held == {room.name: rooms.meta(room) for room in made}
    assert {p.stem for p in ROOMS.rglob("*.mp4")} == {room.name for room in made}


def test_the_first_rooms_film_and_questions_are_those_the_generator_makes() -> None:
    room = rooms.make(rooms_dataset.FIRST_SEED)
    n, side = rooms_dataset.N_FRAMES, rooms_dataset.SIDE
    seen = list(rooms_view.sights(room, n=n, side=side))
    film = ROOMS / "rooms" / f"{room.name}.mp4"
    pairs = zip(shown(film, 0, 30, 63), (0, 30, 63), strict=True)
    assert max(off(page, seen[i].image) for page, i in pairs) < 4
    rows = rooms_dataset.questions([room], seed=rooms_dataset.FIRST_SEED)
    lines = (ROOMS / "test.jsonl").read_text("utf-8").splitlines()
    assert [json.loads(line) for line in lines[: len(rows)]] == rows


def test_the_rooms_have_all_ten_types_of_question() -> None:
    lines = (ROOMS / "test.jsonl").read_text("utf-8").splitlines()
    counts = Counter(json.loads(line)["question_type"] for line in lines)
    assert set(counts) == set(rooms_dataset.MOST)
    assert min(counts.values()) >= rooms_dataset.N_ROOMS
