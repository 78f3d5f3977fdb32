"""Kind 'chain': shape to colour, colour to number or name, so two steps to what is asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from edgeval.synth.draws import Draws
from edgeval.synth.nouns import ARROW, Mark, Query, Sign, Slide, Slots, Taught, Word
from edgeval.synth.vocabulary import COLOURS, NAMES, ONE_TO_TEN, SHAPES


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """Shape to colour to value; both mappings in the order shown.

    ``sort``: 'number' or 'name', what the values are; ``quiz``: the shape on the quiz slide.
    """

    sort: str
    colour_of: Mapping[str, str]
    value_of: Mapping[str, str]
    quiz: str

    @property
    def values(self) -> tuple[str, ...]:
        """Every value a lesson of this sort could have drawn."""
        return ONE_TO_TEN if self.sort == "number" else NAMES

    def perception(self, draws: Draws) -> Query:
        """One step of the chain."""
        if draws.random() < 0.5:
            given = draws.choice(list(self.colour_of))
            stem, answer, pool = (
                f"Which colour stood beside the {given}?",
                self.colour_of[given],
                COLOURS,
            )
        else:
            given = draws.choice(list(self.value_of))
            stem, answer, pool = (
                f"Which {self.sort} stood beside {given}?",
                self.value_of[given],
                self.values,
            )
        return Query(
            skill="lookup", stem=stem, answer=answer, pool=pool, worked=f"{given} {answer}"
        )

    def comprehension(self, draws: Draws) -> Query:
        """Both steps, forward or backward."""
        shape = draws.choice(list(self.colour_of))
        if draws.random() < 0.7:
            return self._forward(
                f"Through its colour, which {self.sort} does the {shape} lead to?", shape
            )
        colour = self.colour_of[shape]
        value = self.value_of[colour]
        return Query(
            skill="twohop",
            stem=f"Through its colour, which shape leads to {value}?",
            answer=shape,
            pool=tuple(self.colour_of),
            worked=f"{value} {colour} {shape}",
        )

    def adaptation(self) -> Query:
        """Both steps for the shape on the quiz slide."""
        return self._forward(f"Which {self.sort} does the shape in the image lead to?", self.quiz)

    def _forward(self, stem: str, shape: str) -> Query:
        colour = self.colour_of[shape]
        value = self.value_of[colour]
        worked = f"{shape} {colour} {value}"
        return Query(skill="twohop", stem=stem, answer=value, pool=self.values, worked=worked)


def teach(draws: Draws, header: str) -> Taught:
    """Four shapes to four colours to four values; one worked chain, one to follow."""
    shapes, colours = draws.sample(SHAPES, 4), draws.sample(COLOURS, 4)
    sort = draws.choice(["number", "name"])
    values = (
        [str(v) for v in draws.sample(range(1, 11), 4)]
        if sort == "number"
        else draws.sample(NAMES, 4)
    )
    colour_of = dict(zip(shapes, colours, strict=True))
    value_of = dict(zip(draws.sample(colours, 4), values, strict=True))
    shown, quiz = draws.sample(shapes, 2)
    slides = [
        Slide(
            kind="rule",
            header=header,
            lines=("Shape to colour,", f"colour to {sort}."),
            things=(Sign("grey", shapes[0]), Sign(colours[1], "blob")),
            slots=(None, None, None, "rule"),
        )
    ]
    for shape, colour in colour_of.items():
        link = (Sign("grey", shape), Mark(ARROW), Sign(colour, "blob"))
        slides.append(
            Slide(kind="pair", header=header, things=link, slots=("grey", shape, colour, "table"))
        )
    for colour, value in value_of.items():
        slots: Slots = (colour, None, value, "table")
        end = (Sign(colour, "blob"), Mark(ARROW), Word(value))
        slides.append(Slide(kind="pair", header=header, things=end, slots=slots))
    value = value_of[colour_of[shown]]
    slides.append(
        Slide(
            kind="example",
            header="Example",
            things=(Sign("grey", shown), Mark(ARROW), Word(value)),
            slots=("grey", shown, value, "example"),
        )
    )
    asked = (Sign("grey", quiz), Mark(ARROW), Mark("?"))
    slides.append(Slide(kind="quiz", things=asked, slots=("grey", quiz, None, "quiz")))
    return Taught(
        Chain(sort=sort, colour_of=colour_of, value_of=value_of, quiz=quiz), tuple(slides)
    )
