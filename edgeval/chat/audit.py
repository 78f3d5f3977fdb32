"""What a tokenizer.json may do to a text: grow it so far and no further, search it in good time.

The library that runs it believes the file: steps that each double a text fill the memory, and
patterns with repeats of repeats take for ever. No published tokenizer has either.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping

from edgeval.errors import ManifestError

MOST_GROWTH = 64
MOST_ADDED = 1024
PARTS = ("normalizer", "pre_tokenizer", "post_processor", "decoder")
# What stands for one character, with braces of its own or none; {3} repeats, but only so often.
ATOM = re.compile(r"\\[pPxu]\{[^}]*\}|\\.|\{\d+\}", re.DOTALL)
REPEAT = re.compile(r"[*+]|\{\d*,\d*\}")

Part = Mapping[str, object]


def audit(tokenizer: object, where: str) -> None:
    """ManifestError for a tokenizer (of the package tokenizers) with a step that is a bomb."""
    for name in PARTS:
        part = getattr(tokenizer, name)
        if part is None:
            continue
        steps = list(_objects(json.loads(part.__getstate__())))
        growth = 1.0
        for step in steps:
            growth *= _growth(step)
        added = sum(_added(step) for step in steps)
        if growth > MOST_GROWTH or added > MOST_ADDED:
            raise ManifestError(
                f"{where}: its {name} can make a text {growth:.3g} times as long and add {added} "
                f"to it; wants at most {MOST_GROWTH} times and {MOST_ADDED}"
            )
        for pattern in filter(None, map(_pattern, steps)):
            if repeats_repeats(pattern):
                raise ManifestError(
                    f"{where}: its {name} searches with {pattern[:60]!r}, whose repeats of repeats "
                    "may never end; wants a pattern without"
                )


def _objects(value: object) -> Iterator[Part]:
    """Every JSON object in a value, itself first."""
    todo = [value]
    while todo:
        part = todo.pop()
        if isinstance(part, dict):
            yield part
            todo += part.values()
        elif isinstance(part, list):
            todo += part


def _growth(step: Part) -> float:
    """How many times as long a replacement can make a text."""
    if step.get("type") != "Replace":
        return 1.0
    new, pattern = str(step.get("content", "")), step.get("pattern")
    old = pattern.get("String") if isinstance(pattern, dict) else None
    if old == "":
        return float("inf")  # found everywhere, which the library does not survive
    return max(1.0, len(new) / (len(old) if isinstance(old, str) else 1))


def _added(step: Part) -> int:
    """Characters or tokens that come to a text once."""
    prepended, ids = step.get("prepend"), step.get("ids")
    text = len(prepended) if isinstance(prepended, str) else 0
    return text + (len(ids) if isinstance(ids, list) else 0)


def _pattern(step: Part) -> str | None:
    found = step.get("Regex")
    return found if isinstance(found, str) else None


def repeats_repeats(pattern: str) -> bool:
    """Whether a group that is repeated without end holds something repeated so or so often."""
    inner = [False]  # whether the group at each level repeats something
    place = 0
    while place < len(pattern):
        if skipped := ATOM.match(pattern, place):
            place = skipped.end()
            continue
        mark = pattern[place]
        if mark == "[":
            place = _class_end(pattern, place)
            continue
        if mark == "(":
            inner.append(False)
        elif mark == ")" and len(inner) > 1:
            repeats = inner.pop()
            if repeats and REPEAT.match(pattern, place + 1):
                return True
            inner[-1] |= repeats
        elif REPEAT.match(pattern, place):
            inner[-1] = True
        place += 1
    return False


def _class_end(pattern: str, place: int) -> int:
    """The place behind a class of characters, which may hold others."""
    level = 0
    while place < len(pattern):
        mark = pattern[place]
        if mark == "\\":
            place += 1
        elif mark == "[":
            level += 1
        elif mark == "]":
            level -= 1
            if level == 0:
                return place + 1
        place += 1
    return place
