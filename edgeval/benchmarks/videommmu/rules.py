"""How a Video-MMMU answer is scored: by the authors' code, and by what lmms-eval runs today."""

from __future__ import annotations

import math

from edgeval.answers import (
    Term,
    lmms_choice,
    mmmu_matches,
    mmmu_open,
    option_letters,
    strip_reasoning,
    videommmu_choice,
)
from edgeval.types import Question, Score

OFFICIAL = "official"
LMMS_EVAL = "lmms-eval"
VLMEVAL = "vlmeval"
RULES = (OFFICIAL, LMMS_EVAL, VLMEVAL)

# What both codes take for a call to a model's interface that failed.
_NO_ANSWER = ("", "API Error")


def score(question: Question, response: str) -> tuple[Score, ...]:
    """The answer under each rule, official first.

    ``vlmeval`` is the authors' reading of what stands behind the last "Answer:", or of everything.
    ``official`` leaves out an empty answer; ``lmms-eval`` does so for open questions only and
    first strips reasoning blocks. Source: VideoMMMU@88b4ac3e07326eaabda3a4afe8e7f30dd02bc143 and
    lmms-eval@75571cfe0fa36ca5ec2e6aa2bb268f9d38295af3, lmms_eval/tasks/videommmu/utils.py;
    open-compass/VLMEvalKit@e8e78f05, vlmeval/dataset/videommmu.py.
    """
    stripped = strip_reasoning(response)
    behind = response.rpartition("Answer:")[2].strip()
    if question.kind != "choice":
        return (
            _open(OFFICIAL, question, response),
            _open(LMMS_EVAL, question, stripped),
            _open(VLMEVAL, question, behind),
        )
    letters = option_letters(len(question.choices))
    return (
        _authors_choice(OFFICIAL, question, response),
        _choice(LMMS_EVAL, question, lmms_choice(stripped, letters)),
        _authors_choice(VLMEVAL, question, behind),
    )


def _authors_choice(rule: str, question: Question, response: str) -> Score:
    if response in _NO_ANSWER:
        return _excluded(rule)
    return _choice(rule, question, videommmu_choice(response, question.choices))


def _excluded(rule: str) -> Score:
    return Score(rule=rule, value=None, parsed=None, status="excluded")


def _choice(rule: str, question: Question, letter: str | None) -> Score:
    if letter is None:
        return Score(rule=rule, value=0.0, parsed=None, status="unparsed")
    return Score(rule=rule, value=float(letter == question.answer), parsed=letter, status="scored")


def _open(rule: str, question: Question, response: str) -> Score:
    if response in _NO_ANSWER:
        return _excluded(rule)
    terms = mmmu_open(response)
    # Both codes read a "perception" type by the open rule, then compare the list with the letter.
    right = question.tags["question_type"] != "perception" and mmmu_matches(question.answer, terms)
    parsed = tuple(_finite(term) for term in terms)
    return Score(rule=rule, value=float(right), parsed=parsed, status="scored")


def _finite(term: Term) -> Term:
    """The term itself; "nan", "inf" and "-inf", which JSON has not, as text."""
    return term if isinstance(term, str) or math.isfinite(term) else str(term)
