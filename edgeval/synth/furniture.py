"""What each thing in a room looks like: coloured boxes in the unit cube it is stretched from.

Every thing shows about the whole of its box from every side, so that none is seen much sooner than
another of its size.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from edgeval.synth.vocabulary import RGB

_WOOD: RGB = (150, 98, 52)
_DARK: RGB = (40, 40, 46)
_WHITE: RGB = (232, 234, 236)
_GREY: RGB = (140, 146, 152)


class Part(NamedTuple):
    """A box from ``low`` to ``high`` within the thing's own (width, depth, height), each 0 to 1."""

    low: tuple[float, float, float]
    high: tuple[float, float, float]
    paint: RGB


def _legs(paint: RGB, top: float, thick: float) -> tuple[Part, ...]:
    return tuple(
        Part((x, y, 0), (x + thick, y + thick, top), paint)
        for x in (0, 1 - thick)
        for y in (0, 1 - thick)
    )


_RED: RGB = (210, 36, 32)
_GREEN: RGB = (30, 140, 50)
_BLUE: RGB = (36, 60, 200)
_PURPLE: RGB = (132, 44, 168)
_YELLOW: RGB = (250, 215, 30)
_TEAL: RGB = (0, 190, 190)
_ORANGE: RGB = (240, 130, 20)
_PINK: RGB = (250, 110, 180)
_SKY: RGB = (130, 190, 255)

PARTS: Mapping[str, tuple[Part, ...]] = MappingProxyType(
    {
        "chair": (
            Part((0, 0, 0.42), (1, 1, 0.56), _RED),
            Part((0, 0.84, 0.56), (1, 1, 1), _RED),
            *_legs(_RED, 0.42, 0.2),
        ),
        "table": (Part((0, 0, 0.76), (1, 1, 1), _WOOD), *_legs(_WOOD, 0.76, 0.2)),
        "sofa": (
            Part((0, 0, 0), (1, 1, 0.5), _BLUE),
            Part((0, 0.7, 0.5), (1, 1, 1), _BLUE),
            Part((0, 0, 0.5), (0.16, 0.7, 0.78), (60, 92, 226)),
            Part((0.84, 0, 0.5), (1, 0.7, 0.78), (60, 92, 226)),
        ),
        "bed": (
            Part((0, 0, 0), (1, 0.94, 0.5), _PURPLE),
            Part((0, 0.94, 0), (1, 1, 1), _PURPLE),
            Part((0.2, 0.66, 0.5), (0.8, 0.94, 0.7), _WHITE),
        ),
        "lamp": (
            Part((0.2, 0.2, 0), (0.8, 0.8, 0.1), _DARK),
            Part((0.38, 0.38, 0.1), (0.62, 0.62, 0.45), _DARK),
            Part((0, 0, 0.45), (1, 1, 1), _YELLOW),
        ),
        "tv": (
            Part((0.1, 0.1, 0), (0.9, 0.9, 0.2), _DARK),
            Part((0, 0.04, 0.2), (1, 0.96, 1), _DARK),
            Part((0.1, 0, 0.3), (0.9, 0.04, 0.9), _SKY),
        ),
        "refrigerator": (
            Part((0, 0.03, 0), (1, 1, 1), _WHITE),
            Part((0, 0, 0.62), (1, 0.03, 0.67), _GREY),
            Part((0.8, 0, 0.3), (0.9, 0.03, 0.58), _DARK),
            Part((0.8, 0, 0.71), (0.9, 0.03, 0.92), _DARK),
        ),
        "bookshelf": (
            Part((0, 0.8, 0), (1, 1, 1), _ORANGE),
            *(Part((0, 0, z), (1, 0.8, z + 0.06), _ORANGE) for z in (0, 0.31, 0.62, 0.94)),
            Part((0.05, 0.1, 0.06), (0.95, 0.8, 0.26), _GREEN),
            Part((0.05, 0.1, 0.37), (0.95, 0.8, 0.57), _ORANGE),
            Part((0.05, 0.1, 0.68), (0.95, 0.8, 0.88), _BLUE),
        ),
        "trash bin": (
            Part((0.06, 0.06, 0), (0.94, 0.94, 0.86), _PINK),
            Part((0, 0, 0.86), (1, 1, 1), _PINK),
        ),
        "plant": (
            Part((0.2, 0.2, 0), (0.8, 0.8, 0.36), (198, 106, 60)),
            Part((0, 0, 0.36), (1, 1, 0.8), _GREEN),
            Part((0.2, 0.2, 0.8), (0.8, 0.8, 1), (60, 176, 76)),
        ),
        "stool": (
            Part((0, 0, 0.74), (1, 1, 1), _TEAL),
            Part((0.3, 0.3, 0), (0.7, 0.7, 0.74), _TEAL),
        ),
        "stove": (
            Part((0, 0.04, 0), (1, 1, 1), _DARK),
            Part((0.14, 0, 0.2), (0.86, 0.04, 0.7), (70, 30, 26)),
            Part((0.1, 0, 0.8), (0.9, 0.04, 0.92), _GREY),
        ),
    }
)
