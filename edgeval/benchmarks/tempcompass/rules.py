"""How a TempCompass answer is scored without a judge: by the authors' code, and by lmms-eval's."""

from __future__ import annotations

from edgeval.answers import strip_reasoning
from edgeval.answers.tempcompass import (
    Match,
    judged_letter,
    judged_right,
    match_caption,
    match_choice,
    match_yes_no,
)
from edgeval.benchmarks.tempcompass.data import JUDGE_REPLY
from edgeval.types import Question, Score

OFFICIAL, LMMS_EVAL = RULES = ("official", "lmms-eval")


def score(question: Question, response: str) -> tuple[Score, ...]:
    """The answer under each rule, which are alike but for what no rule can match.

    ``official`` is the authors' judge-free mode (--disable_llm): worth 0; it also cuts "</s>".
    ``lmms-eval``, which strips reasoning, asks a judge. A caption always needs one.
    """
    task = question.tags["task"]
    if task == JUDGE_REPLY:
        return tuple(_judged(rule, response, question.answer) for rule in RULES)
    if task == "captioning":
        return tuple(_undecided(rule) for rule in RULES)
    official = _match(question, response.replace("</s>", "").strip())
    lmms = _match(question, strip_reasoning(response))
    return (
        _scored(OFFICIAL, official)
        if official
        else Score(rule=OFFICIAL, value=0.0, parsed=None, status="unparsed"),
        _scored(LMMS_EVAL, lmms) if lmms else _undecided(LMMS_EVAL),
    )


def _match(question: Question, answer: str) -> Match | None:
    if question.tags["task"] == "multi-choice":
        return match_choice(answer, question.answer)
    if question.tags["task"] == "yes_no":
        return match_yes_no(answer, question.answer)
    return match_caption(answer, question.text, question.answer)


def _scored(rule: str, match: Match) -> Score:
    return Score(rule=rule, value=float(match.right), parsed=match.parsed, status="scored")


def _undecided(rule: str) -> Score:
    return Score(rule=rule, value=None, parsed=None, status="needs_judge")


def _judged(rule: str, reply: str, gold: str) -> Score:
    said = judged_letter(reply)
    if said is None:
        return Score(rule=rule, value=-1.0, parsed=None, status="unparsed")
    return Score(rule=rule, value=float(judged_right(said, gold)), parsed=said, status="scored")
