"""Slides as pictures: a background per discipline and kind, and a row of things on it."""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from edgeval.synth import sprites
from edgeval.synth.nouns import ARROW, Sign, Slide, SlideKind, Thing, Word
from edgeval.synth.sprites import GREY, INK, WHITE
from edgeval.synth.vocabulary import THEMES

SIDE = 256
MARGIN = 44
GAP = 16
SQUEEZED_GAP = 8


def draw(slide: Slide, discipline: str, *, shift: tuple[int, int] = (0, 0)) -> NDArray[np.uint8]:
    """``slide`` as uint8 RGB [SIDE, SIDE, 3].

    ``shift`` moves the row of things by (x, y) pixels: variety for training.
    """
    header = "" if slide.kind == "title" else slide.header
    page = _background(discipline, slide.kind, header).copy()
    if slide.kind == "title":
        for text, y in zip(slide.header.split(" "), (108, 196), strict=True):
            _put(page, sprites.word(text, size=44, paint=WHITE, bold=1), SIDE / 2, y)
    elif slide.kind == "rule":
        _draw_rule(page, slide)
    else:
        _draw_row(page, slide.things, shift)
    return np.asarray(page)


def _put(page: Image.Image, piece: Image.Image, x: float, y: float) -> None:
    """Paste ``piece`` with its middle at (x, y)."""
    page.paste(piece, (int(x - piece.width / 2), int(y - piece.height / 2)), piece)


@functools.lru_cache(maxsize=128)
def _background(discipline: str, kind: SlideKind, header: str) -> Image.Image:
    theme = THEMES[discipline]
    page = Image.new("RGB", (SIDE, SIDE), theme.paper)
    brush = ImageDraw.Draw(page)
    if kind == "title":
        brush.rectangle((0, 0, SIDE, SIDE), fill=theme.band)
        brush.rectangle((18, 150, SIDE - 18, 153), fill=theme.paper)
        _put(page, sprites.word(discipline, size=26, paint=theme.paper, bold=0), SIDE / 2, 62)
    elif kind == "quiz":
        brush.rectangle((0, 0, SIDE - 1, SIDE - 1), fill=WHITE, outline=INK, width=10)
        brush.rectangle((0, 0, SIDE, 46), fill=INK)
        _put(page, sprites.word("QUIZ", size=28, paint=WHITE, bold=1), SIDE / 2, 24)
    else:
        brush.rectangle((0, 0, SIDE, 40), fill=theme.band)
        brush.rectangle((0, SIDE - 8, SIDE, SIDE), fill=theme.band)
        _put(page, sprites.word(header, size=21, paint=WHITE, bold=0), SIDE / 2, 20)
        if kind == "example":
            frame = (14, 56, SIDE - 14, SIDE - 24)
            brush.rounded_rectangle(frame, radius=16, outline=theme.band, width=5)
    return page


def _draw_rule(page: Image.Image, slide: Slide) -> None:
    """Lines of text, and the things as small pictures below."""
    for i, line in enumerate(slide.lines):
        _put(page, sprites.word(line, size=27, bold=0), SIDE / 2, 74 + 34 * i)
    for i, thing in enumerate(slide.things):
        if isinstance(thing, Sign):
            icon = sprites.sign(thing.colour, thing.shape, side=52)
            _put(page, icon, SIDE * (i + 0.5) / len(slide.things), 196)


def _draw_row(page: Image.Image, things: tuple[Thing, ...], shift: tuple[int, int]) -> None:
    """Things side by side round the middle, shrunk together where they do not fit."""
    y = SIDE / 2 + 18 + shift[1]
    if len(things) == 1:
        _put(page, _alone(things[0]), SIDE / 2 + shift[0], y)
        return
    pieces = [_piece(t, small=len(things) > 3) for t in things]
    total = sum(p.width for p in pieces)
    room = SIDE - MARGIN - SQUEEZED_GAP * (len(things) - 1)
    if total > room:
        pieces = [_scaled(p, room / total) for p in pieces]
        total = sum(p.width for p in pieces)
    gap = min(GAP, (SIDE - MARGIN - total) / (len(things) - 1))
    x = SIDE / 2 - (total + gap * (len(things) - 1)) / 2 + shift[0]
    for piece in pieces:
        _put(page, piece, x + piece.width / 2, y)
        x += piece.width + gap


def _scaled(piece: Image.Image, factor: float) -> Image.Image:
    size = (max(1, int(piece.width * factor)), max(1, int(piece.height * factor)))
    return piece.resize(size, Image.Resampling.BILINEAR)


def _alone(thing: Thing) -> Image.Image:
    if isinstance(thing, Sign):
        return sprites.sign(thing.colour, thing.shape, side=120)
    return sprites.word(thing.text, size=72)


def _piece(thing: Thing, *, small: bool) -> Image.Image:
    if isinstance(thing, Sign):
        return sprites.sign(thing.colour, thing.shape, side=76 if small else 92)
    if isinstance(thing, Word):
        short = 62 if small else 84
        return sprites.word(thing.text, size=short if len(thing.text) <= 2 else 52)
    if thing.text == ARROW:
        return sprites.arrow()
    return sprites.word(thing.text, size=48, paint=GREY, bold=1)
