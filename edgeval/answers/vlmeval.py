"""How VLMEvalKit reads the answer to a spatial question: an option's letter, or a number.

Written anew from open-compass/VLMEvalKit@e8e78f05f3080fe28154f2130321f17951c3be94,
vlmeval/dataset/utils/spatial_bench/matching_func.py (can_match_option, can_match_na).
"""

# ruff: noqa: RUF001 - full-width punctuation is among what is looked for

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Sequence

_TAIL_LINES = 6
_TAIL_CHARACTERS = 800

_ZERO_WIDTH = re.compile("[\u200b\u200c\u200d\ufeff]")
_NUMBER = r"[-+]?(?:\d*\.\d+|\d+)(?:[eE][-+]?\d+)?"
_NUMBERS = re.compile(_NUMBER)
_SMALL = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
    *("eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen"),
    *("eighteen", "nineteen", "twenty"),
)
_SMALL_WORD = re.compile(rf"\b({'|'.join(_SMALL)})\b", re.IGNORECASE)

_BEGIN, _END = r"<\s*answer\b[^>]*>\s*", r"<\s*/\s*answer\s*>"
_TAGGED_LETTER = re.compile(
    rf"{_BEGIN}([A-J])(?:\s*[\.．:：\)\]】、])?.*?{_END}", re.IGNORECASE | re.DOTALL
)
_TAGGED_NUMBER = re.compile(
    rf"{_BEGIN}({_NUMBER})(?:[^\d<][^<]*)?{_END}", re.IGNORECASE | re.DOTALL
)
_THOUGHT_BEGINS = re.compile(r"<\s*think\s*>", re.IGNORECASE)
_THOUGHT_ENDS = re.compile(r"</\s*think\s*>", re.IGNORECASE)

# A letter that no letter touches on the left, in brackets or not.
_LETTER = r"[\(\[\{（【]?\s*([A-F])\s*[\)\]\}）】]?"
_BEFORE_TAG = tuple(
    re.compile(rf"(?<![A-Za-z]){_LETTER}\s*</\s*{tag}\s*>", re.IGNORECASE)
    for tag in ("answer", "think")
)
_LISTED_OPTION = re.compile(r"^(?:[*_>\-\s]*)(?:option|选项)\s+[A-J]\s*[:：]", re.IGNORECASE)
_LONE = re.compile(r"\s*[*_`>（）\[\]【】\(\)]*\s*([A-Fa-f])\s*[*_`（）\[\]【】\(\)]*\s*")
_LABEL = re.compile(r"\s*([A-F])\s*[\.．:：\)\]】、-]\s+", re.IGNORECASE)
# The original also lets brackets stand before these letters; they decide nothing but cost a time
# that grows with the square of their number.
_INLINE = re.compile(
    r"(?<![A-Za-z])([A-F])\s*[*_`）\]\}\)]*(?=$|[\s\.,:;!?\)\]】》」』，。；、：）])"
)
_ANNOUNCED = re.compile(
    r"(?:final\s*answer|the\s*answer\s*is|answer(?:\s*is)?|correct\s*answer|答案|最终答案|结论|所以"
    rf"|因此|我选(?:择)?|选择|选)\s*[:：>＝=]?\s*{_LETTER}(?:\b|[.)、。])",
    re.IGNORECASE,
)
_ANYWHERE = re.compile(r"(?<![A-Za-z])([A-F])(?![A-Za-z])")


def spatial_letter(response: str) -> str | None:
    """The letter that VLMEvalKit takes, A to F (to J in an <answer> block), None for none.

    In this order: the beginning of an <answer> block; before </answer> or </think>, near the end;
    the last lines after the thinking, then the last lines of all, from below; after a phrase that
    announces an answer; the only capital letter that stands alone anywhere.
    """
    text = _ZERO_WIDTH.sub("", response.strip())
    end = text[-_TAIL_CHARACTERS:]
    for pattern, place in ((_TAGGED_LETTER, text), *((tag, end) for tag in _BEFORE_TAG)):
        if match := pattern.search(place):
            return match.group(1).upper()
    for place in (_after_thought(text), end):
        if letter := _from_below(place.splitlines()[-_TAIL_LINES:]):
            return letter
    if match := _ANNOUNCED.search(text):
        return match.group(1).upper()
    left = "\n".join(line for line in text.splitlines() if not _LISTED_OPTION.search(line))
    return _only(_ANYWHERE.findall(left))


def spatial_number(response: str) -> float | None:
    """The number that VLMEvalKit takes: in an <answer> block, else the last one after the thinking.

    "zero" to "twenty" count as digits, so that "twenty-one" is -1. Of a list its first item is
    read; one that does not read as a Python literal is no number.
    """
    said: str | None = response
    bare = response.strip()
    if bare.startswith("[") and bare.endswith("]"):
        said = _first_item(response)
    if said is None:
        return None
    text = _SMALL_WORD.sub(_digits, _ZERO_WIDTH.sub("", said.strip()))
    if match := _TAGGED_NUMBER.search(text):
        return float(match.group(1))
    numbers = _NUMBERS.findall(_after_thought(text)) or _NUMBERS.findall(text)
    return float(numbers[-1]) if numbers else None


def _after_thought(text: str) -> str:
    """What follows the last </think>, else the last <think>, else all."""
    for pattern in (_THOUGHT_ENDS, _THOUGHT_BEGINS):
        if places := [match.end() for match in pattern.finditer(text)]:
            return text[places[-1] :].strip()
    return text


def _from_below(lines: Sequence[str]) -> str | None:
    """The letter of the last line that has one: alone, as a label, or the only one in it."""
    for line in reversed([line.strip() for line in lines if line.strip()]):
        if _LISTED_OPTION.search(line):
            continue
        match = _LONE.fullmatch(line) or _LABEL.match(line)
        letter = match.group(1).upper() if match else _only(_INLINE.findall(line))
        if letter:
            return letter
    return None


def _only(letters: Sequence[str]) -> str | None:
    return letters[0] if len(set(letters)) == 1 else None


def _digits(match: re.Match[str]) -> str:
    # The pattern also takes letters that only fold to these; those stay as they are.
    word = match.group().lower()
    return str(_SMALL.index(word)) if word in _SMALL else match.group()


def _first_item(text: str) -> str | None:
    """The first item of a list literal as text; the text itself where it is no list, or empty.

    None for what is no literal, and for what holds a set, whose order is of the moment.
    """
    try:
        with warnings.catch_warnings():
            # "[1 is 1]" and the like only warn where warnings are not errors.
            warnings.simplefilter("ignore")
            tree = ast.parse(text.lstrip(" \t"), mode="eval")
            if any(isinstance(node, ast.Set) for node in ast.walk(tree)):
                return None
            items = ast.literal_eval(tree)
            return str(items[0]) if isinstance(items, list) and items else text
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return None
