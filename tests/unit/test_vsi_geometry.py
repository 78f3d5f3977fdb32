"""Questions from scene geometry: what may be asked, what is right, and how a set is dealt."""

from __future__ import annotations

import itertools
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from edgeval.benchmarks.vsibench import BENCHMARK
from edgeval.errors import ArgumentError, DataError
from edgeval.scenes import Box, Scene, gaps_m, read_scenes
from edgeval.synth import vsi_dataset
from edgeval.synth.draws import scene_draws
from edgeval.synth.vsi_geometry import Posed, posed, side_of

UPRIGHT = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
PLACES: Mapping[str, Sequence[tuple[float, float]]] = {
    "bed": [(0, 0)],
    "desk": [(4, 0)],
    "lamp": [(4, 3)],
    "sofa": [(-3, -3)],
    "tv": [(0, 6)],
    "chair": [(1.5, 0), (9, 9)],
}


def _scene(
    places: Mapping[str, Sequence[tuple[float, float]]] = PLACES,
    *,
    room_m2: float = 30.0,
    counts: Mapping[str, int] | None = None,
    name: str = "room1",
) -> Scene:
    """A room of upright boxes, 40 by 20 by 20 cm."""
    boxes = {
        kind: tuple(Box(centre=(x, y, 0.5), axes=UPRIGHT, lengths=(0.4, 0.2, 0.2)) for x, y in at)
        for kind, at in places.items()
    }
    counted = {kind: len(found) for kind, found in boxes.items()} if counts is None else counts
    return Scene(name=name, dataset="made", room_m2=room_m2, counts=counted, boxes=boxes)


def _posed(scene: Scene) -> dict[str, tuple[Posed, ...]]:
    return posed(scene, scene_draws(0, scene.name))


def test_what_there_are_several_of_is_counted() -> None:
    assert [(one.text, one.answer) for one in _posed(_scene())["object_counting"]] == [
        ("How many chair(s) are in this room?", "2")
    ]


def test_distances_are_between_closest_points_of_single_objects() -> None:
    found = {one.text: one.answer for one in _posed(_scene())["object_abs_distance"]}
    want = "Measuring from the closest point of each object, what is the distance between the bed "
    assert found[want + "and the desk (in meters)?"] == "3.6"
    assert not any("chair" in text for text in found)


def test_objects_that_all_but_touch_are_not_measured() -> None:
    near = _scene({"bed": [(0, 0)], "desk": [(0.5, 0)]})
    assert "object_abs_distance" not in _posed(near)


def test_the_longest_side_is_in_centimetres() -> None:
    sizes = _posed(_scene())["object_size_estimation"]
    assert {one.answer for one in sizes} == {"40"}
    assert len(sizes) == 5


def test_the_room_is_in_square_metres() -> None:
    assert [one.answer for one in _posed(_scene(room_m2=26.371))["room_size_estimation"]] == [
        "26.4"
    ]


def test_the_closest_of_several_instances_counts() -> None:
    asked = [
        one for one in _posed(_scene())["object_rel_distance"] if "closest to the bed" in one.text
    ]
    with_chair = [one for one in asked if "chair" in (one.answer, *one.others)]
    assert with_chair
    assert {one.answer for one in with_chair} == {"chair"}


@pytest.mark.parametrize(("room_m2", "asked"), [(40.0, True), (40.1, False)])
def test_objects_about_as_far_are_not_set_side_by_side(room_m2: float, *, asked: bool) -> None:
    # Gaps to the bed grow by 0.2 m: clear in a small room, not in one above 40 square metres.
    row = {"bed": [(0.0, 0.0)]} | {f"thing{i}": [(1.0 + 0.2 * i, 0.0)] for i in range(4)}
    found = _posed(_scene(row, room_m2=room_m2)).get("object_rel_distance", ())
    assert any("closest to the bed" in one.text for one in found) is asked


@pytest.mark.parametrize(
    ("turn", "easy", "medium", "hard"),
    [
        (45, "left", "left", "front-left"),
        (-45, "right", "right", "front-right"),
        (120, None, "left", "back-left"),
        (-120, None, "right", "back-right"),
        (150, None, "back", "back-left"),
        (-179, None, "back", None),
        (5, None, None, None),
        (95, None, "left", None),
        (130, None, None, "back-left"),
        (10, "left", "left", "front-left"),
    ],
)
def test_sides_and_their_margins(
    turn: float, easy: str | None, medium: str | None, hard: str | None
) -> None:
    kinds = [f"object_rel_direction_{level}" for level in ("easy", "medium", "hard")]
    assert [side_of(kind, turn) for kind in kinds] == [easy, medium, hard]


def test_directions_by_hand() -> None:
    hard = {
        one.text.split("\n")[0]: one.answer for one in _posed(_scene())["object_rel_direction_hard"]
    }
    facing = "If I am standing by the bed and facing the desk, is the {} to my front-left, "
    ending = "front-right, back-left, or back-right?"
    assert hard[facing.format("lamp") + ending] == "front-left"
    assert hard[facing.format("sofa") + ending] == "back-right"


def test_objects_too_near_to_tell_a_direction_are_left_alone() -> None:
    near = _scene({"bed": [(0, 0)], "desk": [(0.4, 0)], "lamp": [(3, 3)]})
    assert not any("direction" in kind for kind in _posed(near))


def test_a_category_whose_boxes_are_not_all_there_is_left_alone() -> None:
    counts = {kind: len(at) for kind, at in PLACES.items()} | {"bed": 2, "chair": 3}
    told = json.dumps(
        [
            (one.text, one.others)
            for found in _posed(_scene(counts=counts)).values()
            for one in found
        ]
    )
    assert "desk" in told
    assert "bed" not in told
    assert "chair" not in told


def _rows(n: int, seed: int = 0) -> list[dict[str, object]]:
    return vsi_dataset.questions([_scene(name=f"room{i}") for i in range(n)], seed=seed)


def test_the_same_seed_gives_the_same_questions() -> None:
    assert _rows(3) == _rows(3)
    assert _rows(3) != _rows(3, seed=1)


def test_no_more_of_a_type_than_said() -> None:
    counts = Counter((row["scene_name"], row["question_type"]) for row in _rows(4))
    assert all(n <= vsi_dataset.MOST[str(kind)] for (_, kind), n in counts.items())


def test_right_letters_and_sides_come_equally_often() -> None:
    rows = [row for row in _rows(48) if "direction" in str(row["question_type"])]
    for kind, n_sides in (("easy", 2), ("medium", 3), ("hard", 4)):
        of_kind = [row for row in rows if str(row["question_type"]).endswith(kind)]
        letters = Counter(str(row["ground_truth"]) for row in of_kind)
        sides = Counter(_right(row) for row in of_kind)
        for dealt in (letters, sides):
            assert len(dealt) == n_sides
            assert max(dealt.values()) - min(dealt.values()) <= 1


def _right(row: Mapping[str, object]) -> str:
    options = row["options"]
    assert isinstance(options, list)
    (right,) = (o for o in options if o.startswith(f"{row['ground_truth']}. "))
    return str(right).partition(" ")[2]


def _write(folder: Path, name: str = "meta.json") -> Path:
    """One scene of two beds and a desk, as a meta file."""
    unit = {"axesLengths": [1, 1, 1], "normalizedAxes": [1, 0, 0, 0, 1, 0, 0, 0, 1]}
    scene = {
        "dataset": "made",
        "room_size": 12.0,
        "object_counts": {"bed": 2, "desk": 1},
        "object_bbox": {
            "bed": [{**unit, "centroid": [0, 0, 0]}, {**unit, "centroid": [3, 0, 0]}],
            "desk": [{**unit, "centroid": [0, 3, 0]}],
        },
    }
    (folder / name).write_text(json.dumps({"room1": scene}), encoding="utf-8")
    return folder / name


def test_what_is_written_loads_as_vsibench(tmp_path: Path) -> None:
    written = vsi_dataset.write(tmp_path / "out", [_write(tmp_path)])
    (clip,) = BENCHMARK.clips(tmp_path / "out", ("full",), ())
    assert clip.video == tmp_path / "out/made/room1.mp4"
    assert Counter(q.tags["question_type"] for q in clip.questions) == written.counts
    assert written.counts["object_counting"] == 1


def test_how_it_was_made_stands_beside(tmp_path: Path) -> None:
    vsi_dataset.write(tmp_path / "out", [_write(tmp_path)], seed=7)
    made = json.loads((tmp_path / "out/made.json").read_text(encoding="utf-8"))
    assert made["seed"] == 7
    assert set(made["margins"]) == {"published", "ours"}


def test_bad_orders_are_refused(tmp_path: Path) -> None:
    meta = _write(tmp_path)
    with pytest.raises(ArgumentError, match="not an empty folder"):
        vsi_dataset.write(tmp_path, [meta])
    with pytest.raises(ArgumentError, match="0 files"):
        vsi_dataset.write(tmp_path / "out", [])
    with pytest.raises(DataError, match="made/room1 twice"):
        vsi_dataset.write(tmp_path / "out", [meta, _write(tmp_path, "again.json")])
    assert not (tmp_path / "out").exists()


@pytest.fixture(scope="module")
def real(shared: Path) -> tuple[dict[str, Scene], list[dict[str, object]]]:
    """The authors' 288 scenes by name, and questions about them."""
    files = sorted((shared / "annotations" / "vsibench").glob("*.json"))
    scenes = [scene for path in files for scene in read_scenes(path)]
    return {scene.name: scene for scene in scenes}, vsi_dataset.questions(scenes, seed=0)


def test_every_real_scene_is_asked_about(
    real: tuple[dict[str, Scene], list[dict[str, object]]],
) -> None:
    scenes, rows = real
    assert {row["scene_name"] for row in rows} == set(scenes)
    assert {row["question_type"] for row in rows} == set(vsi_dataset.MOST)


def test_every_real_choice_holds_against_the_scene(
    real: tuple[dict[str, Scene], list[dict[str, object]]],
) -> None:
    scenes, rows = real
    asked = [row for row in rows if row["question_type"] == "object_rel_distance"]
    assert asked
    for row in asked:
        boxes = scenes[str(row["scene_name"])].boxes
        options = row["options"]
        assert isinstance(options, list)
        kinds = [str(option).partition(" ")[2] for option in options]
        found = re.fullmatch(r".*\((.*)\) is the closest to the (.*)\?", str(row["question"]))
        assert found
        assert found.group(1) == ", ".join(kinds)
        anchor = boxes[found.group(2)][0]
        gaps = [min(gaps_m([anchor] * len(boxes[k]), boxes[k])) for k in kinds]
        assert kinds[gaps.index(min(gaps))] == _right(row)
        margin = 0.3 if scenes[str(row["scene_name"])].room_m2 > 40 else 0.15
        assert all(abs(a - b) >= margin for a, b in itertools.combinations(gaps, 2))


def test_every_real_hard_direction_holds_against_the_scene(
    real: tuple[dict[str, Scene], list[dict[str, object]]],
) -> None:
    scenes, rows = real
    shape = re.compile(r"If I am standing by the (.*) and facing the (.*), is the (.*) to my f.*")
    asked = [row for row in rows if row["question_type"] == "object_rel_direction_hard"]
    assert asked
    for row in asked:
        found = shape.fullmatch(str(row["question"]).split("\n")[0])
        assert found
        boxes = scenes[str(row["scene_name"])].boxes
        here, facing, there = (complex(*boxes[kind][0].ground) for kind in found.groups())
        # Seen from here with the one faced straight ahead on the real axis.
        seen = (there - here) / (facing - here)
        side = ("front" if seen.real > 0 else "back") + ("-left" if seen.imag > 0 else "-right")
        assert side == _right(row)
