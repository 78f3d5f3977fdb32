"""What stands between tags: the <answer> block, and the form of thinking before answering.

Written anew from TencentARC/SEED-Bench-R1@12e8fccbd9de626a4c1c617c4a48cf2927b77c6e,
src/open_r1_egoplan/grpo.py; searched without backtracking, so that hostile text costs no more.
"""

from __future__ import annotations

import re

_THOUGHT_THEN_ANSWER = re.compile(r"</think>\s*<answer>")


def answer_block(text: str) -> str | None:
    """What the first closed <answer> block holds, as it stands; None where there is none.

    Source: accuracy_reward's search for ``<answer>(.*?)</answer>`` over lines.
    """
    start = text.find("<answer>")
    end = text.find("</answer>", start + len("<answer>")) if start >= 0 else -1
    return text[start + len("<answer>") : end] if end >= 0 else None


def has_think_answer_form(text: str) -> bool:
    r"""Whether the text begins with a <think> block and an <answer> block follows at once.

    What stands after, and between the blocks in white space, does not matter.
    Source: format_reward's match of ``<think>.*?</think>\s*<answer>.*?</answer>`` over lines.
    """
    if not text.startswith("<think>"):
        return False
    match = _THOUGHT_THEN_ANSWER.search(text, len("<think>"))
    return match is not None and "</answer>" in text[match.end() :]
