"""What a protocol leaves of an answer."""

from __future__ import annotations

import pytest

from edgeval.processor import Conduct


@pytest.mark.parametrize(
    ("said", "kept"),
    [("A)]\n\nB\n\nC", "A)]"), ("A)\nB", "A)\nB"), ("\n\nA", ""), ("A. END B\n\n", "A. ")],
)
def test_an_answer_is_cut_before_the_first_text_that_ends_it(said, kept):
    assert Conduct(cut_before=("\n\n", "END")).kept(said) == kept


def test_other_protocols_keep_all_that_was_said():
    assert Conduct().kept("A\n\nB") == "A\n\nB"
