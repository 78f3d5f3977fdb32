"""A shot of a room: what the camera sees of a thing, and a plan of the room in the lower right.

The thing is seen in the left half, one ray a pixel; the others stand there under sheets, so no
picture shows what they are. The plan has one scale for all rooms, and its corner is the room's: the
room's outline, a red disc where the thing stands, green ones where others of its kind do. Plain
numpy of our own, element by element, so that the same room gives the same pictures.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgeval.scenes import Box, corners
from edgeval.synth import rooms
from edgeval.synth.furniture import PARTS, Part
from edgeval.synth.rooms import EYE_M, WALL_M, Pose, Room, Shot

Array = NDArray[np.float64]

PITCH_DEG = -6.0
# Of the picture's side: from the eye to the picture, and its middle from the left.
ZOOM = 0.58
MIDDLE = 0.25
TILE_M = 0.5
# Of the picture's side, to the metre; the plan takes the lower right quarter.
PLAN_SCALE = 0.055
NOTHING = -1
_NEAR_M = 0.02
_FAR_M = 1e9
# Of a face across the thing, along it, and of its top.
_LIGHT = (0.8, 0.9, 1.0)
_WALLS = ((150, 150, 156), (140, 146, 152), (156, 152, 146), (134, 140, 146))
_TILES = ((124, 114, 104), (108, 100, 92))
_CEILING = (168, 168, 166)
_SKIRTING = (92, 80, 70)
_SHEET = (Part((0, 0, 0), (1, 1, 1), (176, 176, 178)),)
_PAPER, _FLOOR, _OUTLINE = (16, 20, 28), (62, 70, 84), (236, 236, 236)
_HERE, _KIN = (255, 40, 40), (40, 230, 90)
# Of the picture's side.
_DISC, _LINE = 0.028, 0.008


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """One picture, uint8 [S, S, 3], and ``kinds``, int16 [S, S]: which kind each pixel shows.

    Kinds count in the order of ``room.boxes``; NOTHING is the room, a sheet, the plan.
    """

    image: NDArray[np.uint8]
    kinds: NDArray[np.int16]


def sights(room: Room, *, n: int, side: int) -> Iterator[Sight]:
    """The whole tour in ``n`` pictures."""
    for i in range(n):
        shot, share = room.moment(i, n)
        yield see(room, shot, share=share, side=side)


def see(room: Room, shot: Shot, *, share: float, side: int) -> Sight:
    """The picture when ``share`` of a shot is over."""
    looked_at = room.box(shot)
    pose = rooms.pose(looked_at, share)
    rays = _rays(pose, side)
    eye = np.array([pose.x, pose.y, EYE_M])
    image, depth = _shell(room, eye, rays)
    kinds = np.full((side, side), NOTHING, np.int16)
    for number, (kind, boxes) in enumerate(room.boxes.items()):
        for box in boxes:
            if (window := _window(box, pose, side)) is None:
                continue
            shown = box is looked_at
            for part in PARTS[kind] if shown else _SHEET:
                hit, face = _hit(box, part, eye, rays[window])
                nearer = hit < depth[window]
                depth[window][nearer] = hit[nearer]
                kinds[window][nearer] = number if shown else NOTHING
                paint = np.array(part.paint) * np.array(_LIGHT)[face[nearer], None]
                image[window][nearer] = paint
    half = side // 2
    kin = [box.ground for box in room.boxes[shot.kind] if box is not looked_at]
    image[half:, half:] = _plan(room, looked_at.ground, kin, side)
    kinds[half:, half:] = NOTHING
    return Sight(image=image.round().astype(np.uint8), kinds=kinds)


def _plan(
    room: Room, here: tuple[float, float], kin: Sequence[tuple[float, float]], side: int
) -> Array:
    """The lower right quarter: x to the right and y up from its lower left corner."""
    half = side // 2
    at = np.arange(half) + 0.5
    scale = PLAN_SCALE * side
    x, y = (
        np.broadcast_to(at[None, :], (half, half)),
        np.broadcast_to(half - at[:, None], (half, half)),
    )
    plan: Array = np.broadcast_to(np.array(_PAPER, float), (half, half, 3)).copy()
    wide, deep = room.width * scale, room.depth * scale
    # How far inside the outline a pixel is.
    inside = np.minimum(wide - x, deep - y)
    _tint(plan, inside + 0.5, _FLOOR)
    line = _LINE * side
    _tint(plan, np.minimum(inside + 0.5, line - inside + 0.5), _OUTLINE)
    for place, paint in (*((one, _KIN) for one in kin), (here, _HERE)):
        away = np.hypot(x - place[0] * scale, y - place[1] * scale)
        _tint(plan, _DISC * side - away + 0.5, paint)
    return plan


def _tint(plan: Array, cover: Array, paint: tuple[int, int, int]) -> None:
    """Lay paint over a plan as far as each pixel is covered, 0 to 1; more or less is cut off."""
    share = np.clip(cover, 0, 1)[..., None]
    plan[:] = plan * (1 - share) + np.array(paint) * share


def _axes(pose: Pose) -> tuple[Array, Array, Array]:
    """Ahead, right and up of the camera."""
    yaw, pitch = math.radians(pose.yaw_deg), math.radians(PITCH_DEG)
    c, s = math.cos(yaw), math.sin(yaw)
    ahead = np.array([c * math.cos(pitch), s * math.cos(pitch), math.sin(pitch)])
    up = np.array([-c * math.sin(pitch), -s * math.sin(pitch), math.cos(pitch)])
    return ahead, np.array([s, -c, 0.0]), up


def _rays(pose: Pose, side: int) -> Array:
    """The way of each pixel's ray, [S, S, 3], not of unit length."""
    ahead, right, up = _axes(pose)
    at = np.arange(side) + 0.5
    across = (at - MIDDLE * side)[None, :, None] / (ZOOM * side)
    above = (side / 2 - at)[:, None, None] / (ZOOM * side)
    rays: Array = ahead + across * right + above * up
    return rays


def _window(box: Box, pose: Pose, side: int) -> tuple[slice, slice] | None:
    """The part of the picture that can show the box; None where none can."""
    ahead, right, up = _axes(pose)
    away = corners(box) - np.array([pose.x, pose.y, EYE_M])
    far = (away * ahead).sum(axis=1)
    if (far <= _NEAR_M).all():
        return None
    if (far <= _NEAR_M).any():
        return slice(0, side), slice(0, side)
    columns = side * (MIDDLE + ZOOM * (away * right).sum(axis=1) / far)
    rows = side * (0.5 - ZOOM * (away * up).sum(axis=1) / far)
    top, bottom = max(0, int(rows.min()) - 1), min(side, int(rows.max()) + 2)
    left, end = max(0, int(columns.min()) - 1), min(side, int(columns.max()) + 2)
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
    """Floor, walls and ceiling: the picture [S, S, 3] and how far each pixel is along its ray."""
    x, y, z = (
        np.where(way > 0, size - at, -at) / np.where(np.abs(way) < 1e-12, 1e-12, way)
        for way, size, at in zip(
            np.moveaxis(rays, -1, 0), (room.width, room.depth, WALL_M), eye, strict=True
        )
    )
    depth = np.minimum(np.minimum(x, y), z)
    floor = (np.floor((eye[axis] + depth * rays[..., axis]) / TILE_M) for axis in (0, 1))
    tile = sum(floor).astype(int) % 2
    right, up = (rays[..., axis] > 0 for axis in (0, 2))
    side = np.where(x == depth, 2 * right, 1 + 2 * (rays[..., 1] > 0))
    image = np.array(_WALLS, float)[side]
    image[eye[2] + depth * rays[..., 2] < 0.12] = _SKIRTING
    level = z == depth
    image[level] = np.where(up[..., None], np.array(_CEILING), np.array(_TILES)[tile])[level]
    return image, depth
