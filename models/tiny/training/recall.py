"""Text alone, to learn recall from: repeat words, name a letter, look up a table both ways.

Cues are drawn with replacement: without it, what has been said already rules out answers, and that
is learnt instead. Rows of words look as image tokens do once they say words.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise, product

from edgeval.synth.draws import Draws
from edgeval.synth.rooms import KINDS as THINGS
from edgeval.synth.vocabulary import COLOURS, LETTERS, NAMES, ONE_TO_TEN, SHAPES
from training.view import Line
from training.words import GROUPS

Encode = Callable[[str], tuple[int, ...]]
SIGNS = tuple(f"{colour} {shape}" for colour, shape in product(COLOURS, SHAPES))
POOLS = (NAMES, ONE_TO_TEN, COLOURS, SHAPES, SIGNS, THINGS)
_WORDS = (*COLOURS, *SHAPES, *NAMES, *(str(number) for number in range(1, 20)))
_CUES = 8
# Group of words -> how it is asked for.
LOOKS = {"long": "length", "many": "count", "x": "across", "y": "along"}


def line(draws: Draws, encode: Encode, share: float) -> Line:
    """One exercise; ``share`` of the stage is over: first mostly repeating, then longer tables."""
    if draws.random() < (0.7 if share < 0.25 else 0.2):
        return _repeat(draws, encode)
    hard = min(1.0, 2 * share)
    return draws.choice((_letters, _table, _order, _tour, _tour))(draws, encode, hard)


def _repeat(draws: Draws, encode: Encode) -> Line:
    words = draws.choices(_WORDS, k=draws.randint(4, 16))
    ids = [token for word in words for token in encode(f" {word}")]
    n = len(ids)
    return Line(ids=(*ids, *ids), taught=(*(False,) * (n + 1), *(True,) * (n - 1)))


def _letters(draws: Draws, encode: Encode, hard: float) -> Line:
    pool = draws.choice(POOLS)
    said = draws.sample(pool, min(len(pool), draws.randint(2, 4 + int(6 * hard))))
    head = "".join(f"\n{x}. {text}" for x, text in zip(LETTERS, said, strict=False))
    return cued(draws, encode, head, list(zip(said, LETTERS, strict=False)))


def _table(draws: Draws, encode: Encode, hard: float) -> Line:
    """Cue and value side by side as a slide has them; asked forward or backward."""
    cues = draws.sample(draws.choice((SIGNS, SHAPES, COLOURS, THINGS)), 2 + int(5 * hard))
    values = draws.sample(draws.choice((NAMES, ONE_TO_TEN)), len(cues))
    head = "".join(f" {cue} {value} table" for cue, value in zip(cues, values, strict=True))
    pairs = list(zip(cues, values, strict=True))
    if draws.random() < 0.4:
        return cued(draws, encode, head + " back", [(b, a) for a, b in pairs])
    return cued(draws, encode, head, pairs)


def _order(draws: Draws, encode: Encode, hard: float) -> Line:
    """What came right after, or right before; each said once or several times in a row."""
    words = draws.sample(draws.choice((SIGNS, THINGS, COLOURS)), 3 + int(4 * hard))
    times = [draws.randint(1, 3) for _ in words]
    head = "".join(f" {word} none table" * n for word, n in zip(words, times, strict=True))
    steps = list(pairwise(words))
    if draws.random() < 0.5:
        return cued(draws, encode, head + " before", [(b, a) for a, b in steps])
    return cued(draws, encode, head + " after", steps)


def _tour(draws: Draws, encode: Encode, hard: float) -> Line:
    """Frames of a room as words: its size, one thing said of what is in view, that, where it is."""
    things = [name.split()[-1] for name in draws.sample(THINGS, 3 + int(5 * hard))]
    area = draws.choice(GROUPS["area"])
    groups = draws.choice(("long", "many")), draws.choice(("x", "y"))
    said = [tuple(draws.choice(GROUPS[group]) for group in groups) for _ in things]
    head = "".join(
        f" {area} {one} {thing} {other} table"
        for thing, (one, other) in zip(things, said, strict=True)
    )
    pairs = [
        (f"{LOOKS[group]} {thing}", words[at])
        for at, group in enumerate(groups)
        for thing, words in zip(things, said, strict=True)
    ]
    return cued(draws, encode, head, pairs)


def cued(draws: Draws, encode: Encode, head: str, pairs: list[tuple[str, str]]) -> Line:
    """A head, then cues with their answers, some more than once."""
    ids = list(encode(head))
    taught = [False] * len(ids)
    for cue, answer in draws.choices(pairs, k=_CUES):
        for text, learnt in ((cue, False), (answer, True)):
            part = encode(f" {text}")
            ids += part
            taught += [learnt] * len(part)
    return Line(ids=tuple(ids), taught=tuple(taught))
