"""How a VSI-Bench answer is scored: by the authors' code, by lmms-eval and by VLMEvalKit."""

from __future__ import annotations

import math

import numpy as np

from edgeval.answers import strip_reasoning
from edgeval.answers.vlmeval import spatial_letter, spatial_number
from edgeval.answers.vsibench import first_number, first_word, python_number
from edgeval.types import Question, Score

RULES = ("official", "lmms-eval", "vlmeval")


def score(one: Question, response: str) -> tuple[Score, ...]:
    """The answer under each rule, official first.

    Letters must be equal but for case; numbers earn mean relative accuracy. The first two rules
    read the first word, lmms-eval numbers by ``first_number``, both after it strips reasoning;
    VLMEvalKit searches the whole text and scores what is of no known type as a number.
    """
    said = (first_word(response), first_word(strip_reasoning(response)))
    if one.kind == "choice":
        read = (*said, spatial_letter(response))
        return tuple(_letter(rule, one, word) for rule, word in zip(RULES, read, strict=True))
    numbers = (
        python_number(said[0]),
        first_number(strip_reasoning(response)),
        spatial_number(response),
    )
    return tuple(_number(rule, one, got) for rule, got in zip(RULES, numbers, strict=True))


def _letter(rule: str, one: Question, word: str | None) -> Score:
    letters = {choice.partition(".")[0].lower(): choice.partition(".")[0] for choice in one.choices}
    letter = letters.get((word or "").lower())
    if letter is None:
        return Score(rule=rule, value=0.0, parsed=None, status="unparsed")
    return Score(rule=rule, value=float(letter == one.answer), parsed=letter, status="scored")


def _number(rule: str, one: Question, got: float | None) -> Score:
    """Where the authors' code stops with an error (a gold of 0, an unknown type), left out."""
    want = python_number(one.answer)
    strict = rule != "vlmeval"
    if strict and one.kind != "number":
        return Score(rule=rule, value=None, parsed=None, status="excluded")
    if got is None:
        return Score(rule=rule, value=0.0, parsed=None, status="unparsed")
    if strict and want == 0:
        return Score(rule=rule, value=None, parsed=str(got), status="excluded")
    value = _accuracy(got, want, signed=strict)
    return Score(rule=rule, value=value, parsed=str(got), status="scored")


def _accuracy(got: float, want: float | None, *, signed: bool) -> float:
    """Mean relative accuracy; the authors divide by the signed gold, VLMEvalKit by its size.

    VLMEvalKit takes the difference itself for a gold of 0 (cal_scores.py, abs_dist_norm). All give
    0 for a gold that is no finite number.
    """
    if want is None or not math.isfinite(want):
        return 0.0
    # Late, because it brings the extension, which listing benchmarks must not load.
    from edgeval import metrics

    if want == 0:
        return float((abs(got) <= 1 - np.linspace(0.5, 0.95, 10)).mean())
    if want < 0 and not signed:
        got, want = -got, -want
    return metrics.mean_relative_accuracy(got, want)
