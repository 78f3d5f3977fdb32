"""SEED-Bench-R1's rule against what the original code returned."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edgeval.benchmarks import seedbench_r1


# What accuracy_reward with math_verify 0.9.0 gave to these, where B is right.
@pytest.mark.parametrize(
    ("response", "right"),
    [
        ("<answer>B</answer>", True),
        ("<think>C?</think>\n<answer>\n B. open it\n</answer>", True),
        ("<answer>Before that, close it</answer>", True),
        ("<answer>B</answer> or <answer>C</answer>", True),
        ("<answer>C</answer> or <answer>B</answer>", False),
        ("<answer><answer>B</answer>", False),
        ("<answer></answer><answer>B</answer>", False),
        ("<answer>b</answer>", False),
        ("<answer>(B)</answer>", False),
        ("<answer>$B$</answer>", False),
        ("<answer>\\boxed{B}</answer>", False),
        ("$B$", False),
        ("\\boxed{B}", False),
        ("B</answer>", False),
        ("<answer>B", False),
        ("B", False),
        ("", False),
    ],
)
def test_an_answer_of_ours_scores_as_the_original_code_scored_it(
    response: str, right: bool
) -> None:
    one = seedbench_r1.question({"golden_choice_idx": "B"})
    (score,) = seedbench_r1.score(one, response)
    assert score.value == right


def test_every_shared_answer_scores_as_the_original_code_scored_it(shared: Path) -> None:
    text = (shared / "oracle" / "seedbench_r1.jsonl").read_text(encoding="utf-8")
    wrong = []
    for row in map(json.loads, text.splitlines()):
        (score,) = seedbench_r1.score(seedbench_r1.question(row["doc"]), row["response"])
        if score.value != row["oracle"]["orig"]["score"]:
            wrong.append(row["uid"])
    assert text
    assert not wrong
