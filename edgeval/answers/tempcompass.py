"""TempCompass's matching rules, which decide where they can without a judge.

Source: llyx97/TempCompass@e1b463166400633e6061962d890a9ae85db29f70 (eval_multi-choice.py,
eval_yes_no.py, eval_caption_matching.py, eval_captioning.py) and, alike in all of this,
EvolvingLMMs-Lab/lmms-eval@75571cfe0fa36ca5ec2e6aa2bb268f9d38295af3, lmms_eval/tasks/tempcompass.
"""

from __future__ import annotations

from dataclasses import dataclass

_LETTERS = "ABCD"
_KINDS = ("Sentence ", "Option ", "Caption ")
_NO_REPLY = ("", "invalid_request_error")


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """What an answer was taken for, and whether that is right."""

    parsed: str
    right: bool


def match_choice(answer: str, gold: str) -> Match | None:
    """The whole gold option, or a letter from A to D: alone, or before "." or ")" at the start."""
    if answer == gold:
        return Match(parsed=answer, right=True)
    if answer[:1] in _LETTERS and answer[1:2] in ("", ".", ")") and answer:
        return Match(parsed=answer[0], right=answer[0] == gold[0])
    return None


def match_yes_no(answer: str, gold: str) -> Match | None:
    """How the answer begins, in any case: "not sure" and "north" are no."""
    lowered = answer.lower()
    said = next((word for word in ("yes", "no") if lowered.startswith(word)), None)
    return None if said is None else Match(parsed=said, right=said == gold)


def options(question: str) -> tuple[str, ...]:
    """The options of a caption matching question: the lines below its first."""
    return tuple(question.split("\n")[1:])


def match_caption(answer: str, question: str, gold: str) -> Match | None:
    """The option that the answer repeats: whole, its sentence, or its name ("Option 1", "1").

    Of several the last, names after sentences after whole options. Periods in a name are
    overlooked, and the sentence may follow a ") ". Every option must have a ": ".
    """
    parts = [option.split(": ") for option in options(question)]
    names = [name for name, *_ in parts]
    sentences = [sentence for _, sentence, *_ in parts]
    said = [option for option in options(question) if option == answer]
    behind = answer.split(") ")[1] if ") " in answer else answer
    said += [sentence for sentence in sentences if sentence in (answer, behind)]
    named = (answer, answer.replace(".", ""))
    said += [name for name in (*names, *map(_short, names)) if name in named]
    if not said:
        return None
    name, sentence, *_ = gold.split(": ")
    right = (gold, gold.split(":", maxsplit=1)[0], sentence, *name.split()[1:2])
    return Match(parsed=said[-1], right=said[-1] in right)


def _short(name: str) -> str:
    for kind in _KINDS:
        name = name.replace(kind, "")
    return name


def judged_letter(reply: str) -> str | None:
    """What a judge says the caption answers: its last line with "Answer", else all of it.

    None for no reply. Source: parse_llm_output of eval_captioning.py.
    """
    if reply in _NO_REPLY:
        return None
    lines = [line.strip() for line in reply.split("\n")]
    answers = [line.replace("Answer:", "").strip() for line in lines if "Answer" in line]
    return answers[-1] if answers else reply


def judged_right(said: str, gold: str) -> bool:
    """Whether the judge's letter is the gold option's, and no other option is named beside it."""
    named = sum(said.count(f"{letter}.") for letter in _LETTERS)
    return said.partition(". ")[0] == gold.partition(". ")[0] and named == 1
