"""Ways to ask: directly, step by step, several times, over plans, or with thoughts in tags.

Each way is a coroutine that yields what is to be said next, is given the answer, and ends with the
one that is scored; what was said before is kept. Sources: VSI-Bench's paper, arXiv 2412.14171,
appendix B (step by step, self-consistency, tree of thoughts, with its sampling numbers);
Video-R1@59d65c34, src/eval_bench.py (think and answer tags). Wordings that the papers do not print
are ours and marked so.
"""

from __future__ import annotations

import dataclasses
import re
from collections import Counter
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeAlias

from edgeval.errors import UnknownName
from edgeval.types import Ask, Decoding, Generation, Turn

DIRECT = "direct"
STEPS = "Let's think step by step."
ONLY_ANSWER = "Now give only the final answer, in the form that the question asks for."  # ours
MAKE_PLAN = "Do not answer yet. Write a short plan of how to answer this from the video."  # ours
VOTE_PLAN = "Which of these plans is best? Reply with its number only.\n{listed}"  # ours
FOLLOW_PLAN = "Follow this plan:\n{plan}\n"  # ours
TAGS = (
    "Output the thinking process in <think> </think> and final answer in <answer> </answer> tags."
)
THINKING_TOKENS = 1024
N_SAMPLES, N_PLANS = 5, 3
SAMPLED = Decoding(temperature=0.7, top_p=1.0, top_k=40)
_ANSWER = re.compile(r"<answer>\s*(.*?)\s*</answer>", re.DOTALL)
_NUMBER = re.compile(r"\d+")

Say = Callable[[Ask, Decoding], Generation]
Read = Callable[[str], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The generation that is scored, the text of it that is, and what was said on the way."""

    generation: Generation
    text: str
    turns: tuple[Turn, ...] = ()
    note: str = ""


# One question under way: what to say and how, the answer to it; what came of all.
Asking: TypeAlias = Generator[tuple[Ask, Decoding], Generation, Outcome]


def names() -> tuple[str, ...]:
    """Every way, direct first."""
    return tuple(_WAYS)


def check(name: str) -> str:
    """The name. Raises UnknownName."""
    if name not in _WAYS:
        raise UnknownName("prompting", name, _WAYS)
    return name


def asking(name: str, ask: Ask, decoding: Decoding, read: Read) -> Asking:
    """One question asked in the way ``name``.

    ``read`` is how the leading rule reads an answer, so that votes are over answers and not over
    wordings ("" where it cannot).
    """
    return _WAYS[name](ask, decoding, read)


def ask_by(name: str, ask: Ask, decoding: Decoding, say: Say, read: Read) -> Outcome:
    """The same with ``say``, which gives the model's words for an ask."""
    way = asking(name, ask, decoding, read)
    try:
        wanted = next(way)
        while True:
            wanted = way.send(say(*wanted))
    except StopIteration as end:
        outcome: Outcome = end.value
        return outcome


def _direct(ask: Ask, decoding: Decoding, _read: Read) -> Asking:
    generation = yield ask, decoding
    return Outcome(generation=generation, text=generation.text)


def _steps(ask: Ask, decoding: Decoding, _read: Read) -> Asking:
    thought = dataclasses.replace(
        ask, text=f"{ask.text}\n{STEPS}", max_new_tokens=THINKING_TOKENS, prefill=""
    )
    said = yield thought, decoding
    turns = (Turn(role="user", text=thought.text), Turn(role="assistant", text=said.text))
    last = dataclasses.replace(ask, text=ONLY_ANSWER, history=(*ask.history, *turns))
    generation = yield last, decoding
    return Outcome(generation=generation, text=generation.text, turns=turns)


def _self_consistent(ask: Ask, decoding: Decoding, read: Read) -> Asking:
    samples = yield from _sampled(ask, decoding, N_SAMPLES)
    chosen, note = _majority([read(sample.text) for sample in samples])
    return Outcome(
        generation=samples[chosen],
        text=samples[chosen].text,
        turns=tuple(Turn(role="assistant", text=sample.text) for sample in samples),
        note=note,
    )


def _tree(ask: Ask, decoding: Decoding, read: Read) -> Asking:
    wanting = dataclasses.replace(
        ask, text=f"{ask.text}\n{MAKE_PLAN}", max_new_tokens=THINKING_TOKENS, prefill=""
    )
    plans = [said.text for said in (yield from _sampled(wanting, decoding, N_PLANS))]
    listed = "\n".join(f"{i}. {plan.strip()}" for i, plan in enumerate(plans, start=1))
    vote = dataclasses.replace(
        ask, text=f"{ask.text}\n{VOTE_PLAN.format(listed=listed)}", max_new_tokens=8, prefill=""
    )
    votes = [said.text for said in (yield from _sampled(vote, decoding, N_PLANS))]
    best = _elected(votes, len(plans))
    follow = dataclasses.replace(ask, text=f"{FOLLOW_PLAN.format(plan=plans[best])}{ask.text}")
    answers = yield from _sampled(follow, decoding, N_PLANS)
    chosen, note = _majority([read(answer.text) for answer in answers])
    return Outcome(
        generation=answers[chosen],
        text=answers[chosen].text,
        turns=tuple(
            Turn(role="assistant", text=text)
            for text in (*plans, *votes, *(answer.text for answer in answers))
        ),
        note=note,
    )


def _tagged(ask: Ask, decoding: Decoding, _read: Read) -> Asking:
    wanting = dataclasses.replace(
        ask, text=f"{ask.text}\n{TAGS}", max_new_tokens=THINKING_TOKENS, prefill=""
    )
    generation = yield wanting, decoding
    found = _ANSWER.search(generation.text)
    note = "" if found else "no <answer> tags; the whole text is scored"
    return Outcome(
        generation=generation, text=found.group(1) if found else generation.text, note=note
    )


def _sampled(
    ask: Ask, decoding: Decoding, n: int
) -> Generator[tuple[Ask, Decoding], Generation, list[Generation]]:
    """``n`` answers to the same, each by a seed of its own."""
    said: list[Generation] = []
    for i in range(n):
        said.append((yield ask, _seeded(SAMPLED, decoding, i)))
    return said


def _seeded(sampled: Decoding, decoding: Decoding, i: int) -> Decoding:
    """The way's own sampling unless the user chose a temperature; always a seed of its own."""
    base = (
        decoding
        if decoding.temperature > 0
        else dataclasses.replace(
            sampled, max_new_tokens=decoding.max_new_tokens, stop=decoding.stop
        )
    )
    return dataclasses.replace(base, seed=decoding.seed + i)


def _majority(read: Sequence[str]) -> tuple[int, str]:
    """Place of the first answer with the most votes, and a note when votes tie.

    Answers that cannot be read vote only when none can.
    """
    votes = Counter(answer for answer in read if answer) or Counter(read)
    most = max(votes.values())
    winners = [answer for answer, n in votes.items() if n == most]
    note = f"tie of {', '.join(winners)}; the first said stands" if len(winners) > 1 else ""
    return next(i for i, answer in enumerate(read) if answer in winners), note


def _elected(votes: Sequence[str], n_plans: int) -> int:
    """Place of the plan with the most votes, the first on a tie or when no vote can be read."""
    numbers = [int(found.group()) for vote in votes if (found := _NUMBER.search(vote))]
    counts = Counter(number - 1 for number in numbers if 1 <= number <= n_plans)
    return min(counts, key=lambda plan: (-counts[plan], plan)) if counts else 0


_WAYS: Mapping[str, Callable[[Ask, Decoding, Read], Asking]] = MappingProxyType(
    {
        DIRECT: _direct,
        "cot": _steps,
        "self-consistency": _self_consistent,
        "tree-of-thoughts": _tree,
        "think-answer": _tagged,
    }
)
