"""Whole numbers in English, as the video prompt says how many frames there are."""

from __future__ import annotations

# fmt: off
ONES = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine",
    "ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen",
    "sixteen", "seventeen", "eighteen", "nineteen",
)
# fmt: on
TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")


def in_words(n: int) -> str:
    """A whole number 0 <= n < 10**6 in English words, as num2words says it.

    "one thousand, two hundred and six"
    """
    if n < 20:
        return ONES[n]
    if n < 100:
        return TENS[n // 10 - 2] + (f"-{ONES[n % 10]}" if n % 10 else "")
    if n < 1000:
        return f"{ONES[n // 100]} hundred" + (f" and {in_words(n % 100)}" if n % 100 else "")
    thousands, rest = f"{in_words(n // 1000)} thousand", n % 1000
    if not rest:
        return thousands
    return f"{thousands} and {in_words(rest)}" if rest < 100 else f"{thousands}, {in_words(rest)}"
