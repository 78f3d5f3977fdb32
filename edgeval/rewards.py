"""Video-R1's training rewards, a batch at a time: of single answers, and of groups of them.

An answer is a completion as the model wrote it, a solution "<answer>gold</answer>"; the first
closed tags count, and without them the text is "". A group is every completion sampled for one
question: float64 [groups, completions].

Source: tulerfeng/Video-R1@59d65c347e44efa71be27abf9d89b4a2bb7d1c05, src/r1-v/src/open_r1: grpo.py
(rewards of answers), trainer (rewards of groups and advantages, there in float32).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from edgeval import _core
from edgeval.answers.video_r1 import final_answer, is_think_then_answer, number, same_number
from edgeval.errors import ArgumentError

Texts = Sequence[str]
Floats = NDArray[np.float64]
Reward = Callable[[Texts, Texts], Floats]

_TINY = 1e-9
_TRIED = 0.1
_SHORTEST, _LONGEST, _LENGTH_BONUS = 320, 512, 0.2


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
    _require_as_many(answers, solutions)
    return _core.ocr_rewards(answers, solutions)


def free_form(answers: Texts, solutions: Texts) -> Floats:
    """The mean of the F-measures of ROUGE-1, ROUGE-2 and ROUGE-L, words stemmed."""
    _require_as_many(answers, solutions)
    return _core.free_form_rewards(answers, solutions)


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Temporal:
    """What frames in order are worth to each completion, and whether each group earned it.

    ``bonus``: float64 [groups, completions]; ``granted``: float64 [groups], 1 or 0, which is what
    the source logs as temporal reward.
    """

    bonus: Floats
    granted: Floats


def temporal(ordered: Floats, shuffled: Floats) -> Temporal:
    """0.3 for each completion with accuracy over 0.1 in groups that are no worse in order.

    That is, where the mean accuracy on ordered frames, float64 [groups, completions], is at least
    0.8 of that on shuffled ones, float64 [groups, others]; so equal means pass, zeros too.
    """
    bonus, granted = _core.temporal_rewards(ordered, shuffled)
    return Temporal(bonus=bonus, granted=granted)


def length(accuracies: Floats, n_tokens: NDArray[np.int64]) -> Floats:
    """0.2 for each completion of 320 to 512 tokens with accuracy over 0.1, where two have that.

    ``accuracies``: float64 [groups, completions] before the temporal bonus; ``n_tokens``: as many.
    """
    if accuracies.shape != n_tokens.shape or accuracies.ndim != 2:
        raise ArgumentError(
            f"length reward: got accuracies {accuracies.shape} and tokens {n_tokens.shape}; wants "
            "the same [groups, completions]"
        )
    tried = accuracies > _TRIED
    several = tried.sum(axis=1, keepdims=True) > 1
    fits = (n_tokens >= _SHORTEST) & (n_tokens <= _LONGEST)
    return np.where(tried & several & fits, _LENGTH_BONUS, 0.0)


def advantages(rewards: Floats) -> Floats:
    """Each reward less its group's mean, over the group's standard deviation + 1e-4.

    ``rewards`` and the result: float64 [groups, completions]. The deviation is the unbiased one,
    so a group has at least two. Raises ArgumentError.
    """
    return _core.group_advantages(rewards)


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupRewards:
    """What a T-GRPO step learns from: float64 [groups, completions].

    ``granted``: as in Temporal, float64 [groups], and 0.5 for images.
    """

    rewards: Floats
    advantages: Floats
    granted: Floats


def t_grpo(
    accuracies: Floats,
    forms: Floats,
    *,
    shuffled: Floats | None = None,
    n_tokens: NDArray[np.int64] | None = None,
) -> GroupRewards:
    """Rewards and advantages of groups of completions, as T-GRPO sums them up.

    ``accuracies`` and ``forms`` (accuracy and format reward): float64 [groups, completions] on
    ordered frames; ``shuffled``: accuracies on shuffled frames, float64 [groups, others], None for
    images, which earn no temporal bonus; ``n_tokens``: lengths of the completions, their end token
    included, None for no length reward. The paper's groups: 8 ordered, 4 shuffled. Raises
    ArgumentError.
    """
    rewards, relative, granted = _core.t_grpo(accuracies, forms, shuffled, n_tokens)
    return GroupRewards(rewards=rewards, advantages=relative, granted=granted)


def _held(*sides: Texts) -> list[list[str]]:
    _require_as_many(*sides)
    return [[final_answer(text) for text in side] for side in sides]


def _require_as_many(*sides: Texts) -> None:
    if len({len(side) for side in sides}) > 1:
        raise ArgumentError(
            f"rewards: got lists of {' and '.join(str(len(side)) for side in sides)}; wants a "
            "solution, and a type where one is asked for, for every answer"
        )
