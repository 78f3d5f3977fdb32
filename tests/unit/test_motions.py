"""Films: what is drawn is what was drawn up, and every query's answer is the film's."""

from __future__ import annotations

import itertools
from collections import Counter

import numpy as np
import pytest

from edgeval.errors import ArgumentError
from edgeval.synth.draws import scene_draws
from edgeval.synth.lessons import LetterTurns
from edgeval.synth.motions import asked, film, picture, routine
from edgeval.synth.motions.asked import SKILLS
from edgeval.synth.motions.film import Film
from edgeval.synth.vocabulary import PAINTS

FRAMES_PER_ACT = picture.FPS * film.SECONDS_PER_ACT
MANY = range(200)


def inked(image: np.ndarray) -> np.ndarray:
    """Where something is drawn, bool [H, W]."""
    return np.abs(image.astype(int) - picture.LIGHT).sum(axis=2) > 60


def middle(image: np.ndarray) -> np.ndarray:
    rows, columns = np.nonzero(inked(image))
    return np.array([columns.mean(), rows.mean()])


def find(part: str, **fields: str) -> tuple[Film, list[np.ndarray]]:
    """A film whose act of that part has these fields, and the act's frames."""
    for seed in MANY:
        made = film.make(seed)
        act = made.one(part)  # type: ignore[arg-type]
        if all(getattr(act, name) == value for name, value in fields.items()):
            first = made.acts.index(act) * FRAMES_PER_ACT
            return made, list(picture.frames(made))[first : first + FRAMES_PER_ACT]
    raise AssertionError(fields)


@pytest.mark.parametrize("seed", range(20))
def test_colours_and_shapes_differ_and_one_each_moves_turns_and_acts(seed: int) -> None:
    acts = film.make(seed).acts
    assert len({act.sign.colour for act in acts}) == len({act.sign.shape for act in acts})
    assert len({act.sign.colour for act in acts}) == len(acts)
    parts = Counter(act.part for act in acts)
    assert (parts["moves"], parts["turns"], parts["acts"]) == (1, 1, 1)


def test_a_negative_seed_is_refused() -> None:
    with pytest.raises(ArgumentError, match="wants 0 or more"):
        film.make(-1)


@pytest.mark.parametrize(
    ("direction", "way"),
    [("to the left", (-1, 0)), ("to the right", (1, 0)), ("up", (0, -1)), ("down", (0, 1))],
)
def test_what_moves_moves_there(direction: str, way: tuple[int, int]) -> None:
    _, frames = find("moves", direction=direction)
    off = middle(frames[-1]) - middle(frames[0])
    assert off @ way > 8
    assert abs(off @ way[::-1]) < 2


def test_faster_is_farther_in_the_same_time() -> None:
    ways = []
    for speed in film.SPEEDS:
        _, frames = find("moves", speed=speed)
        ways.append(np.abs(middle(frames[-1]) - middle(frames[0])).max())
    assert ways[0] * 1.8 < ways[1] < ways[2] / 1.8


def test_what_turns_colour_has_one_first_and_the_other_after() -> None:
    made, frames = find("turns")
    act = made.one("turns")
    for image, colour in ((frames[0], act.sign.colour), (frames[-1], act.colour)):
        shown = np.median(image[inked(image)], axis=0)
        assert np.abs(shown - PAINTS[colour]).max() < 60


def test_what_grows_grows_and_what_shrinks_shrinks() -> None:
    for action, sign in (("grows", 1), ("shrinks", -1)):
        _, frames = find("acts", action=action)
        sizes = [int(inked(image).sum()) for image in frames]
        assert sign * (sizes[-1] - sizes[0]) > 1000


def test_what_blinks_is_gone_at_times() -> None:
    _, frames = find("acts", action="blinks")
    shown = [bool(inked(image).any()) for image in frames]
    assert sum(a != b for a, b in itertools.pairwise(shown)) >= 4


def test_what_spins_stays_and_looks_different() -> None:
    _, frames = find("acts", action="spins")
    assert np.abs(middle(frames[3]) - middle(frames[0])).max() < 6
    assert (inked(frames[3]) != inked(frames[0])).sum() > 100


@pytest.mark.parametrize("skill", SKILLS)
def test_the_answer_is_in_the_pool_and_nothing_twice(skill: str) -> None:
    for seed in MANY:
        query = SKILLS[skill](film.make(seed), scene_draws(seed, skill))
        assert query.answer in query.pool
        assert len(set(query.pool)) == len(query.pool) >= 2


def test_answers_are_the_films_own() -> None:
    made = film.make(4)
    signs, draws = made.signs, scene_draws(4, "asked")
    assert asked.first(made, draws).answer == signs[0]
    assert asked.last(made, draws).answer == signs[-1]
    assert asked.count(made, draws).answer == str(len(signs))
    after = asked.after(made, draws)
    here = after.stem.removeprefix("Which shape comes right after the ").rstrip("?")
    assert signs.index(after.answer) == signs.index(here) + 1
    order = asked.order(made, draws).answer.removeprefix("the ").split(", then the ")
    assert order == sorted(order, key=signs.index)


@pytest.mark.parametrize("seed", range(20))
def test_a_colour_that_is_said_to_be_there_is_there(seed: int) -> None:
    made = film.make(seed)
    query = asked.exists(made, scene_draws(seed, "exists"))
    colour = query.stem.split()[3]
    shown = {act.sign.colour for act in made.acts}
    assert (query.answer == "yes") == (colour in shown)
    assert colour in shown or colour != made.one("turns").colour


def test_options_hold_the_right_one_where_it_was_dealt() -> None:
    turns, draws = LetterTurns(), scene_draws(0, "posed")
    query = asked.order(film.make(0), draws)
    dealt = [asked.posed(query, turns, draws) for _ in range(8)]
    assert all(one.options[one.place] == query.answer for one in dealt)
    assert set(Counter(one.place for one in dealt).values()) == {2}


def test_subtitles_say_each_name_while_its_shape_is_shown() -> None:
    made = film.make(3)
    for i, (start, end, text) in enumerate(asked.cues(made)):
        assert made.acts[i].name in text
        assert 2 * i < start < end < 2 * (i + 1)


@pytest.mark.parametrize("level", ["L1", "L2", "L3"])
def test_a_routine_goes_round_in_its_order(level: routine.Level) -> None:
    made = routine.make(9, level, 1)
    frames = list(picture.steps(made))
    assert len(frames) == made.n_shown * picture.FPS
    wanted = picture.step(made, (made.start + 5) % 4)
    assert (frames[5 * picture.FPS] == wanted).all()
    assert len({picture.step(made, k).tobytes() for k in range(4)}) == 4


def test_the_second_level_looks_different_and_the_third_is_another_task() -> None:
    light, dark = (routine.make(9, level, 0) for level in ("L1", "L2"))
    assert light.steps == dark.steps
    assert (picture.step(light, 0) != picture.step(dark, 0)).mean() > 0.5
    assert len({step.shape for step in routine.make(9, "L3", 0).steps}) == 1
