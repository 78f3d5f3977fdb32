"""The pieces a slide is put together from: signs, words and arrows as RGBA pictures."""

from __future__ import annotations

import functools
import math
from types import MappingProxyType

from PIL import Image, ImageDraw, ImageFont

from edgeval.synth.vocabulary import PAINTS, RGB

Point = tuple[float, float]

INK: RGB = (38, 42, 54)
GREY: RGB = (120, 126, 140)
NO_PAINT: RGB = (150, 156, 168)
WHITE: RGB = (255, 255, 255)
CLEAR = (0, 0, 0, 0)
# Signs are drawn four times as large and shrunk: Pillow's own polygons have no smooth edges.
OVERSAMPLE = 4


def _star() -> tuple[Point, ...]:
    radii = (1.08, 0.44) * 5
    turn = math.pi / 5
    return tuple((r * math.sin(i * turn), -r * math.cos(i * turn)) for i, r in enumerate(radii))


def _heart() -> tuple[Point, ...]:
    points = []
    for i in range(60):
        t = 2 * math.pi * i / 60
        height = 13 * math.cos(t) - 5 * math.cos(2 * t) - 2 * math.cos(3 * t) - math.cos(4 * t)
        points.append((16 * math.sin(t) ** 3 / 16.5, -height / 16.0))
    return tuple(points)


def _cross() -> tuple[Point, ...]:
    a, b = 0.34, 0.98
    quarter = ((-a, -b), (a, -b), (a, -a), (b, -a), (b, a), (a, a))
    return (*quarter, (a, b), (-a, b), (-a, a), (-b, a), (-b, -a), (-a, -a))


# Corners round the middle, in units of the sign's radius, y down.
OUTLINES: MappingProxyType[str, tuple[Point, ...]] = MappingProxyType(
    {
        "triangle": ((0, -0.92), (0.98, 0.8), (-0.98, 0.8)),
        "diamond": ((0, -1.05), (0.72, 0), (0, 1.05), (-0.72, 0)),
        "star": _star(),
        "cross": _cross(),
        "heart": _heart(),
        "square": ((-0.84, -0.84), (0.84, -0.84), (0.84, 0.84), (-0.84, 0.84)),
    }
)


@functools.lru_cache(maxsize=256)
def sign(colour: str, shape: str, *, side: int) -> Image.Image:
    """A coloured shape as RGBA, ``side`` pixels square; 'blob' is a stroke, 'grey' no colour."""
    width = side * OVERSAMPLE
    picture = Image.new("RGBA", (width, width), CLEAR)
    paint = PAINTS.get(colour, NO_PAINT)
    dark = (int(paint[0] * 0.6), int(paint[1] * 0.6), int(paint[2] * 0.6))
    brush = ImageDraw.Draw(picture)
    middle, radius = width / 2, width * 0.45
    if shape == "circle":
        brush.ellipse(
            _around(middle, radius * 0.95), fill=paint, outline=dark, width=3 * OVERSAMPLE
        )
    elif shape == "moon":
        picture.paste(Image.new("RGBA", (width, width), (*paint, 255)), (0, 0), _moon(width))
    elif shape == "blob":
        half = (radius * 1.08, radius * 0.5)
        box = (middle - half[0], middle - half[1], middle + half[0], middle + half[1])
        brush.rounded_rectangle(box, radius=radius * 0.5, fill=paint)
    else:
        points = [(middle + x * radius, middle + y * radius) for x, y in OUTLINES[shape]]
        brush.polygon(points, fill=paint)
        # Past the start by one corner, so that the first corner's joint is round as well.
        brush.line([*points, *points[:2]], fill=dark, width=3 * OVERSAMPLE, joint="curve")
    return picture.resize((side, side), Image.Resampling.LANCZOS)


def _around(middle: float, radius: float) -> tuple[float, float, float, float]:
    return (middle - radius, middle - radius, middle + radius, middle + radius)


def _moon(width: int) -> Image.Image:
    """A disc less a disc up and to the right of it, as a mask."""
    mask = Image.new("L", (width, width), 0)
    middle, radius = width / 2, width * 0.45
    brush = ImageDraw.Draw(mask)
    brush.ellipse(_around(middle, radius), fill=255)
    left, top = middle - radius * 0.35, middle - radius * 1.05
    brush.ellipse((left, top, middle + radius * 1.45, middle + radius * 0.75), fill=0)
    return mask


@functools.lru_cache(maxsize=512)
def word(text: str, *, size: int, paint: RGB = INK, bold: int = 2) -> Image.Image:
    """``text`` as RGBA in Pillow's built-in font, trimmed to its box plus two pixels.

    Glyphs may differ by a pixel between Pillow or FreeType releases; no system font is used.
    """
    font = _font(size)
    left, top, right, bottom = (int(v) for v in font.getbbox(text, stroke_width=bold))
    picture = Image.new("RGBA", (right - left + 4, bottom - top + 4), CLEAR)
    brush = ImageDraw.Draw(picture)
    start = (2 - left, 2 - top)
    brush.text(start, text, font=font, fill=paint, stroke_width=bold, stroke_fill=paint)
    return picture


@functools.lru_cache(maxsize=16)
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


@functools.lru_cache(maxsize=1)
def arrow() -> Image.Image:
    """A grey arrow to the right, RGBA 44 x 36."""
    picture = Image.new("RGBA", (44, 36), CLEAR)
    brush = ImageDraw.Draw(picture)
    brush.rectangle((2, 14, 26, 22), fill=GREY)
    brush.polygon([(24, 4), (42, 18), (24, 32)], fill=GREY)
    return picture
