"""Rooms as geometry: where their objects stand, how large they are, how far apart.

Source of the layout read: data/meta_info of vision-x-nyu/thinking-in-space@51e089c3. Metres, z up.
"""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeval.errors import ArgumentError, DataError

Triple = tuple[float, float, float]
Array = NDArray[np.float64]

# Pairs of boxes measured at once: 144 edges each, so some 10 MB a temporary array.
_AT_ONCE = 1024
_PARALLEL = 1e-12
# An axis of the data is of unit length and square to the others to 1e-14.
_SQUARE = 1e-6
_SIGNS = np.array(list(itertools.product((-0.5, 0.5), repeat=3)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A box that may stand askew: its centre, its three unit axes, its length along each (metres).

    Raises ArgumentError for lengths that are not above 0 and axes that are not square.
    """

    centre: Triple
    axes: tuple[Triple, Triple, Triple]
    lengths: Triple

    def __post_init__(self) -> None:
        """Check what no arithmetic below survives."""
        numbers = (*self.centre, *self.lengths, *itertools.chain(*self.axes))
        if not all(map(math.isfinite, numbers)) or min(self.lengths) <= 0:
            raise ArgumentError(f"box: got lengths {self.lengths}; wants finite numbers above 0")
        axes = np.array(self.axes)
        if np.abs(axes @ axes.T - np.eye(3)).max() > _SQUARE:
            raise ArgumentError("box: got axes that are not unit vectors square to each other")

    @property
    def ground(self) -> tuple[float, float]:
        """Where it stands, seen from above."""
        return self.centre[0], self.centre[1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """One room, or several filmed at once. ``counts`` may differ from the boxes at hand."""

    name: str
    dataset: str
    room_m2: float
    counts: Mapping[str, int]
    boxes: Mapping[str, tuple[Box, ...]]


def read_scenes(path: Path) -> tuple[Scene, ...]:
    """The scenes of a meta file, in file order. DataError names the scene and what is wrong."""
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from error
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path}: is not JSON ({error}); get the file again") from error
    if not isinstance(rows, dict) or not rows:
        raise DataError(f"{path}: got no scenes; wants an object with one scene per name")
    return tuple(_scene(path, name, row) for name, row in rows.items())


def _scene(path: Path, name: str, row: object) -> Scene:
    try:
        if not isinstance(row, dict):
            raise TypeError(f"got {type(row).__name__} for a scene")
        scene = Scene(
            name=name,
            dataset=str(row["dataset"]),
            room_m2=float(row["room_size"]),
            counts={str(kind): int(n) for kind, n in row["object_counts"].items()},
            boxes={
                str(kind): tuple(_box(box) for box in boxes)
                for kind, boxes in row["object_bbox"].items()
            },
        )
    except (ArgumentError, AttributeError, KeyError, TypeError, ValueError) as error:
        said = f"lacks {error}" if isinstance(error, KeyError) else str(error)
        raise DataError(
            f"{path}: scene {name!r}: {said}; wants dataset, room_size, object_counts and "
            "object_bbox as VSI-Bench's meta files have them"
        ) from error
    if not (math.isfinite(scene.room_m2) and scene.room_m2 > 0):
        raise DataError(f"{path}: scene {name!r}: got {scene.room_m2} m2; wants more than 0")
    return scene


def _box(row: Mapping[str, Sequence[float]]) -> Box:
    flat = [float(number) for number in row["normalizedAxes"]]
    if len(flat) != 9:
        raise ValueError(f"got {len(flat)} numbers for three axes")
    first, second, third = (_triple(flat[i : i + 3]) for i in (0, 3, 6))
    return Box(
        centre=_triple(row["centroid"]),
        axes=(first, second, third),
        lengths=_triple(row["axesLengths"]),
    )


def _triple(numbers: Sequence[float]) -> Triple:
    x, y, z = (float(number) for number in numbers)
    return x, y, z


def corners(box: Box) -> Array:
    """Its eight corners in metres, float64 [8, 3]."""
    found: Array = np.array(box.centre) + (_SIGNS * box.lengths) @ np.array(box.axes)
    return found


def gaps_m(first: Sequence[Box], second: Sequence[Box]) -> Array:
    """Distance in metres between the closest points of each pair of boxes, 0 where they touch.

    Float64 [n], one per place in both lists. Exact: two boxes apart are closest at a corner of one
    of them or between two edges. (VSI-Bench sampled points in the boxes, which gives a bit more.)
    Source: C. Ericson, Real-Time Collision Detection, 2005, 4.4 and 5.1.
    """
    if len(first) != len(second):
        raise ArgumentError(f"gaps: got {len(first)} and {len(second)} boxes; wants as many")
    parts = [
        _gaps(_Stack.of(first[i : i + _AT_ONCE]), _Stack.of(second[i : i + _AT_ONCE]))
        for i in range(0, len(first), _AT_ONCE)
    ]
    return np.concatenate([np.zeros(0), *parts])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stack:
    """Boxes as arrays: centre, half lengths [n, 3], axes [n, 3, 3], corners [n, 8, 3]."""

    centre: Array
    axes: Array
    half: Array
    corners: Array

    @classmethod
    def of(cls, boxes: Sequence[Box]) -> _Stack:
        return cls(
            centre=np.array([box.centre for box in boxes]),
            axes=np.array([box.axes for box in boxes]),
            half=np.array([box.lengths for box in boxes]) / 2,
            corners=np.array([corners(box) for box in boxes]),
        )


def _gaps(a: _Stack, b: _Stack) -> Array:
    found = np.minimum(np.minimum(_to_corners(a, b), _to_corners(b, a)), _between_edges(a, b))
    return np.where(_apart(a, b), found, 0.0)


def _to_corners(box: _Stack, other: _Stack) -> Array:
    """From each box to the closest corner of the other."""
    local = np.einsum("nki,nji->nkj", other.corners - box.centre[:, None], box.axes)
    outside = np.maximum(np.abs(local) - box.half[:, None], 0)
    closest: Array = np.sqrt((outside**2).sum(axis=2)).min(axis=1)
    return closest


def _between_edges(a: _Stack, b: _Stack) -> Array:
    """Between the closest two edges whose nearest points lie inside both; infinite without any."""
    start_a, way_a = _edges(a)
    start_b, way_b = _edges(b)
    d1, d2 = way_a[:, :, None], way_b[:, None]
    between = start_a[:, :, None] - start_b[:, None]
    a11, a22, a12 = (d1 * d1).sum(-1), (d2 * d2).sum(-1), (d1 * d2).sum(-1)
    c1, c2 = (d1 * between).sum(-1), (d2 * between).sum(-1)
    det = a11 * a22 - a12 * a12
    # Parallel edges are as close at a corner.
    crossing = det > _PARALLEL * a11 * a22
    safe = np.where(crossing, det, 1.0)
    s, t = (a12 * c2 - c1 * a22) / safe, (a11 * c2 - a12 * c1) / safe
    inner = crossing & (s >= 0) & (s <= 1) & (t >= 0) & (t <= 1)
    distance = np.sqrt(((between + s[..., None] * d1 - t[..., None] * d2) ** 2).sum(-1))
    closest: Array = np.where(inner, distance, np.inf).min(axis=(1, 2))
    return closest


def _edges(boxes: _Stack) -> tuple[Array, Array]:
    """Start and way of the twelve edges of each box, [n, 12, 3] each."""
    pairs = [
        (i, j)
        for i, j in itertools.combinations(range(8), 2)
        if np.count_nonzero(_SIGNS[i] != _SIGNS[j]) == 1
    ]
    starts, ends = (boxes.corners[:, [pair[k] for pair in pairs]] for k in (0, 1))
    return starts, ends - starts


def _apart(a: _Stack, b: _Stack) -> NDArray[np.bool_]:
    """Whether a plane separates the boxes of each pair: one of 15 normals does, or none."""
    crossed = np.cross(a.axes[:, :, None], b.axes[:, None]).reshape(-1, 9, 3)
    normals = np.concatenate([a.axes, b.axes, crossed], axis=1)
    reach = _reach(a, normals) + _reach(b, normals)
    distance = np.abs(np.einsum("nki,ni->nk", normals, b.centre - a.centre))
    separated: NDArray[np.bool_] = (distance > reach).any(axis=1)
    return separated


def _reach(boxes: _Stack, normals: Array) -> Array:
    """How far each box reaches from its centre along each normal."""
    along = np.abs(np.einsum("nki,nji->nkj", normals, boxes.axes))
    found: Array = np.einsum("nkj,nj->nk", along, boxes.half)
    return found


def turn_deg(here: Box, facing: Box, there: Box) -> float:
    """How far one turns at ``here``, facing ``facing``, to face ``there``: degrees, left above 0.

    In (-180, 180], between centres seen from above.
    """
    x1, y1 = (b - a for a, b in zip(here.ground, facing.ground, strict=True))
    x2, y2 = (b - a for a, b in zip(here.ground, there.ground, strict=True))
    return math.degrees(math.atan2(x1 * y2 - y1 * x2, x1 * x2 + y1 * y2))


def apart_m(a: Box, b: Box) -> float:
    """Distance of the centres in metres, seen from above."""
    return math.dist(a.ground, b.ground)
