"""MVBench's two readings of an answer: the authors' notebook, and lmms-eval's task.

Source: OpenGVLab/Ask-Anything@4dd8210b030374bb0c510a57dfbe916f70d3ef71, video_chat2/mvbench.ipynb,
and EvolvingLMMs-Lab/lmms-eval@75571cfe0fa36ca5ec2e6aa2bb268f9d38295af3,
lmms_eval/tasks/mvbench/utils.py.
"""

from __future__ import annotations

import re

# The prefill ends in "(": what the model goes on with is read with it in front.
_BEGUN = "("
_LETTERS = frozenset("ABCDE")
_PUNCTUATION = ';/[]"{}()=+\\_-><@`,?!'
_COMMA_IN_NUMBER = re.compile(r"\d,\d")
_LETTER = re.compile(r"\b[a-e]\b")
_PERIOD = re.compile(r"\.(?!\d)")
_MOST_PERIODS = 32  # re.sub is given re.UNICODE, which is 32, where it takes the most replacements


def option_word(response: str) -> str:
    """The first word of the first line, "(" put before it, in lower case. Source: infer_mvbench."""
    line = response.strip().split("\n")[0]
    return (_BEGUN + line).lower().split(" ")[0]


def is_option(word: str, letter: str) -> bool:
    """Whether ``option_word`` names the letter: either of "(a)" and the word is in the other.

    So "(" alone, all that is left of an empty answer, is right for every letter, and "(a)(b)" for
    both. Source: check_ans.
    """
    wanted = f"({letter.lower()})"
    return word.replace(".", "") in wanted or wanted in word


def lmms_letter(text: str) -> str:
    """What lmms-eval compares: a letter from A to E, else the cleaned text.

    "X. text" on one line is X; otherwise the first letter that stands alone once punctuation is
    gone, in either case, so that the article "a" is an A. Source: mcq_acc.
    """
    text = text.strip()
    # As the pattern "one letter, a period, white space, one line" has it, in one pass.
    if text[:1].upper() in _LETTERS and text[1:2] == "." and text[2:] and _one_line(text[2:]):
        return text[0].upper()
    text = _without_punctuation(text.replace("\n", " ").replace("\t", " ").strip())
    for mark in "'\")(":
        text = text.strip(mark)
    text = text.strip().lower()
    match = _LETTER.search(text)
    return match.group().upper() if match else text


def _one_line(text: str) -> bool:
    return "\n" not in text.lstrip()


def _without_punctuation(text: str) -> str:
    """A mark beside a space is dropped, as is every one where a number has commas; else a space."""
    numbers = _COMMA_IN_NUMBER.search(text) is not None
    cleaned = text
    for mark in _PUNCTUATION:
        beside = f"{mark} " in text or f" {mark}" in text
        cleaned = cleaned.replace(mark, "" if beside or numbers else " ")
    return _PERIOD.sub("", cleaned, count=_MOST_PERIODS)
