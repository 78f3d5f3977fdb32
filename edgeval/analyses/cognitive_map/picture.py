"""Two maps side by side as a picture: what is, and what the model believes."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from edgeval.analyses.cognitive_map import CognitiveMap, Place

Image = NDArray[np.uint8]
Colour = tuple[int, int, int]

_SIDE, _EDGE, _LINE = 320, 16, 14
_WHITE, _GREY, _BLACK = (255, 255, 255), (214, 214, 214), (32, 32, 32)
_COLOURS: tuple[Colour, ...] = (
    *((31, 119, 180), (255, 127, 14), (44, 160, 44), (214, 39, 40), (148, 103, 189)),
    *((140, 86, 75), (227, 119, 194), (127, 127, 127), (188, 189, 34), (23, 190, 207)),
)
# Marks take turns after the colours: a disc, a square, a diamond, a ring.
_MARK, _STEP = 6, 8
# Letters of 3 x 5 dots: five rows of three bits, an octal digit each, the top row first.
_GLYPHS: Mapping[str, int] = dict(
    zip(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-./:,()?'",
        (
            *(0o25755, 0o65656, 0o34443, 0o65556, 0o74647, 0o74644, 0o34553, 0o55755, 0o72227),
            *(0o11152, 0o55655, 0o44447, 0o57755, 0o65555, 0o25552, 0o65644, 0o25563, 0o65655),
            *(0o34216, 0o72222, 0o55557, 0o55522, 0o55775, 0o55255, 0o55222, 0o71247, 0o75557),
            *(0o26227, 0o61247, 0o61216, 0o55711, 0o74616, 0o34757, 0o71222, 0o75757, 0o75716),
            *(0o00700, 0o00002, 0o11244, 0o02020, 0o00024, 0o12221, 0o42224, 0o61202, 0o22000),
        ),
        strict=True,
    )
)


def draw(own: CognitiveMap | None, true: CognitiveMap) -> Image:
    """Uint8 [H, W, 3]: the true map, then the model's, then which mark is which category.

    A model's map says nothing of which way is up, so its own is turned or mirrored to lie best on
    the true one; none is an empty grid. Places off the grid are drawn at its edge.
    """
    laid = CognitiveMap(grid=true.grid, places={}) if own is None else best_turn(own, true)
    names = sorted({*true.places, *laid.places})
    columns = [_panel("TRUE MAP", true, names)]
    columns.append(_panel("NO MAP" if own is None else "OWN MAP", laid, names))
    rows = [np.concatenate(columns, axis=1), _legend(names, columns[0].shape[1] * 2)]
    return np.concatenate(rows, axis=0)


def best_turn(own: CognitiveMap, true: CognitiveMap) -> CognitiveMap:
    """The model's map in that one of eight turns and mirrorings which is closest to the true one.

    Closest by the squared distance between the middles of each category's instances; the first of
    equals, unturned first.
    """
    turns = [
        CognitiveMap(
            grid=own.grid,
            places={
                name: tuple(_turned(place, own.grid, quarters, mirror=mirror) for place in places)
                for name, places in own.places.items()
            },
        )
        for mirror, quarters in itertools.product((False, True), range(4))
    ]
    return min(turns, key=lambda turn: _distance(turn, true))


def _turned(place: Place, grid: int, quarters: int, *, mirror: bool) -> Place:
    x, y = place
    for _ in range(quarters):
        x, y = grid - 1 - y, x
    return (grid - 1 - x, y) if mirror else (x, y)


def _distance(own: CognitiveMap, true: CognitiveMap) -> float:
    shared = [name for name in true.places if own.places.get(name)]
    middles = [np.mean(own.places[n], axis=0) - np.mean(true.places[n], axis=0) for n in shared]
    return float(sum((middle**2).sum() for middle in middles))


def _panel(title: str, known: CognitiveMap, names: Sequence[str]) -> Image:
    image = np.full((_SIDE + 2 * _EDGE + _LINE, _SIDE + 2 * _EDGE, 3), 255, np.uint8)
    _write(image, title, at=(_EDGE, 6), colour=_BLACK)
    top, unit = _EDGE + _LINE, _SIDE / known.grid
    for i in range(known.grid + 1):
        offset = round(i * unit)
        image[top + min(offset, _SIDE - 1), _EDGE : _EDGE + _SIDE] = _GREY
        image[top : top + _SIDE, _EDGE + min(offset, _SIDE - 1)] = _GREY
    last = known.grid - 1.0
    cells: dict[Place, list[int]] = {}
    for index, name in enumerate(names):
        for x, y in known.places.get(name, ()):
            cell = (min(max(x, 0.0), last), min(max(y, 0.0), last))
            cells.setdefault(cell, []).append(index)
    for (x, y), indices in cells.items():
        # Marks of one cell stand side by side, four to the row.
        middle = (min(len(indices), 4) - 1) / 2
        for i, index in enumerate(indices):
            row, column = divmod(i, 4)
            across = _EDGE + (x + 0.5) * unit + (column - middle) * _STEP
            down = top + _SIDE - (y + 0.5) * unit + row * _STEP
            _mark(image, index, at=(round(across), round(down)))
    return image


def _legend(names: Sequence[str], width: int) -> Image:
    """Each category's mark and name, two columns."""
    image = np.full((_LINE * ((len(names) + 1) // 2) + _EDGE, width, 3), 255, np.uint8)
    for index, name in enumerate(names):
        row, column = divmod(index, 2)
        left, top = _EDGE + column * width // 2, row * _LINE
        _mark(image, index, at=(left + _MARK, top + _MARK))
        _write(image, name.upper(), at=(left + 3 * _MARK, top + 1), colour=_BLACK)
    return image


def _mark(image: Image, index: int, *, at: tuple[int, int]) -> None:
    """The mark of category ``index`` round a point, cut off where the image ends."""
    y, x = np.mgrid[-_MARK + 1 : _MARK, -_MARK + 1 : _MARK]
    distance = np.hypot(x, y)
    shapes = (
        distance < _MARK - 0.5,
        np.maximum(abs(x), abs(y)) < _MARK - 1,
        abs(x) + abs(y) < _MARK,
        (distance < _MARK - 0.5) & (distance > _MARK - 3),
    )
    shape = shapes[index // len(_COLOURS) % len(shapes)]
    rows, columns = y[shape] + at[1], x[shape] + at[0]
    seen = (rows >= 0) & (columns >= 0) & (rows < image.shape[0]) & (columns < image.shape[1])
    image[rows[seen], columns[seen]] = _COLOURS[index % len(_COLOURS)]


def _write(image: Image, text: str, *, at: tuple[int, int], colour: Colour) -> None:
    """Text in letters of 6 x 10 dots from a left upper point on; what is no letter is a gap."""
    for i, letter in enumerate(text):
        bits = np.array([_GLYPHS.get(letter, 0) >> (14 - j) & 1 for j in range(15)], bool)
        dots = np.kron(bits.reshape(5, 3), np.ones((2, 2), bool))
        left = at[0] + 8 * i
        area = image[at[1] : at[1] + 10, left : left + 6]
        area[dots[: area.shape[0], : area.shape[1]]] = colour
