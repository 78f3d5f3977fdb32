"""What a frame can say: groups of words of which one holds, each a single token.

A frame's four image tokens are pulled towards the embeddings of such words, so that they become
words to the decoder. A token that says several things is pulled towards one word of each group.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from edgeval.synth.rooms import KINDS as THINGS
from edgeval.synth.vocabulary import COLOURS, NAMES, SHAPES

TOKENS_A_FRAME = 4
_SLIDES = ("none", "grey", "title", "rule", "table", "example", "quiz", "colour", "shape")
_NUMBERS = tuple(str(number) for number in range(1, 20))


def _bins(name: str, n: int) -> tuple[str, ...]:
    return tuple(f"<{name}{at}>" for at in range(n))


# Group -> its words. Words in angles are tokens of their own that no text has.
GROUPS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "word": (*_SLIDES, *COLOURS, *SHAPES, *NAMES, *_NUMBERS),
        "thing": ("none", *(name.split()[-1] for name in THINGS)),
        "long": _bins("long", 16),
        "many": ("1", "2", "3", "4", "5"),
        "area": _bins("area", 12),
        "x": _bins("x", 18),
        "y": _bins("y", 18),
        "across": _bins("across", 8),
        "above": _bins("above", 8),
        "high": _bins("high", 8),
        "tilt": ("<upright>", "<tilted>"),
    }
)
GROUP_NAMES = tuple(GROUPS)
PLACES: Mapping[str, Mapping[str, int]] = MappingProxyType(
    {name: {word: at for at, word in enumerate(words)} for name, words in GROUPS.items()}
)
ADDED = tuple(dict.fromkeys(w for words in GROUPS.values() for w in words if w.startswith("<")))
PLAIN = tuple(dict.fromkeys(w for words in GROUPS.values() for w in words if not w.startswith("<")))

# One image token: group -> the word that holds.
Said = Mapping[str, str]
Slots = tuple[Said, ...]
UNSAID = -100


def binned(name: str, value: float, low: float, high: float, *, by_ratio: bool = False) -> str:
    """The word of group ``name`` for ``value`` between ``low`` and ``high``."""
    n = len(GROUPS[name])
    if by_ratio:
        value, low, high = (math.log(max(number, 1e-6)) for number in (value, low, high))
    at = int(n * (value - low) / (high - low))
    return GROUPS[name][min(n - 1, max(0, at))]


def middle(name: str, word: str, low: float, high: float, *, by_ratio: bool = False) -> float:
    """The number in the middle of what ``word`` says: ``binned`` the other way."""
    share = (PLACES[name][word] + 0.5) / len(GROUPS[name])
    return low * (high / low) ** share if by_ratio else low + share * (high - low)


def numbered(slots: Sequence[Said]) -> list[list[int]]:
    """[tokens][groups]: the place of each word in its group, UNSAID where nothing is said."""
    return [
        [PLACES[name][said[name]] if name in said else UNSAID for name in GROUP_NAMES]
        for said in slots
    ]
