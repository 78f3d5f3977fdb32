"""Everything a lesson can be made of: shapes, colours, invented names, disciplines and their looks.

The order of every tuple is part of the generator: draws pick by position.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import NamedTuple

RGB = tuple[int, int, int]

SHAPES = ("circle", "square", "triangle", "star", "diamond", "cross", "heart", "moon")
PAINTS: MappingProxyType[str, RGB] = MappingProxyType(
    {
        "red": (214, 34, 40),
        "orange": (245, 134, 16),
        "yellow": (238, 206, 20),
        "green": (34, 150, 60),
        "teal": (40, 190, 200),
        "blue": (36, 70, 200),
        "purple": (140, 50, 170),
        "black": (26, 26, 30),
    }
)
COLOURS = tuple(PAINTS)
NAMES = (
    *("Zuro", "Kema", "Lipo", "Tavi", "Bexo", "Nudy", "Fogi", "Ward"),
    *("Pylo", "Mish", "Quon", "Dree", "Jatt", "Volk", "Skib", "Hule"),
)
ONE_TO_TEN = tuple(str(i) for i in range(1, 11))
LETTERS = "ABCDEFGHIJ"


class Theme(NamedTuple):
    """One discipline: slide colours, topics of titles, and Video-MMMU's subjects in it."""

    paper: RGB
    band: RGB
    topics: tuple[str, ...]
    subjects: tuple[str, ...]


THEMES: MappingProxyType[str, Theme] = MappingProxyType(
    {
        "Art": Theme(
            (252, 244, 236),
            (188, 84, 60),
            ("Pigment", "Mosaic", "Fresco", "Weaving"),
            ("Art", "Art_Theory", "Design", "Music"),
        ),
        "Business": Theme(
            (240, 246, 250),
            (40, 84, 130),
            ("Ledger", "Tariff", "Market", "Freight"),
            ("Accounting", "Economics", "Finance", "Manage", "Marketing"),
        ),
        "Science": Theme(
            (240, 250, 243),
            (30, 122, 92),
            ("Crystal", "Spectrum", "Orbit", "Moss"),
            ("Biology", "Chemistry", "Geography", "Math", "Physics"),
        ),
        "Medicine": Theme(
            (252, 242, 246),
            (176, 48, 96),
            ("Triage", "Dosage", "Reflex", "Tissue"),
            (
                "Basic_Medical_Science",
                "Clinical_Medicine",
                "Diagnostics_and_Laboratory_Medicine",
                "Pharmacy",
                "Public_Health",
            ),
        ),
        "Humanities": Theme(
            (249, 246, 232),
            (128, 98, 40),
            ("Script", "Herald", "Chant", "Archive"),
            ("History", "Literature", "Sociology", "Psychology"),
        ),
        "Engineering": Theme(
            (243, 243, 248),
            (74, 78, 110),
            ("Signal", "Valve", "Gear", "Circuit"),
            (
                "Agriculture",
                "Architecture_and_Engineering",
                "Computer_Science",
                "Electronics",
                "Energy_and_Power",
                "Materials",
                "Mechanical_Engineering",
            ),
        ),
    }
)
DISCIPLINES = tuple(THEMES)
