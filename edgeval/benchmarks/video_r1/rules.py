"""How Video-R1 scores an answer: in its evaluation, and in the training that came before it."""

from __future__ import annotations

from types import MappingProxyType

from edgeval.answers.video_r1 import final_answer, number, same_number
from edgeval.types import Kind, Question, Score

RULES = OFFICIAL, REWARDS = ("official", "rewards")
CHOICE, NUMERICAL, REGRESSION = "multiple choice", "numerical", "regression"
KINDS: MappingProxyType[str, Kind] = MappingProxyType(
    {CHOICE: "choice", NUMERICAL: "number", REGRESSION: "number"}
)


def score(one: Question, response: str) -> tuple[Score, ...]:
    """The answer under the evaluation's rule, then under the training's accuracy reward.

    ``official`` takes the whole response where the tags hold nothing, and scores texts with 0;
    ``rewards`` takes nothing then, and scores every type. No answer may be right where the gold is
    empty. Source: eval_bench.py, reward_fn; grpo.py, accuracy_reward.
    """
    # Late, because it brings the extension, which listing benchmarks must not load.
    from edgeval import rewards

    tagged = final_answer(response)
    said = tagged or response.strip()
    earned = rewards.accuracy(
        [response], [f"<answer>{one.answer}</answer>"], [one.tags["problem_type"]]
    )
    return _score(OFFICIAL, one, said, _official(one, said)), _score(
        REWARDS, one, tagged, float(earned[0])
    )


def _official(one: Question, said: str) -> float:
    problem_type = one.tags["problem_type"]
    if problem_type == CHOICE:
        return float(said == one.answer)
    if problem_type == NUMERICAL:
        return float(same_number(said, one.answer))
    got, want = number(said), number(one.answer)
    if problem_type != REGRESSION or got is None or want is None:
        return 0.0
    from edgeval import metrics

    return metrics.mean_relative_accuracy(got, want, definition="float32")


def _score(rule: str, one: Question, said: str, value: float) -> Score:
    """What was said counts as read if it is of the kind that was asked for."""
    letters = {choice[:1] for choice in one.choices}
    readable = {
        "choice": said == one.answer or said in letters,
        "number": number(said) is not None,
        "text": said != "",
    }[one.kind]
    return Score(
        rule=rule,
        value=value,
        parsed=said if readable else None,
        status="scored" if readable else "unparsed",
    )
