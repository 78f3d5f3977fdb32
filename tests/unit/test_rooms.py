"""Rooms: furnished and walked through without touching, seen as they are, and asked about."""

from __future__ import annotations

import itertools
import json
import math
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from edgeval.errors import ArgumentError
from edgeval.scenes import Box, Scene, gaps_m, read_scenes
from edgeval.synth import rooms, rooms_dataset, rooms_questions, rooms_view
from edgeval.synth.draws import scene_draws
from edgeval.synth.furniture import PARTS
from edgeval.synth.rooms import KINDS, Pose, Room

SEEDS = range(12)


def cube(x: float, y: float, side: float = 0.5) -> Box:
    axes = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
    return Box(centre=(x, y, side / 2), axes=axes, lengths=(side, side, side))


def room_of(**boxes: tuple[Box, ...]) -> Room:
    return Room(
        seed=0, width=8, depth=6, boxes=boxes, stops=((1, 1), (2, 1)), yaw_deg=0, turn_deg=0
    )


@pytest.mark.parametrize("seed", SEEDS)
def test_things_stand_apart_and_inside(seed: int) -> None:
    room = rooms.make(seed)
    boxes = [box for held in room.boxes.values() for box in held]
    pairs = list(itertools.combinations(boxes, 2))
    assert gaps_m([a for a, _ in pairs], [b for _, b in pairs]).min() > 0.1
    for row in rooms.meta(room)["object_bbox"].values():  # type: ignore[attr-defined]
        for box in row:
            assert min(box["min"]) >= -1e-9
            assert box["max"][0] <= room.width
            assert box["max"][1] <= room.depth


@pytest.mark.parametrize("seed", SEEDS)
def test_the_camera_walks_into_nothing(seed: int) -> None:
    room = rooms.make(seed)
    boxes = [box for held in room.boxes.values() for box in held]
    for pose in room.poses(60):
        ways = [math.dist((pose.x, pose.y), box.ground) for box in boxes]
        reach = [math.hypot(*box.lengths[:2]) / 2 for box in boxes]
        assert all(way > far + 0.3 for way, far in zip(ways, reach, strict=True))


def test_names_are_dealt_without_regard_to_size() -> None:
    """Over many rooms each kind is as large as any other."""
    sizes: dict[str, list[float]] = {}
    for seed in range(120):
        for kind, boxes in rooms.make(seed).boxes.items():
            sizes.setdefault(kind, []).append(max(boxes[0].lengths))
    means = {kind: sum(held) / len(held) for kind, held in sizes.items()}
    assert set(means) == set(KINDS) == set(PARTS)
    assert max(means.values()) - min(means.values()) < 0.3


def test_a_negative_seed_is_refused() -> None:
    with pytest.raises(ArgumentError, match="wants 0 or more"):
        rooms.make(-1)


def test_what_is_ahead_is_in_the_middle_and_what_is_behind_is_not_seen() -> None:
    room = room_of(bed=(cube(4, 3),), sofa=(cube(1, 3),))
    seen = rooms_view.see(room, Pose(x=2.5, y=3, yaw_deg=0), width=64, height=48).kinds
    rows, columns = np.nonzero(seen == 0)
    assert (abs(columns.mean() - 31.5) < 1, len(rows) > 50) == (True, True)
    assert not (seen == 1).any()


def test_the_nearer_thing_hides_the_farther() -> None:
    room = room_of(refrigerator=(cube(4, 3, 1.2),), sofa=(cube(6, 3, 0.5),))
    seen = rooms_view.see(room, Pose(x=2.5, y=3, yaw_deg=0), width=64, height=48).kinds
    assert set(np.unique(seen)) == {rooms_view.NOTHING, 0}


def test_what_lies_to_the_left_is_left_in_the_picture() -> None:
    room = room_of(bed=(cube(4, 4),), sofa=(cube(4, 2),))
    seen = rooms_view.see(room, Pose(x=2, y=3, yaw_deg=0), width=64, height=48).kinds
    left, right = (np.nonzero(seen == kind)[1].mean() for kind in (0, 1))
    assert left < 32 < right


def test_a_thing_fills_as_much_as_its_size_and_distance_say() -> None:
    room = room_of(stool=(cube(5, 3, 1.0),))
    pose = Pose(x=2, y=3, yaw_deg=0)
    seen = rooms_view.see(room, pose, width=320, height=240).kinds
    columns = np.nonzero((seen == 0).any(axis=0))[0]
    # The near face is 2.5 m ahead; the camera looks down a little, on a plane through its middle.
    wide_px = 160 / math.tan(math.radians(rooms_view.SIGHT_DEG / 2)) / 2.5
    assert abs(np.ptp(columns) - wide_px) / wide_px < 0.1


KINDS4 = ("bed", "chair", "lamp", "sofa")


def orders(first: tuple[int, ...], sliver: tuple[int, ...]) -> list[str]:
    shares = np.zeros((20, 4))
    for kind, (clear, thin) in enumerate(zip(first, sliver, strict=True)):
        shares[thin:, kind] = rooms_questions.SLIVER_SHARE
        shares[clear:, kind] = rooms_questions.SEEN_SHARE
    draws = scene_draws(0, "x")
    return [one.answer for one in rooms_questions.appearances(KINDS4, shares, fps=4, draws=draws)]


def test_the_order_is_that_of_the_first_sight() -> None:
    assert orders((12, 0, 4, 8), (11, 0, 3, 7)) == ["chair, lamp, sofa, bed"]


@pytest.mark.parametrize(
    ("first", "sliver"),
    [
        pytest.param((12, 0, 2, 8), (12, 0, 2, 8), id="two at about the same time"),
        pytest.param((12, 0, 4, 8), (1, 0, 4, 8), id="a sliver of one came sooner"),
    ],
)
def test_an_order_in_doubt_is_not_asked(first: tuple[int, ...], sliver: tuple[int, ...]) -> None:
    assert not orders(first, sliver)


@pytest.mark.parametrize(
    ("third", "turn"),
    [
        ((2.0, 2.0), "Turn Left"),
        ((2.0, -2.0), "Turn Right"),
        ((0.1, 0.1), "Turn Back"),
        ((4.0, 0.2), None),
        ((3.7, 1.7), None),
    ],
)
def test_turns_are_those_of_one_who_walks(third: tuple[float, float], turn: str | None) -> None:
    assert rooms_questions.turned(cube(0, 0), cube(2, 0), cube(*third)) == turn


def _scene(**places: tuple[float, float]) -> Scene:
    boxes = {kind: (cube(*place),) for kind, place in places.items()}
    counts = dict.fromkeys(boxes, 1)
    return Scene(name="s", dataset="rooms", room_m2=20, counts=counts, boxes=boxes)


def test_a_route_is_told_as_the_benchmark_tells_it() -> None:
    (found,) = (
        one
        for one in rooms_questions.routes(_scene(bed=(0, 0), sofa=(2, 0), tv=(2, 2)))
        if one.text.startswith("You are a robot beginning at the bed and facing the sofa")
    )
    assert found.answer == "Turn Left"
    assert found.text.endswith(
        "1. Go forward until the sofa. 2. [please fill in] 3. Go forward until the tv. You have "
        "reached the final destination."
    )
    assert set(found.others) == {"Turn Right", "Turn Back"}


def test_no_route_leads_through_a_thing() -> None:
    scene = _scene(bed=(0, 0), lamp=(1, 0), sofa=(2, 0), tv=(2, 2))
    texts = [one.text for one in rooms_questions.routes(scene)]
    assert texts
    assert not [text for text in texts if "at the bed and facing the sofa" in text]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data") / "rooms"
    rooms_dataset.write(folder, n_rooms=1, seed0=5)
    return folder


def test_the_meta_file_is_the_room(made: Path) -> None:
    (scene,) = read_scenes(made / "rooms_meta_info_val.json")
    assert scene == rooms.make(5).scene


def test_a_room_takes_less_than_a_hundred_kilobytes(made: Path) -> None:
    assert sum(path.stat().st_size for path in made.rglob("*") if path.is_file()) < 100_000


def test_types_come_as_often_as_wanted(made: Path) -> None:
    rows = [json.loads(line) for line in (made / "test.jsonl").read_text("utf-8").splitlines()]
    counts = Counter(row["question_type"] for row in rows)
    assert all(n <= rooms_dataset.MOST[kind] for kind, n in counts.items())
    assert counts["obj_appearance_order"] == counts["route_planning"] == 2


def test_the_same_seed_writes_the_same_bytes(made: Path, tmp_path: Path) -> None:
    rooms_dataset.write(tmp_path / "again", n_rooms=1, seed0=5)
    for path in made.rglob("*.*"):
        again = tmp_path / "again" / path.relative_to(made)
        assert again.read_bytes() == path.read_bytes(), path


def test_a_folder_in_use_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep")
    with pytest.raises(ArgumentError, match="not an empty folder"):
        rooms_dataset.write(tmp_path, n_rooms=1)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize("wrong", [{"n_rooms": 0}, {"seed0": -1}])
def test_a_senseless_number_is_refused(wrong: dict[str, int], tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match="wants n_rooms >= 1, seed0 >= 0"):
        rooms_dataset.write(tmp_path / "new", **wrong)
