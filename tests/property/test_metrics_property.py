"""Text metrics against tables filled cell by cell, on any words."""

from __future__ import annotations

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from edgeval import metrics

# Few words make long matches, many make none; lengths reach over one 64-bit word and two.
words = st.integers(1, 60).flatmap(
    lambda kinds: st.lists(st.integers(0, kinds).map(lambda i: f"w{i}"), max_size=140)
)


def edit_distance(got: list[str], want: list[str]) -> int:
    row = list(range(len(got) + 1))
    for i, word in enumerate(want, 1):
        diagonal, row[0] = row[0], i
        for j, other in enumerate(got, 1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (word != other))
    return row[-1]


def common_subsequence(got: list[str], want: list[str]) -> int:
    row = [0] * (len(got) + 1)
    for word in want:
        diagonal = 0
        for j, other in enumerate(got, 1):
            longest = diagonal + 1 if word == other else max(row[j], row[j - 1])
            diagonal, row[j] = row[j], longest
    return row[-1]


@given(got=words, want=words)
def test_word_error_rate_equals_the_table(got: list[str], want: list[str]) -> None:
    rate = metrics.word_error_rate(" ".join(got), " ".join(want))
    assert rate == edit_distance(got, want) / max(1, len(want))


@given(got=words, want=words)
def test_rouge_l_equals_the_table(got: list[str], want: list[str]) -> None:
    overlap = metrics.rouge_l(" ".join(got), " ".join(want), stem=False)
    shared = common_subsequence(got, want)
    assert overlap.precision == shared / max(1, len(got))
    assert overlap.recall == shared / max(1, len(want))


@given(got=words, want=words, n=st.integers(1, 4))
def test_rouge_n_equals_counting(got: list[str], want: list[str], n: int) -> None:
    said = Counter(zip(*(got[i:] for i in range(n)), strict=False))
    meant = Counter(zip(*(want[i:] for i in range(n)), strict=False))
    overlap = metrics.rouge_n(" ".join(got), " ".join(want), n=n, stem=False)
    assert overlap.precision == (said & meant).total() / max(1, said.total())
    assert overlap.recall == (said & meant).total() / max(1, meant.total())


@given(got=st.text(), want=st.text())
def test_any_text_scores_within_bounds(got: str, want: str) -> None:
    overlaps = [metrics.rouge_n(got, want, n=1), metrics.rouge_l(got, want)]
    assert all(0 <= overlap.f_measure <= 1 for overlap in overlaps)
    assert metrics.word_error_rate(got, want) >= 0
    assert metrics.word_error_rate(want, want) == 0


@given(
    pairs=st.lists(st.tuples(st.floats(), st.floats().filter(lambda x: x != 0)), max_size=20),
    definition=st.sampled_from(["float64", "float32"]),
)
def test_any_number_scores_within_bounds(
    pairs: list[tuple[float, float]], definition: metrics.Definition
) -> None:
    table = np.array(pairs, dtype=np.float64).reshape(-1, 2).T.copy()
    scores = metrics.mean_relative_accuracies(table[0], table[1], definition=definition)
    assert ((scores >= 0) & (scores <= 1)).all()
