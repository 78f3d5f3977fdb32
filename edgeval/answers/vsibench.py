"""How VSI-Bench's own code and lmms-eval read an answer of a word or a number.

Commits: thinking-in-space = vision-x-nyu/thinking-in-space@51e089c3,
lmms-eval = EvolvingLMMs-Lab/lmms-eval@75571cfe.
"""

from __future__ import annotations

import re

_DIGITS = re.compile(r"-?\d+(?:\.\d+)?")
_WORD = re.compile(r"[a-z]+")
_ONES = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
    *("eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen"),
    *("eighteen", "nineteen"),
)
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_VALUES = (
    {word: value for value, word in enumerate(_ONES)}
    | {word: 10 * tens for tens, word in enumerate(_TENS, start=2)}
    | {"hundred": 100, "thousand": 1000}
)


def first_word(response: str) -> str:
    r"""What stands before the first space, without full stops at its end.

    Only a space divides: "3\nchairs" is one word, and an answer that begins with one is empty.
    Source: thinking-in-space and lmms-eval, lmms_eval/tasks/vsibench/utils.py, fuzzy_matching.
    """
    return response.split(" ", maxsplit=1)[0].rstrip(".").strip()


def python_number(text: str) -> float | None:
    """What Python's float() makes of the whole text: "1e3", "1_000", "nan", digits of any script.

    Source: thinking-in-space, lmms_eval/tasks/vsibench/utils.py, to_float.
    """
    try:
        return float(text)
    except ValueError:
        return None


def first_number(response: str) -> float | None:
    """The first number in digits or in English words, whichever begins earlier.

    Words run on over "and" and over what is not a letter, until another word: "three hundred and
    twenty-one" is 321. Digits know neither exponents nor commas: "1.2e+01" is 1.2, "1,000" is 1.
    Source: lmms-eval, lmms_eval/tasks/vsibench/utils.py, extract_number.
    """
    text = response.strip().lower()
    digits = _DIGITS.search(text)
    start, words = _number_words(text)
    if digits is not None and (start is None or digits.start() < start):
        return float(digits.group())
    return None if start is None else float(_counted(words))


def _number_words(text: str) -> tuple[int | None, list[str]]:
    """Where the first run of number words begins, and its words without "and"."""
    start: int | None = None
    words: list[str] = []
    for match in _WORD.finditer(text):
        word = match.group()
        if word in _VALUES:
            start = match.start() if start is None else start
            words.append(word)
        elif start is not None and word != "and":
            break
    return start, words


def _counted(words: list[str]) -> int:
    thousands, below = 0, 0
    for word in words:
        value = _VALUES[word]
        if value == 1000:
            thousands, below = thousands + max(below, 1) * 1000, 0
        elif value == 100:
            below = max(below, 1) * 100
        else:
            below += value
    return thousands + below
