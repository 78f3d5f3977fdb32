"""Reading letters, numbers and tags out of what a model said. Pure functions, shared by benchmarks.

Each function is one published rule, written anew from its description and held against what the
original returned; its docstring names the source. None guesses: an answer that a rule cannot read
is None.

Commits: VideoMMMU = EvolvingLMMs-Lab/VideoMMMU@88b4ac3e07326eaabda3a4afe8e7f30dd02bc143,
lmms-eval = EvolvingLMMs-Lab/lmms-eval@75571cfe0fa36ca5ec2e6aa2bb268f9d38295af3.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

Term = str | float

REASONING_TAGS = (("<think>", "</think>"), ("<analysis>", "</analysis>"))

# lmms-eval's phrases that announce an answer, in its order: English, Korean, Chinese, Japanese.
_ANNOUNCERS = (
    *("the answer is", "answer is", "the correct answer is", "correct answer is"),
    *("the best answer is", "best answer is", "the correct option is", "correct option is"),
    *("the best option is", "best option is", "the choice is", "choice is"),
    *("the correct choice is", "correct choice is", "i choose", "i select", "i pick"),
    *("my answer is", "my choice is", "옵션", "정답은", "답은", "답:"),
    *("答案是", "答案为", "选", "答えは"),
)
# (how a letter is written, its rank): lmms-eval's order of looking is also its order on ties.
_WRITTEN = (("({})", 6), ("{}.", 5), ("{}:", 4), ("{})", 3), ("{} ", 2))
_AT_START, _AT_END, _ANNOUNCED, _ANYWHERE = 10, 9, 7, 0

# What may stand before an answer in MMMU's open rule; "=" counts in the last line only.
_LEADS = (
    *("could be ", "so ", "is ", "thus ", "therefore ", "final ", "answer ", "result ", "are "),
    *("in total ", "total ", "identify ", "recognize ", "calculated as ", "counted as "),
    *("measured as ", "observed as ", "concluded as ", "found to be ", "equals "),
    *("determined to be ", "number of ", "value is ", "adds up to ", "have ", "has "),
)
_TRIVIAL = frozenset(":,.!?;'")
_NUMBERS = (
    re.compile(r"-?\b\d{1,3}(?:,\d{3})+\b"),
    re.compile(r"-?\d+(?:\.\d+)?[eE][+-]?\d+"),
    re.compile(r"-?(?:\d+\.\d+|\.\d+|\d+\b)(?![eE][+-]?\d+)(?![,\d])"),
)


def option_letters(n: int) -> tuple[str, ...]:
    """The first n letters from A on."""
    return tuple(chr(ord("A") + i) for i in range(n))


def strip_reasoning(text: str, tags: Sequence[tuple[str, str]] = REASONING_TAGS) -> str:
    """The text without its reasoning blocks, stripped of white space at both ends.

    A closing tag alone keeps what follows the last one; an opening tag alone stays; case matters.
    Source: lmms-eval, lmms_eval/api/reasoning.py and its default ``--reasoning_tags``.
    """
    for opening, closing in tags:
        while opening in text and closing in text:
            start = text.find(opening)
            end = text.find(closing, start)
            if end < 0:
                break
            text = text[:start] + text[end + len(closing) :]
        if closing in text and opening not in text:
            text = text.rsplit(closing, 1)[-1]
    return text.strip()


def lmms_choice(response: str, letters: Sequence[str]) -> str | None:
    """The letter lmms-eval's shared extractor takes, None when there is none.

    Every way a letter can be written is a candidate; the best-ranked way wins, the later place
    inside one way, the earlier-found on a tie.
    Source: lmms-eval, lmms_eval/tasks/_task_utils/mcq_extract.py.
    """
    text = response.strip()
    if not text:
        return None
    text = _bare(text, ",.!?;:'\"")
    candidates = list(_lmms_candidates(text, letters))
    if not candidates:
        candidates = [(_ANYWHERE, text.rfind(x), x) for x in letters if x in text]
    if not candidates:
        return None
    return max(candidates, key=lambda candidate: candidate[:2])[2]


def _lmms_candidates(text: str, letters: Sequence[str]) -> Iterator[tuple[int, int, str]]:
    """(rank, place, letter) of every way a letter is written, in lmms-eval's order of looking."""
    for shape, rank in _WRITTEN:
        yield from _placed(rank, [(text.rfind(shape.format(x)), x) for x in letters])
    lowered = text.lower()
    for phrase in _ANNOUNCERS:
        if (place := lowered.find(phrase)) >= 0:
            # The place is that of the lower-cased text, which can be longer: so in the original.
            after = place + len(phrase)
            yield from _placed(_ANNOUNCED, [(text.find(x, after), x) for x in letters])
    inner = text.strip()
    first = [x for x in letters if inner.startswith(x) and not inner[1:2].isalpha()]
    yield from _placed(_AT_START, [(0, x) for x in first])
    last = [x for x in letters if inner.endswith(x) and not inner[-2:-1].isalpha()]
    yield from _placed(_AT_END, [(len(text) - 1, x) for x in last])


def _placed(rank: int, found: Sequence[tuple[int, str]]) -> Iterator[tuple[int, int, str]]:
    return ((rank, place, letter) for place, letter in found if place >= 0)


def videommmu_choice(response: str, options: Sequence[str]) -> str | None:
    """The letter Video-MMMU's own rule reads, None for "No Answere Found" (sic).

    "X." and "X:" together, else "(X)", else "X ", else (in more than five words) the options'
    texts; of several the one that comes last. No guess: MMMU's random choice is not in this rule.
    Source: VideoMMMU, lmms_eval/tasks/videommmu/utils.py, parse_multi_choice_response.
    """
    text = _bare(response, ",.!?;:'")
    letters = option_letters(len(options))
    dotted = [x for x in letters if f"{x}." in text]
    coloned = [x for x in letters if f"{x}:" in text]
    if dotted or coloned:
        shape = "{}." if dotted else "{}:"
        return _last(dotted + coloned, [text.rfind(shape.format(x)) for x in dotted + coloned])
    # The last pair is not a slip here: letters are found by "X " but ranked by " X ".
    for shape, ranked in (("({})", "({})"), ("{} ", " {} ")):
        if found := [x for x in letters if shape.format(x) in text]:
            return _last(found, [text.rfind(ranked.format(x)) for x in found])
    if len(text.split()) > 5:
        lowered = text.lower()
        places = {
            x: lowered.rfind(option.lower()) for x, option in zip(letters, options, strict=True)
        }
        named = [x for x in letters if places[x] >= 0]
        if named:
            return _last(named, [places[x] for x in named])
    return None


def _bare(text: str, marks: str) -> str:
    """The text without each mark at its ends, one mark after the other, one space added round."""
    for mark in marks:
        text = text.strip(mark)
    return f" {text} "


def _last(letters: Sequence[str], places: Sequence[int]) -> str:
    """The letter at the greatest place, the first of equals."""
    return letters[max(range(len(letters)), key=places.__getitem__)]


def mmmu_open(response: str) -> tuple[Term, ...]:
    """Every text and number that MMMU's open rule takes for an answer, without repeats.

    Per line the shortest tail after a lead ("is ", "answer ", ...), the whole text when no line
    has one, and all numbers in those; each normalised by ``mmmu_terms``.
    Source: VideoMMMU and lmms-eval, lmms_eval/tasks/videommmu/utils.py, parse_open_response.
    """
    # The original also splits after ". " before a capital, but only once all is in lower case.
    text = response.strip().strip(".").lower()
    lines = text.split("\n")
    tails = [_tail(line, _LEADS) for line in lines[:-1]] + [_tail(lines[-1], (*_LEADS, "="))]
    said = [tail for tail in tails if tail and tail not in _TRIVIAL] or [text]
    numbers = [found for part in said for kind in _NUMBERS for found in kind.findall(part)]
    return tuple(dict.fromkeys(term for part in said + numbers for term in mmmu_terms(part)))


def _tail(line: str, leads: Sequence[str]) -> str:
    """The shortest text after a lead. An empty one gives way to any that follows, as it did."""
    shortest = ""
    for lead in leads:
        if lead in line:
            tail = line.rsplit(lead, 1)[-1].strip()
            if not shortest or len(tail) < len(shortest):
                shortest = tail
    return shortest


def mmmu_terms(text: str) -> tuple[Term, ...]:
    """What MMMU compares: a number rounded to two decimals, else the text in lower case.

    A single character becomes itself with a space before and after, so that it is not found inside
    a word. Numbers are what Python's float() reads without commas: "1_000", "nan", digits of
    any script too.
    Source: VideoMMMU and lmms-eval, lmms_eval/tasks/videommmu/utils.py, normalize_str.
    """
    text = text.strip()
    try:
        return (round(float(text.replace(",", "")), 2),)
    except ValueError:
        lowered = text.lower()
    return (f" {lowered}", f"{lowered} ") if len(lowered) == 1 else (lowered,)


def mmmu_matches(gold: str, terms: Sequence[Term]) -> bool:
    """Whether any term is right: a text that contains the gold text, a number equal to its number.

    Source: VideoMMMU and lmms-eval, lmms_eval/tasks/videommmu/utils.py, eval_open.
    """
    wanted = mmmu_terms(gold)
    return any(
        any(isinstance(want, str) and want in term for want in wanted)
        if isinstance(term, str)
        else term in wanted
        for term in terms
    )
