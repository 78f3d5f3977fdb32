"""A room as the camera sees it: one ray a pixel, against boxes, walls and a tiled floor.

Plain numpy of our own, element by element, so that the same room gives the same pictures.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgeval.scenes import Box, corners
from edgeval.synth.furniture import PARTS, Part
from edgeval.synth.rooms import EYE_M, WALL_M, Pose, Room

Array = NDArray[np.float64]

SIGHT_DEG = 80.0
PITCH_DEG = -14.0
TILE_M = 0.5
NOTHING = -1
_NEAR_M = 0.02
_FAR_M = 1e9
# Of a face across the thing, along it, and of its top.
_LIGHT = (0.86, 0.68, 1.0)
_WALLS = ((206, 198, 182), (188, 196, 204), (212, 204, 190), (180, 190, 196))
_TILES = ((196, 178, 150), (172, 152, 124))
_CEILING = (236, 236, 232)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """One picture, uint8 [H, W, 3], and ``kinds``, int16 [H, W]: which kind each pixel shows.

    Kinds count in the order of ``room.boxes``; NOTHING is the room itself.
    """

    image: NDArray[np.uint8]
    kinds: NDArray[np.int16]


def sights(room: Room, *, n: int, width: int, height: int) -> Iterator[Sight]:
    """``n`` pictures along the camera's way."""
    for pose in room.poses(n):
        yield see(room, pose, width=width, height=height)


def see(room: Room, pose: Pose, *, width: int, height: int) -> Sight:
    """What the camera sees at ``pose``."""
    rays = _rays(pose, width, height)
    eye = np.array([pose.x, pose.y, EYE_M])
    image, depth = _shell(room, eye, rays)
    kinds = np.full((height, width), NOTHING, np.int16)
    for number, (kind, boxes) in enumerate(room.boxes.items()):
        for box in boxes:
            if (window := _window(box, pose, width, height)) is None:
                continue
            for part in PARTS[kind]:
                hit, face = _hit(box, part, eye, rays[window])
                nearer = hit < depth[window]
                depth[window][nearer] = hit[nearer]
                kinds[window][nearer] = number
                paint = np.array(part.paint) * np.array(_LIGHT)[face[nearer], None]
                image[window][nearer] = paint
    return Sight(image=image.astype(np.uint8), kinds=kinds)


def _axes(pose: Pose) -> tuple[Array, Array, Array]:
    """Ahead, right and up of the camera."""
    yaw, pitch = math.radians(pose.yaw_deg), math.radians(PITCH_DEG)
    c, s = math.cos(yaw), math.sin(yaw)
    ahead = np.array([c * math.cos(pitch), s * math.cos(pitch), math.sin(pitch)])
    up = np.array([-c * math.sin(pitch), -s * math.sin(pitch), math.cos(pitch)])
    return ahead, np.array([s, -c, 0.0]), up


def _zoom(width: int) -> float:
    """Pixels from the eye to the picture."""
    return width / 2 / math.tan(math.radians(SIGHT_DEG / 2))


def _rays(pose: Pose, width: int, height: int) -> Array:
    """The way of each pixel's ray, [H, W, 3], not of unit length."""
    ahead, right, up = _axes(pose)
    across = (np.arange(width) + 0.5 - width / 2)[None, :, None] / _zoom(width)
    above = (height / 2 - np.arange(height) - 0.5)[:, None, None] / _zoom(width)
    rays: Array = ahead + across * right + above * up
    return rays


def _window(box: Box, pose: Pose, width: int, height: int) -> tuple[slice, slice] | None:
    """The part of the picture that can show the box; None where none can."""
    ahead, right, up = _axes(pose)
    away = corners(box) - np.array([pose.x, pose.y, EYE_M])
    far = (away * ahead).sum(axis=1)
    if (far <= _NEAR_M).all():
        return None
    if (far <= _NEAR_M).any():
        return slice(0, height), slice(0, width)
    columns = width / 2 + _zoom(width) * (away * right).sum(axis=1) / far
    rows = height / 2 - _zoom(width) * (away * up).sum(axis=1) / far
    top, bottom = max(0, int(rows.min()) - 1), min(height, int(rows.max()) + 2)
    left, end = max(0, int(columns.min()) - 1), min(width, int(columns.max()) + 2)
    return (slice(top, bottom), slice(left, end)) if top < bottom and left < end else None


def _hit(box: Box, part: Part, eye: Array, rays: Array) -> tuple[Array, NDArray[np.intp]]:
    """How far along each ray the part begins (_FAR_M where it is missed), and on which face."""
    lengths, axes = np.array(box.lengths), np.array(box.axes)
    low = (np.array(part.low) - 0.5) * lengths
    high = (np.array(part.high) - 0.5) * lengths
    start = ((eye - np.array(box.centre)) * axes).sum(axis=1)
    way = rays[..., 0, None] * axes[:, 0] + rays[..., 1, None] * axes[:, 1]
    way += rays[..., 2, None] * axes[:, 2]
    way = np.where(np.abs(way) < 1e-12, 1e-12, way)
    first, second = (low - start) / way, (high - start) / way
    enter, leave = np.minimum(first, second), np.maximum(first, second)
    # Pair by pair: numpy is slow to reduce three, and the whole picture takes half the time.
    x, y, z = enter[..., 0], enter[..., 1], enter[..., 2]
    inside = np.maximum(np.maximum(x, y), z)
    out = np.minimum(np.minimum(leave[..., 0], leave[..., 1]), leave[..., 2])
    face = np.where(x == inside, 0, np.where(y == inside, 1, 2))
    return np.where((inside <= out) & (inside > _NEAR_M), inside, _FAR_M), face


def _shell(room: Room, eye: Array, rays: Array) -> tuple[Array, Array]:
    """Floor, walls and ceiling: the picture [H, W, 3] and how far each pixel is along its ray."""
    size = np.array([room.width, room.depth, WALL_M])
    way = np.where(np.abs(rays) < 1e-12, 1e-12, rays)
    leave = np.where(way > 0, (size - eye) / way, -eye / way)
    depth, face = leave.min(axis=-1), leave.argmin(axis=-1)
    point = eye + depth[..., None] * rays
    tile = np.floor(point[..., :2] / TILE_M).astype(int).sum(axis=-1) % 2
    image = np.array(_TILES, float)[tile]
    wall = face + 2 * (np.take_along_axis(way, face[..., None], axis=-1)[..., 0] > 0)
    for number, paint in zip((0, 1, 2, 3), _WALLS, strict=True):
        image[(face < 2) & (wall == number)] = paint
    image[(face < 2) & (point[..., 2] < 0.12)] = (120, 96, 72)
    image[(face == 2) & (rays[..., 2] > 0)] = _CEILING
    return image, depth
