"""Any text at all: answer readers do not crash, scores stay in range and depend on nothing else."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from edgeval import answers
from edgeval.benchmarks.videommmu import rows, rules

PIECES = st.sampled_from(
    [
        *("A", "B.", "C:", "(D)", " E ", "F)", "the answer is ", "<think>", "</think>", "\n", "= "),
        *("is ", "so ", "1,234", "-.5", "1e3", "nan", "inf", "1_0", "'", '"', ",", ".", "\u0130"),
        *("\ud800", "\u0661", "\x00", "API Error"),
    ]
)
TEXTS = st.one_of(st.text(), st.lists(PIECES, max_size=12).map("".join))
OPTIONS = st.lists(st.text(max_size=12), min_size=1, max_size=14)
KINDS = st.sampled_from(["multiple-choice", "open", "perception", None])


def _row(options: list[str], kind: str | None) -> dict[str, object]:
    row = {"id": "dev_Math_1", "track": "adaptation", "question": "?", "options": options}
    return {**row, "answer": "A", "question_type": kind}


@given(response=TEXTS, options=OPTIONS, kind=KINDS)
def test_scoring_any_text_is_pure_and_in_range(
    response: str, options: list[str], kind: str | None
) -> None:
    question = rows.question(_row(options, kind))
    scores = rules.score(question, response)
    assert scores == rules.score(question, response)
    assert [score.rule for score in scores] == list(rules.RULES)
    assert all((score.value is None) == (score.status == "excluded") for score in scores)
    assert all(score.value in (None, 0.0, 1.0) for score in scores)


@given(response=TEXTS, options=OPTIONS)
def test_a_letter_that_is_read_is_one_of_the_options(response: str, options: list[str]) -> None:
    letters = answers.option_letters(len(options))
    assert answers.lmms_choice(response, letters) in (None, *letters)
    assert answers.videommmu_choice(response, options) in (None, *letters)


@given(text=TEXTS)
def test_stripping_reasoning_twice_changes_nothing_more(text: str) -> None:
    once = answers.strip_reasoning(text)
    assert len(once) <= len(text)
    if not any(tag in once for pair in answers.REASONING_TAGS for tag in pair):
        assert answers.strip_reasoning(once) == once


@given(number=st.decimals(min_value=-9999, max_value=9999, places=2, allow_nan=False))
def test_a_number_matches_however_it_is_written(number: object) -> None:
    gold = str(number)
    assert answers.mmmu_matches(gold, answers.mmmu_open(f"the result is {float(gold):.2f}"))
