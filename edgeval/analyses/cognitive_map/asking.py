"""Asking a model for its map, reading its answer, and asking a question with a map at hand."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from edgeval.analyses.cognitive_map import CognitiveMap, Place
from edgeval.errors import ArgumentError

_Item = TypeVar("_Item")

# Source: arXiv 2412.14171, appendix. Where its lines end, and how it lists categories, is ours.
_PROMPT = (
    "[Task]\nThis video captures an indoor scene. Your objective is to identify specific objects "
    "within the video, understand the spatial arrangement of the scene, and estimate the center "
    "point of each object, assuming the entire scene is represented by a {grid}x{grid} grid.\n"
    "[Rule]\n"
    "1. We provide the categories to care about in this scene: {categories}. Focus ONLY on these "
    "categories.\n"
    "2. Estimate the center location of each instance within the provided categories, assuming the "
    "entire scene is represented by a {grid}x{grid} grid.\n"
    "3. If a category contains multiple instances, include all of them.\n"
    "4. Each object\u2019s estimated location should accurately reflect its real position in the "
    "scene, preserving the relative spatial relationships among all objects.\n"
    "[Output]\nPresent the estimated center locations for each object as a list within a "
    "dictionary. STRICTLY follow this JSON format: "
    '{{"category name": [(x_1, y_1), ...], ...}}'
)
# Ours: the paper does not print how it hands a map over.
_WITH_MAP = (
    "This is a map of the scene seen from above, a {grid}x{grid} grid with the center location of "
    "each object: {map}\n{text}"
)

_NUMBER = r"(-?[0-9]{1,9}(?:\.[0-9]{1,9})?)"
_PLACE = re.compile(
    rf"\s*(?:\(\s*{_NUMBER}\s*,\s*{_NUMBER}\s*\)|\[\s*{_NUMBER}\s*,\s*{_NUMBER}\s*\])"
)
_NAME = re.compile(r"""\s*(?:"([^"\\]{1,200})"|'([^'\\]{1,200})')\s*:\s*\[""")
_COMMA = re.compile(r"\s*,")
_END_OF_LIST = re.compile(r"\s*\]")
_END_OF_MAP = re.compile(r"\s*\}")


def prompt(categories: Sequence[str], *, grid: int = 10) -> str:
    """What asks for a map of the ``categories``. Raises ArgumentError for none."""
    if not categories:
        raise ArgumentError("map prompt: got no categories; wants one or more")
    return _PROMPT.format(grid=grid, categories=", ".join(categories))


def with_map(text: str, known: CognitiveMap) -> str:
    """A question with a map at hand: the model's own, or the true one."""
    return _WITH_MAP.format(grid=known.grid, map=written(known), text=text)


def written(known: CognitiveMap) -> str:
    """The map in the form that the prompt asks for: {"name": [(x, y), ...], ...}."""
    parts = [
        f'"{name}": [{", ".join(f"({x:g}, {y:g})" for x, y in places)}]'
        for name, places in known.places.items()
    ]
    return "{" + ", ".join(parts) + "}"


def read_map(response: str, categories: Iterable[str], *, grid: int = 10) -> CognitiveMap | None:
    """The first whole map in an answer, of the ``categories`` asked for; None without one.

    Whole is {"name": [(x, y), ...], ...} and nothing else inside: quotes of either kind, places in
    round or in square brackets (JSON has no round ones), commas may trail, numbers are plain.
    Names match in any case; of a name given twice the last counts, as in a dict. Places off the
    grid stay: their distances are what is judged. Nothing is evaluated.
    """
    wanted = {name.casefold(): name for name in categories}
    for match in re.finditer(r"\{", response):
        entries = _listed(_Reader(response, match.end()), _END_OF_MAP, _entry)
        if entries is not None:
            named = [(wanted.get(name.strip().casefold()), places) for name, places in entries]
            known = {name: places for name, places in named if name is not None and places}
            return CognitiveMap(grid=grid, places=known)
    return None


@dataclass(slots=True)
class _Reader:
    """A place in a text that moves on over what is taken."""

    text: str
    at: int

    def take(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        match = pattern.match(self.text, self.at)
        self.at = self.at if match is None else match.end()
        return match


def _listed(
    reader: _Reader, end: re.Pattern[str], item: Callable[[_Reader], _Item | None]
) -> list[_Item] | None:
    """Items with commas between up to ``end``; None where something else stands."""
    items: list[_Item] = []
    divided = True
    while not reader.take(end):
        one = item(reader) if divided else None
        if one is None:
            return None
        items.append(one)
        divided = reader.take(_COMMA) is not None
    return items


def _entry(reader: _Reader) -> tuple[str, tuple[Place, ...]] | None:
    name = reader.take(_NAME)
    places = _listed(reader, _END_OF_LIST, _place) if name else None
    if name is None or places is None:
        return None
    return name.group(1) or name.group(2), tuple(places)


def _place(reader: _Reader) -> Place | None:
    match = reader.take(_PLACE)
    if match is None:
        return None
    x, y = (number for number in match.groups() if number is not None)
    return float(x), float(y)
