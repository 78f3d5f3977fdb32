"""Kind 'code': each sign has its own number; the quiz adds a number to a sign."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from edgeval.synth.draws import Draws
from edgeval.synth.kinds.signs import distinct_signs, neighbour
from edgeval.synth.nouns import ARROW, Mark, Query, Sign, Slide, SlideKind, Taught, Thing, Word
from edgeval.synth.vocabulary import ONE_TO_TEN


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """``numbers``: sign -> 1..10, in the order shown.

    ``examples`` and ``quiz``: (sign, number added to it).
    """

    numbers: Mapping[Sign, int]
    examples: tuple[tuple[Sign, int], ...]
    quiz: tuple[Sign, int]

    def perception(self, draws: Draws) -> Query:
        """The number beside a sign, the sign beside a number, or a sign's neighbour."""
        signs = list(self.numbers)
        sort = draws.choices(["value", "reverse", "order"], [5, 2, 3])[0]
        sign = draws.choice(signs)
        value = str(self.numbers[sign])
        if sort == "value":
            stem = f"Which number stood beside the {sign}?"
            return Query(
                skill="lookup", stem=stem, answer=value, pool=ONE_TO_TEN, worked=f"{sign} {value}"
            )
        if sort == "reverse":
            pool, worked = tuple(str(s) for s in signs), f"{value} {sign}"
            return Query(
                skill="reverse",
                stem=f"Which sign stood beside {value}?",
                answer=str(sign),
                pool=pool,
                worked=worked,
            )
        return neighbour(draws, signs, what="sign")

    def comprehension(self, draws: Draws) -> Query:
        """An example's sum with another sign in it."""
        shown, added = draws.choice(self.examples)
        sign = draws.choice([s for s in self.numbers if s != shown])
        stem = (
            f"The example adds {added} to the {shown}. "
            f"What is the total with the {sign} in its place?"
        )
        return self._total(stem, sign, added)

    def adaptation(self) -> Query:
        """The sum on the quiz slide."""
        return self._total("What is the total in the image?", *self.quiz)

    def _total(self, stem: str, sign: Sign, added: int) -> Query:
        total = str(self.numbers[sign] + added)
        return Query(
            skill="arith",
            stem=stem,
            answer=total,
            pool=tuple(str(v + added) for v in range(1, 11)),
            worked=f"{sign} {self.numbers[sign]} + {added} = {total}",
        )


def teach(draws: Draws, header: str) -> Taught:
    """Six signs with numbers from 1..10, three worked sums, and one with another sign."""
    signs = distinct_signs(draws, 6)
    numbers = dict(zip(signs, draws.sample(range(1, 11), 6), strict=True))
    slides = [
        Slide(
            kind="rule",
            header=header,
            lines=("Each sign has", "its own number."),
            things=tuple(draws.sample(signs, 3)),
            slots=(None, None, None, "rule"),
        )
    ]
    for sign, number in numbers.items():
        slides.append(
            Slide(
                kind="pair",
                header=header,
                things=(sign, Mark(ARROW), Word(str(number))),
                slots=(*sign, str(number), "table"),
            )
        )
    examples = []
    for sign in draws.sample(signs, 3):
        added = draws.randint(1, 9)
        examples.append((sign, added))
        slides.append(_sum("example", sign, added, result=Word(str(numbers[sign] + added))))
    used = {sign for sign, _ in examples}
    quiz = (draws.choice([s for s in signs if s not in used]), draws.randint(1, 9))
    slides.append(_sum("quiz", *quiz, result=Mark("?")))
    return Taught(Code(numbers=numbers, examples=tuple(examples), quiz=quiz), tuple(slides))


def _sum(kind: SlideKind, sign: Sign, added: int, *, result: Thing) -> Slide:
    return Slide(
        kind=kind,
        header="Example" if kind == "example" else "",
        things=(sign, Mark("+"), Word(str(added)), Mark("="), result),
        slots=(*sign, str(added), kind),
    )
