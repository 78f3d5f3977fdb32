"""Kind 'steps': seven signs in an order; only the order of the frames tells what follows what."""

from __future__ import annotations

from dataclasses import dataclass

from edgeval.synth.draws import Draws
from edgeval.synth.kinds.signs import distinct_signs, neighbour
from edgeval.synth.nouns import ARROW, Mark, Query, Sign, Slide, Taught


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """``order``: the signs as shown. ``quiz``: the sign (not the last) whose follower is asked."""

    order: tuple[Sign, ...]
    quiz: Sign

    def perception(self, draws: Draws) -> Query:
        """A step's neighbour."""
        return neighbour(draws, self.order, what="step")

    def comprehension(self, draws: Draws) -> Query:
        """The follower of a step in the reversed order, or with the next one left out."""
        order = self.order
        if draws.random() < 0.5:
            i = draws.randrange(1, 7)
            stem = f"If the order were reversed, which step would come right after the {order[i]}?"
            worked = f"before {order[i]} {order[i - 1]}"
            return _order_query(self, stem, answer=order[i - 1], without=(order[i],), worked=worked)
        i = draws.randrange(0, 5)
        gone = order[i + 1]
        stem = f"If the {gone} were left out, which step would come right after the {order[i]}?"
        worked = f"after {gone} {order[i + 2]}"
        return _order_query(
            self, stem, answer=order[i + 2], without=(order[i], gone), worked=worked
        )

    def adaptation(self) -> Query:
        """The follower of the step on the quiz slide."""
        answer = self.order[self.order.index(self.quiz) + 1]
        stem = "Which step comes right after the one in the image?"
        worked = f"after {self.quiz} {answer}"
        return _order_query(self, stem, answer=answer, without=(self.quiz,), worked=worked)


def _order_query(
    steps: Steps, stem: str, *, answer: Sign, without: tuple[Sign, ...], worked: str
) -> Query:
    pool = tuple(str(s) for s in steps.order if s not in without)
    return Query(
        skill="order", stem=stem, answer=str(answer), pool=pool, worked=worked, by_order=True
    )


def teach(draws: Draws, header: str) -> Taught:
    """Seven signs one by one, two worked neighbours, and a sign with its follower to be named."""
    order = distinct_signs(draws, 7)
    slides = [
        Slide(
            kind="rule",
            header=header,
            lines=("The steps come", "in this order."),
            things=(Sign("grey", "circle"),) * 3,
            slots=(None, None, None, "rule"),
        )
    ]
    slides += [
        Slide(kind="pair", header=header, things=(s,), slots=(*s, None, "table")) for s in order
    ]
    *shown, asked = draws.sample(range(6), 3)
    for i in shown:
        pair = (order[i], Mark(ARROW), order[i + 1])
        slides.append(
            Slide(kind="example", header="Example", things=pair, slots=(*order[i], None, "example"))
        )
    quiz = order[asked]
    slides.append(
        Slide(kind="quiz", things=(quiz, Mark(ARROW), Mark("?")), slots=(*quiz, None, "quiz"))
    )
    return Taught(Steps(order=tuple(order), quiz=quiz), tuple(slides))
