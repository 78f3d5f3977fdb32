"""Cognitive maps: asked for, read, true, judged and drawn."""

from __future__ import annotations

import itertools
import json
import math
from pathlib import Path

import numpy as np
import pytest

from edgeval.analyses.cognitive_map import CognitiveMap, Place, accuracy, asking, picture, truth
from edgeval.benchmarks.vsibench import BENCHMARK
from edgeval.errors import ArgumentError
from edgeval.scenes import Box, Scene, read_scenes
from edgeval.types import Record

UPRIGHT = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
KINDS = ("bed", "desk", "lamp")


def known(grid: int = 10, **places: list[Place]) -> CognitiveMap:
    return CognitiveMap(grid=grid, places={name: tuple(at) for name, at in places.items()})


def test_the_prompt_word_for_word() -> None:
    assert asking.prompt(["bed", "trash can"], grid=20) == (
        "[Task]\n"
        "This video captures an indoor scene. Your objective is to identify specific objects "
        "within the video, understand the spatial arrangement of the scene, and estimate the "
        "center point of each object, assuming the entire scene is represented by a 20x20 grid.\n"
        "[Rule]\n"
        "1. We provide the categories to care about in this scene: bed, trash can. Focus ONLY on "
        "these categories.\n"
        "2. Estimate the center location of each instance within the provided categories, "
        "assuming the entire scene is represented by a 20x20 grid.\n"
        "3. If a category contains multiple instances, include all of them.\n"
        "4. Each object\u2019s estimated location should accurately reflect its real position in "
        "the scene, preserving the relative spatial relationships among all objects.\n"
        "[Output]\n"
        "Present the estimated center locations for each object as a list within a dictionary. "
        'STRICTLY follow this JSON format: {"category name": [(x_1, y_1), ...], ...}'
    )


def test_no_categories_are_refused() -> None:
    with pytest.raises(ArgumentError, match="no categories"):
        asking.prompt([])


def test_a_grid_of_one_cell_is_refused() -> None:
    with pytest.raises(ArgumentError, match="grid of 1"):
        known(grid=1)


@pytest.mark.parametrize(
    "response",
    [
        '{"bed": [(1, 2)], "desk": [(3, 4), (5.5, -6)]}',
        "{'bed': [(1, 2)], 'desk': [(3, 4), (5.5, -6)]}",
        '{"bed":[[1,2]],"desk":[[3,4],[5.5,-6]]}',
        '{ "bed" : [ ( 1 , 2 ) , ] , "desk" : [ (3, 4), (5.5, -6) ] , }',
        'Here you are:\n```json\n{"bed": [(1, 2)],\n "desk": [(3, 4), (5.5, -6)]}\n```\nEnjoy {!}',
        '{"BED ": [(1, 2)], "Desk": [(3, 4), (5.5, -6)], "piano": [(9, 9)]}',
        '{"bed": [(7, 7)], "bed": [(1, 2)], "desk": [(3, 4), (5.5, -6)], "lamp": []}',
        'A set {bed} first. {"bed": [(1, 2)], "desk": [(3, 4), (5.5, -6)]} {"bed": [(0, 0)]}',
    ],
)
def test_a_whole_map_is_read(response: str) -> None:
    want = known(bed=[(1, 2)], desk=[(3, 4), (5.5, -6)])
    assert asking.read_map(response, KINDS) == want


@pytest.mark.parametrize(
    "response",
    [
        "",
        "no map",
        '{"bed": [(1, 2)]',
        '{"bed": [(1, 2), ...]}',
        '{"bed": [(1, 2) (3, 4)]}',
        '{"bed": [(1, 2)] "desk": [(3, 4)]}',
        '{"bed": [(1, 2]}',
        '{"bed": (1, 2)}',
        '{"bed": [(1, 2, 3)]}',
        '{"bed": [(1e3, 2)]}',
        '{"bed": [(nan, 2)]}',
        '{"bed": [(1, 2)],, "desk": []}',
        '{"bed": [(x_1, y_1), ...], ...}',
        '{"bed": [(__import__("os").getpid(), 2)]}',
        "{bed: [(1, 2)]}",
        '{, "bed": [(1, 2)]}',
        '{"bed": [,(1, 2)]}',
        '{"be\\"d": [(1, 2)]}',
    ],
)
def test_anything_else_is_no_map(response: str) -> None:
    assert asking.read_map(response, KINDS) is None


def test_an_empty_map_is_a_map() -> None:
    assert asking.read_map("{}", KINDS) == known()


def test_hostile_length_costs_little() -> None:
    assert asking.read_map('{"a": [' * 50_000 + "{" * 50_000 + " " * 50_000, KINDS) is None


def test_what_is_written_is_read_back() -> None:
    one = known(bed=[(1, 2), (9, 0)], lamp=[(3.5, 4)])
    assert asking.written(one) == '{"bed": [(1, 2), (9, 0)], "lamp": [(3.5, 4)]}'
    assert asking.read_map(asking.with_map("Which is closest?", one), KINDS) == one


def test_the_question_stands_after_the_map() -> None:
    assert asking.with_map("Which is closest?", known(bed=[(1, 2)])).endswith(
        "]}\nWhich is closest?"
    )


def box(x: float, y: float, side: float = 1.0) -> Box:
    return Box(centre=(x, y, 0.5), axes=UPRIGHT, lengths=(side, side, side))


def scene(**at: list[Place]) -> Scene:
    boxes = {kind: tuple(box(x, y) for x, y in places) for kind, places in at.items()}
    counts = {kind: len(found) for kind, found in boxes.items()}
    return Scene(name="room", dataset="made", room_m2=20.0, counts=counts, boxes=boxes)


def test_the_longer_side_of_the_scene_fills_the_grid() -> None:
    # Boxes reach from 0 to 10 across and from 4.5 to 5.5 up: cells of one metre, one row.
    room = scene(bed=[(0.5, 5)], desk=[(9.5, 5)], lamp=[(4.2, 5)])
    assert truth.true_map(room) == known(bed=[(0, 5)], desk=[(9, 5)], lamp=[(4, 5)])
    assert truth.true_map(room, ["bed"], grid=20) == known(20, bed=[(1, 10)])


def test_a_scene_without_objects_has_an_empty_map() -> None:
    assert truth.true_map(scene()) == known()


def test_the_true_map_does_not_depend_on_where_the_scene_lies() -> None:
    here = scene(bed=[(0.5, 1)], desk=[(7.25, 3)])
    there = scene(bed=[(100.5, -31)], desk=[(107.25, -29)])
    assert truth.true_map(here) == truth.true_map(there)


def test_distances_are_between_closest_instances() -> None:
    one = known(bed=[(0, 0), (5, 5)], desk=[(5, 8), (0, 9)])
    assert one.gap("bed", "desk") == 3.0
    assert one.gap("bed", "lamp") is None


def test_the_nearest_on_a_map() -> None:
    one = known(bed=[(0, 0)], desk=[(0, 2)], lamp=[(0, 1), (9, 9)])
    assert one.nearest("bed", ("desk", "lamp", "sofa")) == "lamp"
    assert one.nearest("bed", ("sofa",)) is None
    assert one.nearest("sofa", ("bed",)) is None


@pytest.mark.parametrize(
    ("distance", "name"),
    [
        (0.0, None),
        (0.99, None),
        (1.0, "1.0-2.1"),
        (2.0, "1.0-2.1"),
        (math.sqrt(5), "2.1-3.3"),
        (5.5, "4.4-5.5"),
        (5.51, "5.5-6.6"),
        (10.0, "8.9-10.0"),
        (10.1, None),
    ],
)
def test_bins_are_closed_above(distance: float, name: str | None) -> None:
    assert accuracy.bin_of(distance) == name


def test_the_rounded_bins_hold_the_same_distances_between_cells() -> None:
    # The paper prints 2.1, 3.3 ...: no two cells are as far apart as anything between the edges.
    printed = [1.0, 2.1, 3.3, 4.4, 5.5, 6.6, 7.8, 8.9, 10.0]
    for x, y in itertools.product(range(10), repeat=2):
        distance = math.hypot(x, y)
        inside = [
            name
            for name, low, high in zip(accuracy.BINS, printed, printed[1:], strict=False)
            if low < distance <= high or distance == low == 1.0
        ]
        assert [accuracy.bin_of(distance)] == (inside or [None])


def test_a_distance_is_right_within_one() -> None:
    true = known(bed=[(0, 0)], desk=[(3, 0)], lamp=[(0, 8)])
    own = known(bed=[(5, 5)], desk=[(5, 9)], lamp=[(7, 5)])
    found = {p.true: p.right for p in accuracy.pairs("room", own, true)}
    # Bed to desk 4 for 3, bed to lamp 2 for 8, desk to lamp sqrt(20) for sqrt(73).
    assert found == {3.0: True, 8.0: False, math.sqrt(73): False}


def test_what_the_map_lacks_is_wrong_and_stays() -> None:
    true = known(bed=[(0, 0)], desk=[(0, 2)], lamp=[(0, 4)])
    told = accuracy.figures(
        [
            *accuracy.pairs("room1", known(bed=[(0, 0)], desk=[(0, 2)]), true),
            *accuracy.pairs("room2", None, true),
        ]
    )
    every = told[-1]
    assert (every.group, every.n, every.n_unparsed) == ("", 6, 5)
    assert every.value == pytest.approx(100 / 6)
    assert [f.n for f in told[:8]] == [4, 0, 2, 0, 0, 0, 0, 0]


def test_the_true_map_is_all_right() -> None:
    true = known(bed=[(0, 0)], desk=[(0, 2)], lamp=[(9, 9)])
    assert {f.value for f in accuracy.figures(accuracy.pairs("room", true, true))} == {100.0, None}


def test_maps_of_unlike_grids_are_refused() -> None:
    with pytest.raises(ArgumentError, match="grids of 20 and 10"):
        accuracy.pairs("room", known(20), known())


def answered(row_id: int, said: str) -> Record:
    question = BENCHMARK.question(
        {
            "id": row_id,
            "dataset": "made",
            "scene_name": str(row_id),
            "question_type": "object_rel_distance",
            "question": "?",
            "ground_truth": "B",
            "options": ["A. bed", "B. desk"],
        }
    )
    scores = {score.rule: score for score in BENCHMARK.score(question, said)}
    return Record(question=question, setting="full", scores=scores)


def test_ways_of_asking_are_compared_over_the_same_questions() -> None:
    told = accuracy.compared(
        {
            "no map": [answered(1, "A"), answered(2, "B"), answered(3, "B")],
            "own map": [answered(2, "A"), answered(1, "B")],
            "true map": [answered(1, "B"), answered(2, "B")],
        },
        "official",
    )
    assert [(f.group, f.value, f.n) for f in told] == [
        ("map=no map", 50.0, 2),
        ("map=own map", 50.0, 2),
        ("map=true map", 100.0, 2),
    ]


def test_ways_of_asking_without_a_common_question_are_refused() -> None:
    with pytest.raises(ArgumentError, match="every way"):
        accuracy.compared({"no map": [answered(1, "A")], "own map": [answered(2, "A")]}, "official")


def test_published_rows_are_in_the_paper_s_bins() -> None:
    groups = {f.group for f in accuracy.figures(()) if f.group}
    assert all(set(row.values) == groups for row in accuracy.PUBLISHED)


@pytest.mark.parametrize(("mirror", "quarters"), [*itertools.product((False, True), range(4))])
def test_a_map_that_is_only_turned_is_laid_back(quarters: int, *, mirror: bool) -> None:
    true = known(bed=[(0, 1)], desk=[(7, 2), (9, 9)], lamp=[(3, 8)])
    places = {}
    for name, at in true.places.items():
        turned = [((9 - x, y) if mirror else (x, y)) for x, y in at]
        for _ in range(quarters):
            turned = [(9 - y, x) for x, y in turned]
        places[name] = tuple(turned)
    assert picture.best_turn(CognitiveMap(grid=10, places=places), true) == true


def colours(image: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> set[tuple[int, ...]]:
    return {tuple(pixel) for pixel in image.reshape(-1, 3).tolist()}


BLUE = (31, 119, 180)


def test_both_panels_show_each_category_in_its_colour() -> None:
    true = known(bed=[(0, 0)], desk=[(9, 9)])
    image = picture.draw(true, true)
    half = image.shape[1] // 2
    left, right = image[:350, :half], image[:350, half:]
    assert BLUE in colours(left)
    assert BLUE in colours(right)


def test_y_is_up() -> None:
    image = picture.draw(None, known(bed=[(0, 0)], desk=[(9, 9)]))
    rows, columns = np.nonzero((image[:350] == BLUE).all(axis=2))
    assert rows.min() > 300
    assert columns.max() < 50


def test_without_a_map_the_second_panel_is_empty() -> None:
    image = picture.draw(None, known(bed=[(4, 4)]))
    assert BLUE not in colours(image[:350, image.shape[1] // 2 :])


def test_places_off_the_grid_are_drawn_at_its_edge() -> None:
    own = known(bed=[(-50, 500)], desk=[(1e9, -1e9)])
    assert BLUE in colours(picture.draw(own, known(bed=[(0, 9)], desk=[(9, 0)]))[:350, 352:])


def test_many_categories_in_one_cell_are_drawn() -> None:
    crowd = CognitiveMap(grid=20, places={f"thing {i}": ((3.0, 3.0),) for i in range(45)})
    image = picture.draw(crowd, crowd)
    assert image.dtype == np.uint8
    assert image.shape[2] == 3


def test_every_real_scene_has_a_map_on_its_grid(shared: Path) -> None:
    for path in sorted((shared / "annotations" / "vsibench").glob("*.json")):
        for room in read_scenes(path):
            for grid in (10, 20):
                places = truth.true_map(room, grid=grid).places
                numbers = [n for at in places.values() for place in at for n in place]
                assert all(0 <= n < grid and n == int(n) for n in numbers), room.name
                assert json.dumps(sorted(places)) == json.dumps(sorted(room.boxes))
