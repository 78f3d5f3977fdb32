"""Video-R1's training rewards, a batch at a time: of single answers, and of groups of them.

An answer is a completion as the model wrote it, a solution "<answer>gold</answer>"; the first
closed tags count, and without them the text is "". A group is every completion sampled for one
question: float64 [groups, completions].

Source: tulerfeng/Video-R1@59d65c347e44efa71be27abf9d89b4a2bb7d1c05, src/r1-v/src/open_r1: grpo.py
(rewards of answers), trainer (rewards of groups and advantages, there in float32).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from edgeval import metrics
from edgeval.answers.video_r1 import final_answer, is_think_then_answer, number, same_number
from edgeval.errors import ArgumentError

Texts = Sequence[str]
Floats = NDArray[np.float64]
Reward = Callable[[Texts, Texts], Floats]

_TINY = 1e-9


def multiple_choice(answers: Texts, solutions: Texts) -> Floats:
    """1 where the answer is the solution's letter and nothing else, case and marks included."""
    got, want = _held(answers, solutions)
    return np.array([x == y for x, y in zip(got, want, strict=True)], dtype=np.float64)


def numerical(answers: Texts, solutions: Texts) -> Floats:
    """1 where both are one number to two decimals, and both or neither have a point or comma."""
    got, want = _held(answers, solutions)
    return np.array([same_number(x, y) for x, y in zip(got, want, strict=True)], dtype=np.float64)


def regression(answers: Texts, solutions: Texts) -> Floats:
    """1 less the relative error, at least 0; 0 where either is no number.

    As in the source, "nan" earns 1: the comparisons that bound its error let it through as 0.
    """
    numbers = [[number(text) for text in side] for side in _held(answers, solutions)]
    known = np.array([None not in pair for pair in zip(*numbers, strict=True)], dtype=np.bool_)
    got, want = (np.array([x or 0.0 for x in side], dtype=np.float64) for side in numbers)
    with np.errstate(invalid="ignore", over="ignore"):
        error = (np.abs(got - want) + _TINY) / (np.abs(want) + _TINY)
    error = np.where(error > 0, error, 0.0)
    return np.where(known, 1 - np.where(error < 1, error, 1.0), 0.0)


def ocr(answers: Texts, solutions: Texts) -> Floats:
    """1 less the word error rate, at least 0; case and marks count."""
    got, want = _held(answers, solutions)
    return np.clip(1 - metrics.word_error_rates(got, want), 0, 1)


def free_form(answers: Texts, solutions: Texts) -> Floats:
    """The mean of the F-measures of ROUGE-1, ROUGE-2 and ROUGE-L, words stemmed."""
    got, want = _held(answers, solutions)
    one, two = (metrics.rouge_n_rows(got, want, n=n)[:, 2] for n in (1, 2))
    return np.clip((one + two + metrics.rouge_l_rows(got, want)[:, 2]) / 3, 0, 1)


ACCURACY: Mapping[str, Reward] = MappingProxyType(
    {
        "multiple choice": multiple_choice,
        "numerical": numerical,
        "OCR": ocr,
        "free-form": free_form,
        "regression": regression,
    }
)


def accuracy(answers: Texts, solutions: Texts, problem_types: Texts) -> Floats:
    """The accuracy reward of each answer by its problem type, 0 for a type that has none.

    The source takes the first answer's type for the whole batch; there a batch is one question.
    """
    _require_as_many(answers, solutions, problem_types)
    earned = np.zeros(len(answers))
    for name, reward in ACCURACY.items():
        rows = [row for row, problem_type in enumerate(problem_types) if problem_type == name]
        if rows:
            earned[rows] = reward([answers[i] for i in rows], [solutions[i] for i in rows])
    return earned


def form(answers: Texts) -> Floats:
    """The format reward: 1 where a <think> and an <answer> block are the whole answer."""
    return np.array([is_think_then_answer(text) for text in answers], dtype=np.float64)


def _held(*sides: Texts) -> list[list[str]]:
    _require_as_many(*sides)
    return [[final_answer(text) for text in side] for side in sides]


def _require_as_many(*sides: Texts) -> None:
    if len({len(side) for side in sides}) > 1:
        raise ArgumentError(
            f"rewards: got lists of {' and '.join(str(len(side)) for side in sides)}; wants a "
            "solution, and a type where one is asked for, for every answer"
        )
