"""How Video-R1 reads an answer: what its tags hold, and what is a number.

Written anew from tulerfeng/Video-R1@59d65c347e44efa71be27abf9d89b4a2bb7d1c05, src/eval_bench.py and
src/r1-v/src/open_r1/grpo.py; searched without backtracking, so that hostile text costs no more.
"""

from __future__ import annotations

import re

from edgeval.answers.tags import answer_block

_THOUGHT_THEN_ANSWER = re.compile(r"</think>\s*<answer>")


def final_answer(text: str) -> str:
    """What the first closed <answer> block holds, stripped; "" where there is none.

    Source: both files, extract_answer.
    """
    return (answer_block(text) or "").strip()


def number(text: str) -> float | None:
    """What Python's float() makes of the text without its commas: "1e3", "1_000", "nan", "٣".

    Source: both files, normalize_number.
    """
    try:
        return float(text.replace(",", ""))
    except ValueError:
        return None


def same_number(got: str, want: str) -> bool:
    """Whether two texts are one number to two decimals, both or neither with a point or a comma.

    So "3" is not "3.0", and "1,000" is not "1000". Source: both files, question type numerical.
    """
    if _has_mark(got) != _has_mark(want):
        return False
    said, meant = number(got), number(want)
    return said is not None and meant is not None and round(said, 2) == round(meant, 2)


def _has_mark(text: str) -> bool:
    return "." in text or "," in text


def is_think_then_answer(text: str) -> bool:
    r"""Whether a <think> block and an <answer> block are all the text, white space between them.

    Anything may stand inside the blocks, tags too; a line break at the end fails.
    Source: grpo.py, format_reward: a full match of ``<think>.*?</think>\s*<answer>.*?</answer>``.
    """
    if not (text.startswith("<think>") and text.endswith("</answer>")):
        return False
    end = len(text) - len("</answer>")
    return _THOUGHT_THEN_ANSWER.search(text, len("<think>"), end) is not None
