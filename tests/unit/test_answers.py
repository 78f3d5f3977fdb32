"""Answer readers: one telling example for each thing a rule does."""

from __future__ import annotations

import pytest

from edgeval import answers

LETTERS = answers.option_letters(10)
TEN = tuple(f"thing {n}" for n in range(10))


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("<think>A</think> B ", "B"),
        ("so A </think> C </think>D", "D"),
        ("<think>never closed", "<think>never closed"),
        ("<THINK>A</THINK>B", "<THINK>A</THINK>B"),
        ("<think>a</think>x<analysis>b</analysis>y", "xy"),
        ("<answer>B</answer>", "<answer>B</answer>"),
        ("</think> before <think>", "</think> before <think>"),
    ],
)
def test_reasoning_is_stripped_as_lmms_eval_does(text: str, want: str) -> None:
    assert answers.strip_reasoning(text) == want


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("", None),
        ("...", None),
        ("x", None),
        ("B", "B"),
        ("**B**", "B"),
        ("A man explains, and the answer is C.", "A"),
        ("The answer is B or C", "C"),
        ("I would choose option E.", "I"),
        ("API Error", "I"),
        ("D\nB", "D"),
        ("it is (B), it is C. so", "B"),
    ],
)
def test_lmms_eval_reads_a_letter(text: str, want: str | None) -> None:
    assert answers.lmms_choice(text, LETTERS) == want


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("B", "B"),
        ("x", None),
        ("[B]", None),
        ("W. is wrong. B. is right", "B"),
        ("B: because A. and C. are wrong", "C"),
        ("(A) and (C)", "C"),
        ("A man explains, the answer is J.", "J"),
        ("B or C", "C"),
        ("DNA is what it shows", "A"),
        ("the speaker holds Thing 7 up here", "H"),
        ("it was thing 7", None),
    ],
)
def test_videommmu_reads_a_letter(text: str, want: str | None) -> None:
    assert answers.videommmu_choice(text, TEN) == want


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("1,234", (1234.0, 234.0)),
        ("C", (" c", "c ")),
        ("The total is 7", (7.0,)),
        ("Red Brick.", ("red brick",)),
        ("it is 3 cm", ("3 cm", 3.0)),
        ("it is so thus y", (" y", "y ")),
        ("x = 5\nit is 4", (4.0,)),
        ("it is 4\nx = 5", (4.0, 5.0)),
        ("between 1.239 and 2e3 of them", ("between 1.239 and 2e3 of them", 2000.0, 1.24, 3.0)),
    ],
)
def test_the_open_rule_collects_terms(text: str, want: tuple[object, ...]) -> None:
    assert answers.mmmu_open(text) == want


@pytest.mark.parametrize(
    ("gold", "text", "want"),
    [
        ("1234.5", "about 1,234.50 in all", False),
        ("1234.5", "about 1234.50 in all", True),
        ("1234.5", "1234.496", True),
        ("A", "This is a graph", True),
        ("A", "a graph", True),
        ("A", "graph", False),
        ("nan", "nan", False),
        ("0.29", "0.286", True),
    ],
)
def test_the_open_rule_matches(gold: str, text: str, *, want: bool) -> None:
    assert answers.mmmu_matches(gold, answers.mmmu_open(text)) is want
