"""Metric kernels: equal to slow twins in Python, and what they do with senseless input."""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Callable

import numpy as np
import pytest

from edgeval import _core, metrics
from edgeval.errors import ArgumentError

# (got, want, float64 `<=`, float32 `<`) as the two sources score them.
PAIRS = [
    (3.0, 2.0, 0.1, 0.0),
    (1.0, 2.0, 0.1, 0.0),
    (5.0, 4.0, 0.6, 0.5),
    (9.0, 10.0, 0.9, 0.9),
    (1.1, 1.0, 0.9, 0.8),
    (1.8, 2.0, 0.9, 0.8),
    (7.0, 10.0, 0.5, 0.4),
    (15.0, 10.0, 0.1, 0.0),
]


@pytest.mark.parametrize(("got", "want", "wide", "_narrow"), PAIRS)
def test_mean_relative_accuracy_float64(
    got: float, want: float, wide: float, _narrow: float
) -> None:
    assert metrics.mean_relative_accuracy(got, want, definition="float64") == wide


@pytest.mark.parametrize(("got", "want", "_wide", "narrow"), PAIRS)
def test_mean_relative_accuracy_float32(
    got: float, want: float, _wide: float, narrow: float
) -> None:
    score = metrics.mean_relative_accuracy(got, want, definition="float32")
    assert score == float(np.float32(narrow))


def wide_twin(got: np.ndarray, want: np.ndarray) -> np.ndarray:
    thresholds = np.linspace(0.5, 0.95, 10)
    return (np.abs(got - want) / want <= 1 - thresholds[:, None]).mean(axis=0)


def narrow_twin(got: np.ndarray, want: np.ndarray) -> np.ndarray:
    got, want = got.astype(np.float32), want.astype(np.float32)
    thresholds = (0.5 + 0.05 * np.arange(10)).astype(np.float32)
    error = np.abs(got - want) / (np.abs(want) + np.float32(1e-8))
    passed = error < np.float32(1) - thresholds[:, None]
    return (passed.sum(axis=0).astype(np.float32) / np.float32(10)).astype(np.float64)


@pytest.fixture(scope="module")
def numbers() -> tuple[np.ndarray, np.ndarray]:
    """All pairs of small integers and tenths, where thresholds are met exactly, and noise."""
    grid = np.concatenate([np.arange(0, 41), np.arange(1, 60) / 10])
    got, want = (side.ravel() for side in np.meshgrid(grid, grid[1:]))
    noise = np.random.default_rng(3).lognormal(2, 2, (2, 20_000))
    return np.concatenate([got, noise[0]]), np.concatenate([want, noise[1]])


def test_float64_kernel_equals_its_twin(numbers: tuple[np.ndarray, np.ndarray]) -> None:
    got = metrics.mean_relative_accuracies(*numbers, definition="float64")
    np.testing.assert_array_equal(got, wide_twin(*numbers))


def test_float32_kernel_equals_its_twin(numbers: tuple[np.ndarray, np.ndarray]) -> None:
    got = metrics.mean_relative_accuracies(*numbers, definition="float32")
    np.testing.assert_array_equal(got, narrow_twin(*numbers))


@pytest.mark.parametrize("definition", ["float64", "float32"])
@pytest.mark.parametrize("got", [math.nan, math.inf, -math.inf, 1e308])
def test_a_senseless_number_is_worth_nothing(got: float, definition: metrics.Definition) -> None:
    assert metrics.mean_relative_accuracy(got, 4.0, definition=definition) == 0.0


def test_a_gold_of_zero_is_refused_where_the_source_divides_by_it() -> None:
    with pytest.raises(ArgumentError, match="want=0"):
        metrics.mean_relative_accuracy(1.0, 0.0, definition="float64")


def test_an_unknown_definition_is_refused() -> None:
    with pytest.raises(ArgumentError, match="got definition 'float16'"):
        metrics.mean_relative_accuracy(1.0, 1.0, definition="float16")  # type: ignore[arg-type]


def test_integers_are_not_cast_silently() -> None:
    with pytest.raises(TypeError, match=r"got: got int64\(3,\); wants float64"):
        metrics.mean_relative_accuracies(np.arange(3), np.ones(3))


def test_lists_of_unequal_length_are_refused() -> None:
    with pytest.raises(ArgumentError, match=r"want: got float64\(2,\); wants shape \(3,\)"):
        metrics.mean_relative_accuracies(np.ones(3), np.ones(2))


def test_a_strided_array_is_refused() -> None:
    with pytest.raises(ArgumentError, match=r"not C-contiguous; call np\.ascontiguousarray"):
        metrics.mean_relative_accuracies(np.ones(6)[::2], np.ones(3))


def test_no_answers_have_no_scores() -> None:
    assert metrics.mean_relative_accuracies(np.ones(0), np.ones(0)).shape == (0,)


@pytest.mark.parametrize(
    ("got", "want", "rate"),
    [
        ("a b c", "a b c", 0.0),
        ("a  b\t\nc", " a\u00a0b c ", 0.0),
        ("A b", "a b", 0.5),
        ("", "a b", 1.0),
        ("a b c", "", 3.0),
        ("", "", 0.0),
        ("b a", "a b", 1.0),
        ("naïve café", "naïve cafe", 0.5),
        ("\ud800 a", "\ud800 a", 0.0),
    ],
)
def test_word_error_rate(got: str, want: str, rate: float) -> None:
    assert metrics.word_error_rate(got, want) == rate


def test_answers_without_references_are_refused() -> None:
    with pytest.raises(ArgumentError, match="got 1 answers for 2 references"):
        metrics.word_error_rates(["a"], ["a", "b"])


def test_an_endless_answer_is_refused() -> None:
    with pytest.raises(ArgumentError, match="262145 words against 262145; wants at most 262144"):
        metrics.word_error_rate("a " * 262_145, "a " * 262_145)


def test_an_endless_answer_to_a_short_question_is_counted() -> None:
    assert metrics.word_error_rate("a " * 262_145, "a") == 262_144


def test_words_stand_between_what_python_calls_white_space() -> None:
    texts = [f"a{chr(code)}b" for code in range(sys.maxunicode + 1)]
    missing = metrics.word_error_rates([""] * len(texts), texts)
    assert [t for t, rate in zip(texts, missing, strict=True) if rate != 1.0] == []
    wanted = [2 if len(text.split()) == 2 else 1 for text in texts]
    against_a = metrics.word_error_rates(["a b"] * len(texts), texts)
    assert [rate == 0.0 for rate in against_a] == [n == 2 for n in wanted]


def test_rouge_lowers_every_letter_as_python_does() -> None:
    texts = [f"x{chr(code)}y" for code in range(sys.maxunicode + 1)]
    lowered = [" ".join(re.findall("[a-z0-9]+", text.lower())) for text in texts]
    assert (metrics.rouge_n_rows(texts, lowered, n=1, stem=False)[:, 2] == 1.0).all()


def test_one_text_is_no_list_of_texts() -> None:
    with pytest.raises(TypeError, match="got one text; wants a list of them"):
        metrics.word_error_rates("abc", "abc")


def test_a_number_is_no_text() -> None:
    with pytest.raises(TypeError, match="want: got int in the list; wants str"):
        metrics.word_error_rates(["a"], [1])  # type: ignore[list-item]


@pytest.mark.parametrize("n", [0, 10, -1])
def test_rouge_of_no_order_is_refused(n: int) -> None:
    with pytest.raises(ArgumentError, match=f"got order {n}; wants 1 to 9"):
        metrics.rouge_n("a", "a", n=n)


def test_rouge_of_lone_surrogates_is_nothing() -> None:
    assert metrics.rouge_l("\ud800", "\ud800").f_measure == 0.0


def test_rouge_of_three_words_counts_trigrams() -> None:
    overlap = metrics.rouge_n("a b c d", "x a b c", n=3)
    assert (overlap.precision, overlap.recall, overlap.f_measure) == (0.5, 0.5, 0.5)


def test_tally_counts_every_pair() -> None:
    rng = np.random.default_rng(5)
    groups, classes = rng.integers(0, 7, 10_000), rng.integers(0, 4, 10_000)
    expected = np.zeros((7, 4), np.int64)
    np.add.at(expected, (groups, classes), 1)
    got = metrics.tally(groups, classes, n_groups=7, n_classes=4)
    np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize("groups", [[0, 7], [-1, 0]])
def test_tally_refuses_an_index_outside(groups: list[int]) -> None:
    with pytest.raises(ArgumentError, match="tally: got group"):
        metrics.tally(np.array(groups), np.array([0, 0]), n_groups=7, n_classes=1)


@pytest.mark.parametrize(("n_groups", "n_classes"), [(2**40, 2), (2, 2**40), (-1, 2)])
def test_tally_refuses_a_table_without_end(n_groups: int, n_classes: int) -> None:
    with pytest.raises(ArgumentError, match="cells"):
        metrics.tally(np.array([0]), np.array([0]), n_groups=n_groups, n_classes=n_classes)


LONG = (
    [" ".join(f"w{i % 997}" for i in range(9_000))] * 12,
    [" ".join(f"w{i}" for i in range(9_000))] * 12,
)


@pytest.mark.parametrize(
    "call",
    [
        pytest.param(lambda: metrics.word_error_rates(*LONG), id="word_error_rates"),
        pytest.param(lambda: metrics.rouge_l_rows(*LONG), id="rouge_l"),
        pytest.param(lambda: metrics.rouge_n_rows(*LONG, n=9), id="rouge_n"),
        pytest.param(
            lambda: metrics.mean_relative_accuracies(np.ones(2_000_000), np.ones(2_000_000)),
            id="mean_relative_accuracies",
        ),
        pytest.param(
            lambda: _core.bootstrap_sums(np.ones((500, 2)), seed=1, first=0, count=4_000),
            id="bootstrap_sums",
        ),
    ],
)
def test_metric_kernels_release_the_gil(
    call: Callable[[], object], releases_gil: Callable[[Callable[[], object]], bool]
) -> None:
    assert releases_gil(call)


def test_a_call_that_keeps_the_gil_is_told_from_one_that_releases_it(
    releases_gil: Callable[[Callable[[], object]], bool],
) -> None:
    assert not releases_gil(lambda: sum(range(100_000)))
