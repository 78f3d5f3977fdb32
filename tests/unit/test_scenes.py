"""Boxes that stand askew: how far apart they are, which way one turns, and bad scene files."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from edgeval.errors import ArgumentError, DataError
from edgeval.scenes import Box, Triple, corners, gaps_m, read_scenes, turn_deg

UPRIGHT = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
UNIT: Mapping[str, object] = {
    "centroid": [0, 0, 0],
    "axesLengths": [1, 1, 1],
    "normalizedAxes": [1, 0, 0, 0, 1, 0, 0, 0, 1],
}
SCENE: Mapping[str, object] = {
    "dataset": "made",
    "room_size": 20.0,
    "object_counts": {"bed": 1},
    "object_bbox": {"bed": [UNIT]},
}


def cube(x: float, y: float = 0.0, z: float = 0.0, *, size: float = 1.0) -> Box:
    return Box(centre=(x, y, z), axes=UPRIGHT, lengths=(size, size, size))


def turned(centre: Triple, degrees: float, lengths: Triple = (1.0, 1.0, 1.0)) -> Box:
    """A box turned about the vertical."""
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return Box(centre=centre, axes=((c, s, 0.0), (-s, c, 0.0), (0.0, 0.0, 1.0)), lengths=lengths)


@pytest.mark.parametrize(
    ("a", "b", "gap"),
    [
        (cube(0), cube(3), 2.0),
        (cube(0), cube(3, 3), math.sqrt(8)),
        (cube(0), cube(3, 3, 3), math.sqrt(12)),
        (cube(0), cube(1), 0.0),
        (cube(0), cube(0.5), 0.0),
        (cube(0, size=5), cube(0.5), 0.0),
        # A corner towards a face: the turned cube reaches sqrt(2) / 2 to the left.
        (cube(0), turned((3.0, 0.0, 0.0), 45), 2.5 - math.sqrt(0.5)),
        # Two long bars across one above the other: closest inside an edge of each.
        (
            turned((0.0, 0.0, 0.0), 0, (4.0, 0.2, 0.2)),
            turned((0.0, 0.0, 1.0), 90, (4.0, 0.2, 0.2)),
            0.8,
        ),
        # Overlapping seen from every side, yet a diagonal plane lies between them.
        (turned((0.0, 0.0, 0.0), 45, (4.0, 0.2, 1.0)), cube(1.0, -1.0), math.sqrt(2) / 2 - 0.1),
    ],
)
def test_gaps_by_hand(a: Box, b: Box, gap: float) -> None:
    assert gaps_m([a, b], [b, a]) == pytest.approx([gap, gap], abs=1e-12)


def any_box(draws: np.random.Generator) -> Box:
    axes, _ = np.linalg.qr(draws.normal(size=(3, 3)))
    first, second, third = ((float(x), float(y), float(z)) for x, y, z in axes)
    x, y, z = draws.normal(size=3).tolist()
    a, b, c = draws.uniform(0.1, 1.5, size=3).tolist()
    return Box(centre=(x, y, z), axes=(first, second, third), lengths=(a, b, c))


def projected_gap(a: Box, b: Box) -> float:
    """The slow twin: project from one box to the other and back until nothing moves."""

    def nearest(box: Box, point: NDArray[np.float64]) -> NDArray[np.float64]:
        axes, half = np.array(box.axes), np.array(box.lengths) / 2
        inside: NDArray[np.float64] = np.clip(axes @ (point - box.centre), -half, half)
        return np.array(box.centre) + axes.T @ inside

    here = np.array(a.centre)
    gap = math.inf
    for _ in range(3000):
        there = nearest(b, here)
        here = nearest(a, there)
        before, gap = gap, float(np.linalg.norm(here - there))
        if before - gap < 1e-14:
            break
    return gap


def test_gaps_are_those_of_projecting_to_and_fro() -> None:
    draws = np.random.default_rng(5)
    first, second = ([any_box(draws) for _ in range(60)] for _ in range(2))
    want = [projected_gap(a, b) for a, b in zip(first, second, strict=True)]
    assert gaps_m(first, second) == pytest.approx(want, abs=1e-9)
    assert 0 in gaps_m(first, second)


def test_no_boxes_have_no_gaps() -> None:
    assert gaps_m([], []).shape == (0,)


def test_lists_of_unlike_length_are_refused() -> None:
    with pytest.raises(ArgumentError, match="2 and 1"):
        gaps_m([cube(0), cube(1)], [cube(2)])


def test_corners_are_as_far_as_half_the_diagonal() -> None:
    box = turned((1.0, 2.0, 3.0), 30, (2.0, 4.0, 6.0))
    distance = np.linalg.norm(corners(box) - box.centre, axis=1)
    assert distance == pytest.approx([math.sqrt(14)] * 8)


@pytest.mark.parametrize(
    ("x", "y", "turn"), [(1, 1, 45), (1, -1, -45), (-1, 0, 180), (-1, 1, 135), (-1, -1, -135)]
)
def test_left_of_where_one_faces_is_above_zero(x: float, y: float, turn: float) -> None:
    assert turn_deg(cube(0), cube(2), cube(x, y)) == pytest.approx(turn)


def _write(path: Path, scene: Mapping[str, object]) -> Path:
    path.write_text(json.dumps({"room1": scene}), encoding="utf-8")
    return path


def test_a_scene_is_read_whole(tmp_path: Path) -> None:
    (scene,) = read_scenes(_write(tmp_path / "meta.json", SCENE))
    assert (scene.name, scene.dataset, scene.room_m2) == ("room1", "made", 20.0)
    assert scene.boxes["bed"] == (cube(0),)


def _bed(**changed: object) -> Mapping[str, object]:
    return {**SCENE, "object_bbox": {"bed": [{**UNIT, **changed}]}}


@pytest.mark.parametrize(
    ("scene", "said"),
    [
        ({**SCENE, "room_size": 0}, "more than 0"),
        ({key: value for key, value in SCENE.items() if key != "dataset"}, "lacks 'dataset'"),
        ({**SCENE, "object_counts": ["bed"]}, "no attribute 'items'"),
        (_bed(axesLengths=[1, 0, 1]), "above 0"),
        (_bed(axesLengths=[1, math.inf, 1]), "above 0"),
        (_bed(normalizedAxes=[2, 0, 0, 0, 1, 0, 0, 0, 1]), "unit vectors"),
        (_bed(normalizedAxes=[1, 0, 0]), "3 numbers for three axes"),
        (_bed(centroid=[1, 2]), "room1"),
    ],
)
def test_a_bad_scene_is_one_sentence(
    tmp_path: Path, scene: Mapping[str, object], said: str
) -> None:
    with pytest.raises(DataError, match=said) as caught:
        read_scenes(_write(tmp_path / "meta.json", scene))
    assert "'room1'" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("text", "said"), [("{", "is not JSON"), ("[]", "no scenes")])
def test_a_file_that_holds_no_scenes_is_refused(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "meta.json").write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=said):
        read_scenes(tmp_path / "meta.json")


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        read_scenes(tmp_path / "meta.json")


def test_the_authors_scenes_load_whole(shared: Path) -> None:
    folder = shared / "annotations" / "vsibench"
    n = {
        path.name.split("_")[0]: len(read_scenes(path))
        for path in sorted(folder.glob("*_meta_info_val.json"))
    }
    assert n == {"arkitscenes": 150, "scannet": 88, "scannetpp": 50}
