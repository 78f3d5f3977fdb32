"""How right an answer is, in numbers: kernels of the core under names a benchmark reads.

The singular functions score one answer, the plural ones a list of them in one call.
``csrc/core/metrics.hpp`` names each definition's source.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from edgeval import _core
from edgeval.errors import ArgumentError

Definition: TypeAlias = Literal["float64", "float32"]
_MAX_SEED = 2**64 - 1
_MAX_RESAMPLES = 2**24


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlap:
    """What two texts share: parts of the answer, parts of the reference, their harmonic mean."""

    precision: float
    recall: float
    f_measure: float


def mean_relative_accuracy(got: float, want: float, *, definition: Definition = "float64") -> float:
    """Share of the ten thresholds 0.50 .. 0.95 that the relative error of ``got`` passes.

    "float64": |got - want| / want <= 1 - threshold (thinking-in-space@51e089c3).
    "float32": |got - want| / (|want| + 1e-8) < 1 - threshold (Video-R1@59d65c34).
    They differ: 3 for 2 is worth 0.1 and 0.0. NaN and infinite ``got`` are worth 0. Raises
    ArgumentError for ``want`` = 0 under "float64", where the source divides by zero.
    """
    scores = mean_relative_accuracies(
        np.array([got], np.float64), np.array([want], np.float64), definition=definition
    )
    return float(scores[0])


def mean_relative_accuracies(
    got: NDArray[np.float64], want: NDArray[np.float64], *, definition: Definition = "float64"
) -> NDArray[np.float64]:
    """Mean relative accuracy of every pair; ``got``, ``want`` and the result: float64 [n]."""
    if definition == "float64":
        return _core.mean_relative_accuracy_float64(got, want)
    if definition == "float32":
        return _core.mean_relative_accuracy_float32(got, want)
    raise ArgumentError(
        f"mean relative accuracy: got definition {definition!r}; wants 'float64' or 'float32'"
    )


def word_error_rate(got: str, want: str) -> float:
    """Words to insert, delete or replace to make ``want`` of ``got``, over max(1, words wanted).

    Words stand between white space, case counts; above 1 when ``got`` is much longer.
    Source: Video-R1@59d65c34, src/r1-v/src/open_r1/grpo.py (wer).
    """
    return float(word_error_rates([got], [want])[0])


def word_error_rates(got: Sequence[str], want: Sequence[str]) -> NDArray[np.float64]:
    """Word error rate of every pair, float64 [n]."""
    return _core.word_error_rates(got, want)


def rouge_n(got: str, want: str, *, n: int, stem: bool = True) -> Overlap:
    """Overlap of the texts' word ``n``-grams (ROUGE-n), repeats counted.

    Words are runs of a-z and 0-9 in lower case; ``stem`` cuts those over three letters to
    Porter's stem. Source: google-research rouge_score (RougeScorer, "rouge1", "rouge2").
    """
    return _overlap(rouge_n_rows([got], [want], n=n, stem=stem))


def rouge_n_rows(
    got: Sequence[str], want: Sequence[str], *, n: int, stem: bool = True
) -> NDArray[np.float64]:
    """ROUGE-n of every pair: float64 [len(got), 3], precision, recall and F."""
    return _core.rouge_n(got, want, order=n, stem=stem)


def rouge_l(got: str, want: str, *, stem: bool = True) -> Overlap:
    """Overlap by the longest common subsequence of words (ROUGE-L), words as in ``rouge_n``."""
    return _overlap(rouge_l_rows([got], [want], stem=stem))


def rouge_l_rows(
    got: Sequence[str], want: Sequence[str], *, stem: bool = True
) -> NDArray[np.float64]:
    """ROUGE-L of every pair: float64 [len(got), 3], precision, recall and F."""
    return _core.rouge_l(got, want, stem=stem)


def tally(
    groups: NDArray[np.int64], classes: NDArray[np.int64], *, n_groups: int, n_classes: int
) -> NDArray[np.int64]:
    """How many answers fall into each (group, class): int64 [n_groups, n_classes], exact.

    ``groups`` and ``classes``: int64 [n], indices from 0; ArgumentError for one outside.
    """
    return _core.tally(groups, classes, n_groups=n_groups, n_classes=n_classes)


def bootstrap_sums(sums: NDArray[np.float64], *, resamples: int, seed: int) -> NDArray[np.float64]:
    """Column sums of ``resamples`` draws of whole clusters: float64 [resamples, k].

    ``sums``: float64 [clusters, k], each cluster's own sums. A draw depends on (seed, resample,
    place) alone, so the result is the same on every machine and number of threads.
    """
    if not 1 <= resamples <= _MAX_RESAMPLES or not 0 <= seed <= _MAX_SEED:
        raise ArgumentError(
            f"bootstrap: got resamples={resamples}, seed={seed}; "
            f"wants 1 to {_MAX_RESAMPLES} and 0 to 2**64 - 1"
        )
    return _core.bootstrap_sums(sums, seed=seed, first=0, count=resamples)


def _overlap(rows: NDArray[np.float64]) -> Overlap:
    precision, recall, f_measure = rows[0].tolist()
    return Overlap(precision=precision, recall=recall, f_measure=f_measure)
