"""Questions in our own words, answered with the steps first; and final answers that rules read."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from edgeval.benchmarks.base import Benchmark
from edgeval.synth.draws import Draws
from edgeval.types import Ask, Clip, Question
from training.scene import Asked, Drill

LETTERS = "ABCDEFGHIJ"
_LETTERED = re.compile(r"^\(?([A-J])[.):]")
LONGEST = 64
# How often options stand behind each cue; how many are wrong there.
_OPTIONS_BEHIND, _OTHERS = 0.5, (1, 4)
_TEMPLATES = (
    "{text}{options}\nThink, then answer.",
    "Question: {text}{options}\nExplain your answer.",
    "{text}{options}\nStep by step:",
    "Look at the video.\n{text}{options}\nReason first.",
)


# The same without the steps.
_BARE = (
    "{text}{options}\nOnly the answer:",
    "Question: {text}{options}\nNo explanation.",
)


def bare(option: str) -> str:
    """An option without its letter or number."""
    return re.sub(r"^(\(?[A-J][.):]|Option \d:) ?", "", option)


def letter_of(question: Question) -> str:
    """The right letter of a choice; "" where there are no options."""
    if not question.choices or question.kind != "choice":
        return ""
    if question.answer in question.choices:
        return LETTERS[question.choices.index(question.answer)]
    found = _LETTERED.match(question.answer)
    return found.group(1) if found else question.answer[:1]


def right_text(question: Question) -> str:
    """The right answer as text: the option's, or the number."""
    letter = letter_of(question)
    return bare(question.choices[LETTERS.index(letter)]) if letter else question.answer


def in_own_words(question: Question, worked: str, draws: Draws) -> Asked:
    """The question with its options under letters, the steps, then the answer in brackets."""
    text = draws.choice(_TEMPLATES).format(text=question.text.strip(), options=_options(question))
    end = letter_of(question) or question.answer
    steps = f"{worked} " if worked else ""
    return Asked(ask=Ask(text=text, max_new_tokens=LONGEST), answer=f"{steps}({end})", final=False)


def _options(question: Question) -> str:
    """A line an option, under letters; "" where there are none."""
    if not letter_of(question):
        return ""
    return listed([bare(option) for option in question.choices])


def listed(options: Sequence[str]) -> str:
    """A line an option, under letters."""
    return "".join(f"\n{x}. {text}" for x, text in zip(LETTERS, options, strict=False))


def _videommmu(question: Question, worked: str) -> str:
    letter = letter_of(question)
    return f"{worked} ({letter})" if letter else worked or question.answer


def _option(question: Question, _: str) -> str:
    return f"Option {LETTERS.index(letter_of(question)) + 1}"


def _letter(question: Question, _: str) -> str:
    return letter_of(question) or question.answer


def _bracket(question: Question, _: str) -> str:
    return f"{letter_of(question)})"


def _tagged(question: Question, worked: str) -> str:
    return f"<think>{worked}</think><answer>{letter_of(question) or question.answer}</answer>"


def _concluded(question: Question, worked: str) -> str:
    end = letter_of(question) or question.answer
    return f"{worked} Therefore, the final answer is: {end}"


def _tempcompass(question: Question, worked: str) -> str:
    return (_option if question.answer.startswith("Option") else _letter)(question, worked)


_FINAL: Mapping[str, Callable[[Question, str], str]] = MappingProxyType(
    {
        "videommmu": _videommmu,
        "mvbench": _bracket,
        "tempcompass": _tempcompass,
        "seedbench-r1": _tagged,
        "video-r1": _tagged,
        "mmvu cot": _concluded,
    }
)

# VSI-Bench's authors read what stands before the first space.
_AT_ONCE = ("vsibench",)


def final(benchmark: Benchmark, clip: Clip, question: Question, worked: str) -> Asked:
    """The question as the benchmark asks it, and an answer that its rule reads."""
    name = benchmark.name
    answer = _FINAL.get(f"{name} {clip.setting}", _FINAL.get(name, _letter))(question, worked)
    at_once = name in _AT_ONCE
    return Asked(
        ask=benchmark.ask(clip, question),
        answer=answer,
        final=True,
        at_once=at_once,
        meant=telling(question) if answer in _bare_answers(question) else "",
    )


def lettered(drill: Drill, draws: Draws) -> Drill:
    """The same, asked for letters of answers: looked up, then found among options.

    Those stand once, before all cues, or behind each its own, as questions have them.
    """
    answers = list(dict.fromkeys(_answers(drill)))
    if drill.head.startswith("\n") or not 1 < len(answers) <= len(LETTERS):
        return drill
    if draws.random() < _OPTIONS_BEHIND:
        return _quizzed(drill, answers, draws)
    letters = dict(zip(draws.sample(answers, len(answers)), LETTERS, strict=False))
    pairs = tuple((cue, letters[answer]) for cue, answer in drill.pairs)
    return Drill(head=f"{listed([*letters])}\n{drill.head}", pairs=pairs, meant=_answers(drill))


def _quizzed(drill: Drill, answers: Sequence[str], draws: Draws) -> Drill:
    pairs = []
    for cue, answer in drill.pairs:
        others = [one for one in _mistaken(cue, answer, draws) or answers if one != answer]
        said = draws.sample(others, min(len(others), draws.randint(*_OTHERS)))
        said.insert(draws.randint(0, len(said)), answer)
        pairs.append((f"{cue}?{listed(said)}:", LETTERS[said.index(answer)]))
    return Drill(head=drill.head, pairs=tuple(pairs), meant=_answers(drill))


def _answers(drill: Drill) -> tuple[str, ...]:
    return tuple(answer for _, answer in drill.pairs)


def _mistaken(cue: str, answer: str, draws: Draws) -> list[str]:
    """Of an order other orders, of one thing named the others; else none."""
    named = answer.split(", ")
    if len(named) == 1:
        named = cue.split(", ")
        return named if answer in named else []
    orders = (", ".join(draws.sample(named, len(named))) for _ in range(2 * _OTHERS[1]))
    return [*dict.fromkeys(orders)]


def short(question: Question, draws: Draws) -> Asked:
    """The question in our own words, answered by the bare letter or number."""
    text = draws.choice(_BARE).format(text=question.text.strip(), options=_options(question))
    end = letter_of(question) or question.answer
    meant = telling(question)
    return Asked(ask=Ask(text=text, max_new_tokens=LONGEST), answer=end, final=False, meant=meant)


def _bare_answers(question: Question) -> set[str]:
    return {of(question, "") for of in (_letter, _bracket, _option)} if question.choices else set()


def telling(question: Question) -> str:
    """What a right letter stands for, from the first word on that not all options begin with."""
    letter = letter_of(question)
    if not letter:
        return ""
    options = [bare(option).split() for option in question.choices]
    same = itertools.takewhile(lambda words: len(set(words)) == 1, zip(*options, strict=False))
    shared = len(list(same))
    right = options[LETTERS.index(letter)]
    return " ".join(right[shared:] or right)
