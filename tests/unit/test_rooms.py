"""Rooms: furnished, toured a thing at a time, seen as they are, and asked about."""

from __future__ import annotations

import itertools
import json
import math
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edgeval import frames
from edgeval.errors import ArgumentError
from edgeval.scenes import Box, Scene, gaps_m, read_scenes
from edgeval.synth import rooms, rooms_dataset, rooms_questions, rooms_view
from edgeval.synth.draws import scene_draws
from edgeval.synth.furniture import PARTS
from edgeval.synth.rooms import KINDS, Room, Shot
from edgeval.types import FrameRule, VideoInfo

SEEDS = range(12)


def cube(x: float, y: float, side: float = 0.5) -> Box:
    axes = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
    return Box(centre=(x, y, side / 2), axes=axes, lengths=(side, side, side))


def room_of(*, width: float = 8, depth: float = 6, **boxes: tuple[Box, ...]) -> Room:
    tour = tuple(
        Shot(kind=kind, number=i) for kind, held in boxes.items() for i in range(len(held))
    )
    return Room(seed=0, width=width, depth=depth, boxes=boxes, tour=tour)


def every_box(room: Room) -> list[Box]:
    return [box for held in room.boxes.values() for box in held]


@pytest.mark.parametrize("seed", SEEDS)
def test_things_stand_apart_and_inside(seed: int) -> None:
    room = rooms.make(seed)
    pairs = list(itertools.combinations(every_box(room), 2))
    assert gaps_m([a for a, _ in pairs], [b for _, b in pairs]).min() > 0.099
    for row in rooms.meta(room)["object_bbox"].values():  # type: ignore[attr-defined]
        for box in row:
            assert min(box["min"]) >= -1e-9
            assert box["max"][0] <= room.width
            assert box["max"][1] <= room.depth


@pytest.mark.parametrize("seed", SEEDS)
def test_the_camera_stands_in_the_room_with_nothing_before_what_it_looks_at(seed: int) -> None:
    room = rooms.make(seed)
    for shot, share in itertools.product(room.tour, (0.0, 1.0)):
        seen = room.box(shot)
        at = rooms.pose(seen, share)
        assert 0 < at.x < room.width
        assert 0 < at.y < room.depth
        for box in every_box(room):
            free = rooms.from_line(box.ground, (at.x, at.y), seen.ground)
            assert box is seen or free > math.hypot(*box.lengths[:2]) / 2, shot


@pytest.mark.parametrize("share", [0.0, 0.4, 1.0])
def test_the_camera_keeps_its_distance_and_looks_at_the_thing(share: float) -> None:
    for box in every_box(rooms.make(3)):
        at = rooms.pose(box, share)
        way = (box.ground[0] - at.x, box.ground[1] - at.y)
        ahead = (math.cos(math.radians(at.yaw_deg)), math.sin(math.radians(at.yaw_deg)))
        far = way[0] * ahead[0] + way[1] * ahead[1]
        aside = way[0] * ahead[1] - way[1] * ahead[0]
        assert far - box.lengths[1] / 2 == pytest.approx(rooms.STANDOFF_M)
        assert abs(aside) <= rooms.SWAY_M + 1e-9


@pytest.mark.parametrize("seed", SEEDS)
def test_a_tour_is_a_shot_of_each_thing_and_never_of_more_than_sixteen(seed: int) -> None:
    room = rooms.make(seed)
    shots = Counter((shot.kind, shot.number) for shot in room.tour)
    things = {(kind, i) for kind, held in room.boxes.items() for i in range(len(held))}
    assert set(shots) == things
    assert set(shots.values()) == {1}
    assert 10 <= len(room.tour) <= 16


@pytest.mark.parametrize("n_shots", range(10, 17))
@pytest.mark.parametrize(
    "rule",
    [
        FrameRule(how="smolvlm", fps=2.0, max_n=16),
        FrameRule(how="linspace_floor", n=16),
        FrameRule(how="segment_centres", n=16),
    ],
    ids=lambda rule: rule.how,
)
def test_sixteen_frames_show_every_shot(n_shots: int, rule: FrameRule) -> None:
    assert shots_seen(n_shots, rule) == set(range(n_shots))


def test_eight_frames_do_not() -> None:
    rule = FrameRule(how="smolvlm", fps=2.0, max_n=8)
    assert len(shots_seen(16, rule)) == len(shots_seen(10, rule)) == 8


def test_all_tours_are_of_one_length_and_their_shots_too() -> None:
    """A film's length, which a prompt may tell, says nothing of how many things there are."""
    for n_shots in range(10, 17):
        shots = tuple(Shot(kind="chair", number=number) for number in range(n_shots))
        room = replace(rooms.make(0), tour=shots)
        moments = [room.moment(i, 64) for i in range(64)]
        counts = Counter(shot.number for shot, _ in moments)
        assert set(counts) == set(range(n_shots))
        assert max(counts.values()) - min(counts.values()) <= 1
        assert all(0 <= share < 1 for _, share in moments)


def shots_seen(n_shots: int, rule: FrameRule) -> set[int]:
    shots = tuple(Shot(kind="chair", number=number) for number in range(n_shots))
    room = replace(rooms.make(0), tour=shots)
    n_frames = rooms_dataset.N_FRAMES
    info = VideoInfo(
        path=Path("tour.mp4"),
        n_frames=n_frames,
        fps=rooms_dataset.FPS,
        duration_s=n_frames / rooms_dataset.FPS,
        width=rooms_dataset.SIDE,
        height=rooms_dataset.SIDE,
        rotation_deg=0,
        pix_fmt="yuv420p",
        codec="h264",
        pts_s=np.arange(n_frames) / rooms_dataset.FPS,
    )
    chosen = frames.plan(info, rule).indices
    return {room.moment(index, n_frames)[0].number for index in chosen}


def test_the_order_of_a_tour_says_nothing_of_place_or_name() -> None:
    made = [rooms.make(seed) for seed in range(200)]
    ends = {0: [], -1: []}  # type: ignore[var-annotated]
    turns: dict[str, list[float]] = {}
    for room in made:
        for end, held in ends.items():
            box = room.box(room.tour[end])
            held += [box.ground[0] / room.width, box.ground[1] / room.depth]
        for at, shot in enumerate(room.tour):
            turns.setdefault(shot.kind, []).append(at / (len(room.tour) - 1))
    means = [sum(held) / len(held) for held in (*ends.values(), *turns.values())]
    assert len(means) == 2 + len(KINDS)
    assert min(means) > 0.42
    assert max(means) < 0.58


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


def seen(room: Room, kind: str, number: int = 0, *, side: int = 192) -> rooms_view.Sight:
    return rooms_view.see(room, Shot(kind=kind, number=number), share=0.5, side=side)


@pytest.mark.parametrize("seed", range(4))
def test_a_shot_shows_its_thing_and_what_no_other_is(seed: int) -> None:
    """Also at the size that a small model sees; the thing is in the left half."""
    room = rooms.make(seed)
    for shot in room.tour:
        kinds = seen(room, shot.kind, shot.number, side=64).kinds
        number = list(room.boxes).index(shot.kind)
        assert set(np.unique(kinds)) == {rooms_view.NOTHING, number}
        rows, columns = np.nonzero(kinds == number)
        assert len(rows) > 20
        assert columns.max() <= 36


def test_other_things_stand_under_sheets() -> None:
    """What they are called changes nothing in the picture."""
    places = [(cube(4, 3),), (cube(4.5, 4.2, 0.8),), (cube(3, 5, 0.4),)]
    room = room_of(bed=places[0], lamp=places[1], sofa=places[2])
    other = room_of(bed=places[0], stove=places[1], tv=places[2])
    assert (seen(room, "bed").image == seen(other, "bed").image).all()
    assert (seen(room, "bed").image != seen(room_of(bed=places[0]), "bed").image).any()


@pytest.mark.parametrize("metres", [0.3, 0.6, 1.0])
def test_a_thing_is_as_wide_in_the_picture_wherever_it_stands(metres: float) -> None:
    side = 320
    widths = []
    for place in ((2, 3), (6, 5)):
        kinds = seen(room_of(stool=(cube(*place, metres),)), "stool", side=side).kinds
        columns = np.nonzero((kinds == 0).any(axis=0))[0]
        widths.append(int(np.ptp(columns)) + 1)
    assert widths[0] == widths[1]
    # The camera looks down a little, on a plane through its middle.
    assert widths[0] == pytest.approx(rooms_view.ZOOM * side * metres / rooms.STANDOFF_M, rel=0.1)


def test_a_taller_thing_reaches_higher() -> None:
    tops = []
    for height in (0.4, 0.8, 1.2):
        box = Box(centre=(4, 3, height / 2), axes=cube(0, 0).axes, lengths=(0.5, 0.5, height))
        kinds = seen(room_of(refrigerator=(box,)), "refrigerator").kinds
        tops.append(int(np.nonzero(kinds == 0)[0].min()))
    assert tops == sorted(tops, reverse=True)
    assert tops[0] - tops[2] > 40


def test_the_left_of_a_thing_is_left_in_the_picture() -> None:
    """Its first axis leads to the right of one who stands before it."""
    room = room_of(tv=(cube(4, 3),), bed=(cube(4.8, 4.5, 0.6),))
    shown = seen(room, "tv").image.astype(int)
    bare = seen(room_of(tv=(cube(4, 3),)), "tv").image.astype(int)
    columns = np.nonzero(np.abs(shown - bare).sum(axis=(0, 2)))[0]
    assert columns.min() > rooms_view.MIDDLE * 192


def centre_of(plan: np.ndarray, paint: str) -> tuple[float, float]:
    """Metres from the lower left corner of the plan."""
    red, green, _ = np.moveaxis(plan.astype(int), 2, 0)
    held = (red > 200) & (green < 100) if paint == "red" else (green > 200) & (red < 100)
    rows, columns = np.nonzero(held)
    scale = rooms_view.PLAN_SCALE * 2 * len(plan)
    return (columns.mean() + 0.5) / scale, (len(plan) - rows.mean() - 0.5) / scale


@pytest.mark.parametrize("place", [(1.0, 1.0), (3.3, 4.1), (6.5, 2.25)])
@pytest.mark.parametrize("room", [(8.0, 6.0), (7.0, 5.0)])
def test_the_plan_tells_where_a_thing_stands_in_metres(
    place: tuple[float, float], room: tuple[float, float]
) -> None:
    made = room_of(width=room[0], depth=room[1], chair=(cube(*place),))
    plan = seen(made, "chair").image[96:, 96:]
    assert centre_of(plan, "red") == pytest.approx(place, abs=0.06)


def test_the_plan_tells_where_others_of_the_kind_stand() -> None:
    room = room_of(chair=(cube(1, 1), cube(5, 4)), bed=(cube(3, 2),))
    assert centre_of(seen(room, "chair", 0).image[96:, 96:], "green") == pytest.approx(
        (5, 4), abs=0.06
    )
    assert centre_of(seen(room, "chair", 1).image[96:, 96:], "green") == pytest.approx(
        (1, 1), abs=0.06
    )
    plan = seen(room, "bed").image[96:, 96:].astype(int)
    assert not ((plan[..., 1] > 200) & (plan[..., 0] < 100)).any()


@pytest.mark.parametrize("size", [(4.0, 4.4), (8.9, 7.1), (6.0, 5.0)])
def test_the_plan_tells_how_large_a_room_is(size: tuple[float, float]) -> None:
    room = room_of(width=size[0], depth=size[1], chair=(cube(2, 2),))
    plan = seen(room, "chair", side=640).image[320:, 320:].astype(int)
    inside = plan.sum(axis=2) > 100
    square_metres = inside.sum() / (rooms_view.PLAN_SCALE * 640) ** 2
    assert square_metres == pytest.approx(size[0] * size[1], rel=0.02)


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


def test_the_order_asked_for_is_that_of_the_tour() -> None:
    room = rooms.make(2)
    firsts = list(dict.fromkeys(shot.kind for shot in room.tour))
    asked = [
        row
        for row in rooms_dataset.questions([room], seed=2)
        if row["question_type"] == "obj_appearance_order"
    ]
    assert len(asked) == 2
    for row in asked:
        right = row["options"]["ABCD".index(str(row["ground_truth"]))][3:].split(", ")  # type: ignore[index]
        assert right == sorted(right, key=firsts.index)


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
