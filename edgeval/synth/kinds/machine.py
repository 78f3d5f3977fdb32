"""Kind 'machine': each shape adds its own number to what goes in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from edgeval.synth.draws import Draws
from edgeval.synth.nouns import ARROW, Mark, Query, Sign, Slide, SlideKind, Taught, Thing, Word
from edgeval.synth.vocabulary import ONE_TO_TEN, SHAPES

ONE_TO_NINE = ONE_TO_TEN[:9]


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """``adds``: shape -> 1..9, in the order shown.

    ``examples`` and ``quiz``: (shape, number that goes in).
    """

    adds: Mapping[str, int]
    examples: tuple[tuple[str, int], ...]
    quiz: tuple[str, int]

    def perception(self, draws: Draws) -> Query:
        """What a shape adds, or the shape that adds a number."""
        shape = draws.choice(list(self.adds))
        number = str(self.adds[shape])
        if draws.choices(["value", "reverse"], [5, 2])[0] == "value":
            stem = f"Which number does the {shape} add?"
            return Query(
                skill="lookup",
                stem=stem,
                answer=number,
                pool=ONE_TO_NINE,
                worked=f"{shape} {number}",
            )
        stem, worked = f"Which shape adds {number}?", f"{number} {shape}"
        return Query(skill="reverse", stem=stem, answer=shape, pool=tuple(self.adds), worked=worked)

    def comprehension(self, draws: Draws) -> Query:
        """An example's shape with another number going in."""
        shape, shown = draws.choice(self.examples)
        given = draws.choice([x for x in range(1, 11) if x != shown])
        stem = f"The example puts {shown} into the {shape}. What comes out if {given} goes in?"
        return self._result(stem, shape, given)

    def adaptation(self) -> Query:
        """The machine on the quiz slide."""
        return self._result("What comes out of the machine in the image?", *self.quiz)

    def _result(self, stem: str, shape: str, given: int) -> Query:
        result = str(self.adds[shape] + given)
        return Query(
            skill="arith",
            stem=stem,
            answer=result,
            pool=tuple(str(k + given) for k in range(1, 10)),
            worked=f"{shape} {self.adds[shape]} + {given} = {result}",
        )


def teach(draws: Draws, header: str) -> Taught:
    """Six shapes that add 1..9, three worked machines, and one whose shape no example used."""
    shapes = draws.sample(SHAPES, 6)
    adds = dict(zip(shapes, draws.sample(range(1, 10), 6), strict=True))
    slides = [
        Slide(
            kind="rule",
            header=header,
            lines=("Each shape adds", "its own number."),
            things=tuple(Sign("grey", s) for s in draws.sample(shapes, 3)),
            slots=(None, None, None, "rule"),
        )
    ]
    for shape, number in adds.items():
        sign = Sign("grey", shape)
        slides.append(
            Slide(
                kind="pair",
                header=header,
                things=(sign, Mark(ARROW), Word(f"+{number}")),
                slots=(*sign, str(number), "table"),
            )
        )
    examples = []
    for shape in draws.sample(shapes, 3):
        given = draws.randint(1, 10)
        examples.append((shape, given))
        slides.append(_machine("example", shape, given, result=Word(str(given + adds[shape]))))
    used = {shape for shape, _ in examples}
    quiz = (draws.choice([s for s in shapes if s not in used]), draws.randint(1, 10))
    slides.append(_machine("quiz", *quiz, result=Mark("?")))
    return Taught(Machine(adds=adds, examples=tuple(examples), quiz=quiz), tuple(slides))


def _machine(kind: SlideKind, shape: str, given: int, *, result: Thing) -> Slide:
    sign = Sign("grey", shape)
    return Slide(
        kind=kind,
        header="Example" if kind == "example" else "",
        things=(Word(str(given)), Mark(ARROW), sign, Mark(ARROW), result),
        slots=(*sign, str(given), kind),
    )
