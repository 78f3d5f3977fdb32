"""Rooms as they are taught: words no finer than frames have them, numbers that are right enough."""

from __future__ import annotations

import math
import re
from collections.abc import Callable

import numpy as np
import pytest
from training import recall, seeds
from training.skills.survey import Survey, said_area, said_long, said_m
from training.words import PLACES

from edgeval.metrics import mean_relative_accuracy
from edgeval.scenes import Box, turn_deg
from edgeval.synth import rooms
from edgeval.synth.draws import scene_draws
from edgeval.synth.rooms import Room, Shot

SEEDS = range(seeds.FIRST, seeds.FIRST + 30)


def box(x: float, y: float) -> Box:
    axes = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
    return Box(centre=(x, y, 0.25), axes=axes, lengths=(0.5, 0.5, 0.5))


ROOM = Room(
    seed=0,
    width=6,
    depth=5,
    boxes={"bed": (box(1, 1),), "lamp": (box(3, 1), box(5, 4)), "tv": (box(1, 3.2),)},
    tour=(
        Shot(kind="lamp", number=1),
        Shot(kind="tv", number=0),
        Shot(kind="lamp", number=0),
        Shot(kind="bed", number=0),
    ),
)


def test_a_frame_says_of_what_it_shows_how_long_how_many_how_large_the_room_and_where() -> None:
    one, two, three, four = Survey(ROOM).says(ROOM.tour[0])
    assert (three["thing"], two["many"]) == ("lamp", "2")
    assert (four["x"], four["y"]) == ("<x10>", "<y8>")
    assert (one.keys(), two.keys()) == ({"area"}, {"long", "many"})


@pytest.mark.parametrize(
    ("said", "true", "unit"),
    [
        pytest.param(said_long, np.geomspace(0.25, 1.58, 300), 100, id="a thing's length"),
        pytest.param(said_area, np.geomspace(*rooms.AREA_M2, 300), 1, id="a room's size"),
        # As questions have them, with one decimal.
        pytest.param(said_m, np.arange(2, 86) / 10, 1, id="a distance"),
    ],
)
def test_rounded_numbers_earn_nearly_all(
    said: Callable[[float], str], true: np.ndarray, unit: int
) -> None:
    earned = [mean_relative_accuracy(float(said(one)), unit * one) for one in true.tolist()]
    assert sum(earned) / len(earned) > 0.95
    assert min(earned) >= 0.79


def test_all_rooms_fit_the_words() -> None:
    """Nothing is longer, farther or larger than the last word of its group."""
    for seed in SEEDS:
        room = rooms.make(seed)
        assert max(room.width, room.depth) <= 9
        longest = [max(held[0].lengths) for held in room.boxes.values()]
        assert max(longest) < 1.7
        assert min(longest) > 0.2


def test_where_things_are_and_how_far_apart() -> None:
    survey = Survey(ROOM)
    assert survey.told_off("bed", "tv") == ("+0", "+4")
    assert survey.told_places("bed") == "bed <x2> <y2>"
    assert survey.told_apart("bed", "tv") == "bed <x2> <y2> tv <x2> <y6>: +0 +4"


def test_the_gap_between_kinds_is_that_of_their_closest() -> None:
    survey = Survey(ROOM)
    assert survey.gap_m("bed", "lamp") == pytest.approx(1.5)
    assert survey.gap_m("tv", "lamp") == pytest.approx(math.hypot(1.5, 1.7))


def test_a_kind_is_first_seen_in_its_first_shot() -> None:
    assert [Survey(ROOM).first(kind) for kind in ("lamp", "tv", "bed")] == [1, 2, 4]


def test_every_word_said_is_known() -> None:
    for seed in SEEDS:
        room = rooms.make(seed)
        for shot in room.tour:
            for said in Survey(room).says(shot):
                assert all(word in PLACES[group] for group, word in said.items())


def test_what_is_worked_out_from_places_alone_is_what_rooms_say() -> None:
    """Steps, and which way a third thing is; distances within a word or two."""
    draws = scene_draws(0, "places")
    asked: set[str] = set()
    for _ in range(60):
        drill = recall.places(draws)
        asked.add(drill.head)
        for cue, answer in drill.pairs:
            spots = [(int(x), int(y)) for x, y in re.findall(r"<x(\d+)> <y(\d+)>", cue)]
            if drill.head == "Off:":
                one, other = map(int, re.findall(r"\d+", cue))
                assert int(answer) == other - one
            elif drill.head == "Gap:":
                apart = 0.5 * math.dist(*spots)
                assert 0.8 * (apart - 0.7) <= float(answer) <= max(0.2, 1.2 * apart)
            else:
                here, facing, there = (box(0.5 * x + 0.25, 0.5 * y + 0.25) for x, y in spots)
                turn = turn_deg(here, facing, there)
                end = "front" if abs(turn) < 90 else "back"
                assert answer == f"{end}-{'left' if turn > 0 else 'right'}"
    assert asked == {"Off:", "Gap:", "Turn:"}
