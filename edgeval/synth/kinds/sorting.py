"""Kind 'sorting': the colour, or the shape, decides the bin; asked about signs never shown."""

from __future__ import annotations

from dataclasses import dataclass

from edgeval.synth.draws import Draws
from edgeval.synth.kinds.signs import neighbour
from edgeval.synth.nouns import ARROW, Mark, Query, Sign, Slide, Taught, Word
from edgeval.synth.vocabulary import COLOURS, NAMES, SHAPES

N_BINS = 6
N_EXAMPLES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Sorting:
    """Bin i was shown with ``colours[i]`` and ``shapes[i]``; ``by`` says which of them decides.

    ``unseen``: every (colour index, shape index) that was not in the table, in the order drawn:
    first those of the examples, then the quiz's, then those left to ask about.
    """

    colours: tuple[str, ...]
    shapes: tuple[str, ...]
    bins: tuple[str, ...]
    by: str
    unseen: tuple[tuple[int, int], ...]

    @property
    def signs(self) -> tuple[Sign, ...]:
        """The signs of the table, in the order shown."""
        return tuple(Sign(c, s) for c, s in zip(self.colours, self.shapes, strict=True))

    def sign(self, pair: tuple[int, int]) -> Sign:
        """The sign with colour ``pair[0]`` and shape ``pair[1]``."""
        return Sign(self.colours[pair[0]], self.shapes[pair[1]])

    def bin_of(self, pair: tuple[int, int]) -> str:
        """Where that sign goes."""
        return self.bins[self._decider(pair)]

    def perception(self, draws: Draws) -> Query:
        """The name beside a sign, the sign beside a name, or a sign's neighbour."""
        sort = draws.choices(["value", "reverse", "order"], [5, 2, 3])[0]
        sign = draws.choice(self.signs)
        name = self.bins[self.signs.index(sign)]
        if sort == "value":
            stem = f"Which name stood beside the {sign}?"
            return Query(
                skill="lookup", stem=stem, answer=name, pool=NAMES, worked=f"{sign} {name}"
            )
        if sort == "reverse":
            pool, worked = tuple(str(s) for s in self.signs), f"{name} {sign}"
            return Query(
                skill="reverse",
                stem=f"Which sign stood beside {name}?",
                answer=str(sign),
                pool=pool,
                worked=worked,
            )
        return neighbour(draws, self.signs, what="sign")

    def comprehension(self, draws: Draws) -> Query:
        """The bin of a combination that no slide showed."""
        pair = draws.choice(self.unseen[N_EXAMPLES + 1 :])
        return self._query(f"Into which bin would a {self.sign(pair)} go?", pair)

    def adaptation(self) -> Query:
        """The bin of the sign on the quiz slide."""
        return self._query("Into which bin does the sign in the image go?", self.unseen[N_EXAMPLES])

    def _decider(self, pair: tuple[int, int]) -> int:
        return pair[0] if self.by == "colour" else pair[1]

    def _query(self, stem: str, pair: tuple[int, int]) -> Query:
        sign, name, shown = self.sign(pair), self.bin_of(pair), self.signs[self._decider(pair)]
        what = f"colour {shown.colour}" if self.by == "colour" else f"shape {shown.shape}"
        kept = f" {shown.shape}" if self.by == "colour" else ""
        worked = f"{sign} {what}{kept} {name}"
        return Query(skill="rule", stem=stem, answer=name, pool=NAMES, worked=worked)


def teach(draws: Draws, header: str) -> Taught:
    """Six signs with their bins, three worked combinations, and a new one to be sorted."""
    colours, shapes = draws.sample(COLOURS, N_BINS), draws.sample(SHAPES, N_BINS)
    bins = draws.sample(NAMES, N_BINS)
    by = draws.choice(["colour", "shape"])
    if by == "colour":
        icons = tuple(Sign(c, "blob") for c in draws.sample(COLOURS, 3))
    else:
        icons = tuple(Sign("grey", s) for s in draws.sample(SHAPES, 3))
    unseen = [(i, j) for i in range(N_BINS) for j in range(N_BINS) if i != j]
    draws.shuffle(unseen)
    rule = Sorting(
        colours=tuple(colours), shapes=tuple(shapes), bins=tuple(bins), by=by, unseen=tuple(unseen)
    )
    lines = ("Which bin? Only the", f"{by} decides.")
    slides = [
        Slide(kind="rule", header=header, lines=lines, things=icons, slots=(None, None, by, "rule"))
    ]
    for sign, name in zip(rule.signs, bins, strict=True):
        row = (sign, Mark(ARROW), Word(name))
        slides.append(Slide(kind="pair", header=header, things=row, slots=(*sign, name, "table")))
    for pair in unseen[:N_EXAMPLES]:
        sign, name = rule.sign(pair), rule.bin_of(pair)
        row = (sign, Mark(ARROW), Word(name))
        slides.append(
            Slide(kind="example", header="Example", things=row, slots=(*sign, name, "example"))
        )
    asked = rule.sign(unseen[N_EXAMPLES])
    slides.append(
        Slide(kind="quiz", things=(asked, Mark(ARROW), Mark("?")), slots=(*asked, None, "quiz"))
    )
    return Taught(rule, tuple(slides))
