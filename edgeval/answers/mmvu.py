"""How lmms-eval reads MMVU without its judge: choices by letter or text, open answers loosely.

Written anew from EvolvingLMMs-Lab/lmms-eval@75571cfe0fa36ca5ec2e6aa2bb268f9d38295af3,
lmms_eval/tasks/mmvu/utils.py (evaluate_with_rule_based). Both are generous on purpose or by
accident: an answer that lists all letters is right, and so is an empty open one.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterator

_LETTER = re.compile(r"\b([A-E])\b")
_NUMBER = re.compile(r"\d+\.?\d*")
_ORDER_OF = re.compile(r"o\s*\(")
_POWERS = str.maketrans({raised: f"^{n}" for n, raised in enumerate("⁰¹²³⁴⁵⁶⁷⁸⁹")})
_NEAR = 0.01
_SHORT = 2
_MOST_WORDS = 5


def choice_letter(said: str) -> str | None:
    """The first capital letter from A to E that stands alone, as lmms-eval logs it; else None."""
    match = _LETTER.search(said)
    return match.group(1) if match else None


def choice_right(said: str, gold: str, text: str) -> bool:
    """Whether a choice answer is right; ``gold`` is a letter, ``text`` its option.

    It is when the letter stands alone anywhere in any case (the article "a" does for A), when the
    option's text is in it, or when it has the letter anywhere, also inside words, and any word of
    the option longer than two characters, also inside others.
    """
    said = said.strip()
    if re.search(rf"\b{re.escape(gold)}\b", said, re.IGNORECASE):
        return True
    lowered, text = said.lower(), text.strip().lower()
    if text in lowered:
        return True
    words = (word for word in _words(text) if len(word) > _SHORT)
    return gold.upper() in said.upper() and any(word in lowered for word in words)


def open_right(said: str, gold: str) -> bool:
    """Whether an open answer is right without asking a judge.

    It is when either holds the other (so an empty one is), when their first numbers are within
    0.01, when it has every longer word of a gold answer of two to five words, or when both have
    the same O(...). Case, white space and raised digits do not matter.
    """
    got, want = _normal(said), _normal(gold)
    return want in got or got in want or _near(got, want) or _worded(got, want) or _order(got, want)


def _normal(text: str) -> str:
    return " ".join(text.strip().lower().translate(_POWERS).split())


def _words(text: str) -> Iterator[str]:
    """The words without punctuation at their ends; a word of nothing else is empty."""
    return (word.strip(string.punctuation) for word in text.split())


def _near(got: str, want: str) -> bool:
    first, other = _NUMBER.search(got), _NUMBER.search(want)
    if first is None or other is None:
        return False
    return abs(float(first.group()) - float(other.group())) < _NEAR


def _worded(got: str, want: str) -> bool:
    wanted = [word for word in _words(want) if word]
    if not 2 <= len(wanted) <= _MOST_WORDS:
        return False
    said = set(_words(got))
    return all(word in said for word in wanted if len(word) > _SHORT)


def _order(got: str, want: str) -> bool:
    first = _order_of(got)
    return first is not None and first == _order_of(want)


def _order_of(text: str) -> str | None:
    """The first "o(...)" that has something between its brackets."""
    for match in _ORDER_OF.finditer(text):
        end = text.find(")", match.end())
        if end < 0:
            return None
        if end > match.end():
            return text[match.start() : end + 1]
    return None
