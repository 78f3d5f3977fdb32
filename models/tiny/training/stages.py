"""The recipe: what is learnt in which order, from what, how long; a scale for each machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

Kind = Literal["vision", "recall", "answers"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One stage. ``skills``: rows of each in a batch; ``lines`` of each row, ``drills`` of them.

    ``by_letter``, ``own_words`` and ``blind``: shares of drills, questions and rows. ``reuse``:
    batches that show the same clips and ask other things (or, of vision, show them in other noise).
    ``deepened``: later layers begin as copies of the early ones that add nothing yet.
    ``told``: share of the stage, its first, in which frames are not drawn: their image tokens are
    the words that they are to say; ``rehearsed``: lines of recall beside those. ``muon`` and
    ``adam``: peak learning rates, held for ``level`` of the stage.
    """

    name: str
    kind: Kind
    steps: int
    skills: Mapping[str, int] = field(default_factory=dict)
    lines: int = 0
    drills: int = 0
    by_letter: float = 0.0
    own_words: float = 0.0
    blind: float = 0.0
    reuse: int = 1
    told: float = 0.0
    rehearsed: int = 0
    fresh_decoder: bool = False
    deepened: bool = False
    muon: float = 0.02
    adam: float = 2e-3
    level: float = 0.55
    parts: int = 1


# Image tokens become words; words alone and made-up clips teach recall, from a fresh decoder,
# embeddings as they are, then letters of answers; drills are recall of real clips; then questions
# with their steps; then as the benchmarks ask and read them.
_VISION = Stage(name="vision", kind="vision", steps=0, muon=0.02, adam=2e-3)
# What is practised last is learnt no slower than the rest.
_RECALL = Stage(
    name="recall", kind="recall", steps=0, fresh_decoder=True, muon=0.01, adam=1e-3, level=0.9
)
_LETTERS = Stage(
    name="letters", kind="recall", steps=0, deepened=True, muon=0.01, adam=1e-3, level=0.8
)
_DRILLS = Stage(
    name="drills",
    kind="answers",
    steps=0,
    drills=8,
    by_letter=0.4,
    told=1.0,
    rehearsed=24,
    muon=0.01,
)
_STEPS = Stage(
    name="steps",
    kind="answers",
    steps=0,
    drills=2,
    by_letter=0.5,
    own_words=0.7,
    told=0.7,
    rehearsed=12,
    muon=0.01,
)
_FINAL = Stage(
    name="final",
    kind="answers",
    steps=0,
    drills=1,
    by_letter=0.5,
    own_words=0.15,
    blind=0.05,
    told=0.5,
    muon=0.01,
    adam=1e-3,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """Steps and rows for one kind of machine; ``vision_reuse``: steps that see the same clips."""

    steps: Mapping[str, int]
    vision_rows: Mapping[str, int]
    vision_reuse: int = 1
    rows: Mapping[str, int]
    recall_lines: int
    lines: int
    reuse: int
    parts: int = 1
    tokenizer_share: float = 1.0


SCALES: Mapping[str, Scale] = {
    # Two slow cores, 90 minutes.
    "cpu": Scale(
        steps={
            "vision": 3000,
            "recall": 1700,
            "letters": 1500,
            "drills": 1200,
            "steps": 1800,
            "final": 3600,
        },
        vision_rows={"lessons": 6, "rooms": 5, "films": 3, "routines": 1},
        # Drawing these clips takes three times as long as a step.
        vision_reuse=2,
        rows={"lessons": 5, "rooms": 4, "films": 3, "routines": 1},
        recall_lines=96,
        lines=8,
        reuse=3,
        parts=2,
    ),
    # One GPU with sixteen cores that draw, 10 minutes.
    "gpu": Scale(
        steps={
            "vision": 500,
            "recall": 550,
            "letters": 350,
            "drills": 500,
            "steps": 1200,
            "final": 1200,
        },
        vision_rows={"lessons": 24, "rooms": 20, "films": 12, "routines": 4},
        rows={"lessons": 20, "rooms": 16, "films": 10, "routines": 4},
        recall_lines=160,
        lines=8,
        reuse=3,
    ),
    # A third of the rows and a tenth of the steps, to see the curves fall before the time is spent.
    "pilot": Scale(
        steps={
            "vision": 220,
            "recall": 190,
            "letters": 110,
            "drills": 80,
            "steps": 80,
            "final": 40,
        },
        vision_rows={"lessons": 3, "rooms": 2, "films": 2, "routines": 1},
        rows={"lessons": 2, "rooms": 1, "films": 1, "routines": 1},
        recall_lines=24,
        lines=6,
        reuse=3,
        tokenizer_share=0.3,
    ),
    # Every part once, for tests; it learns next to nothing.
    "smoke": Scale(
        steps={
            "vision": 6,
            "recall": 8,
            "letters": 4,
            "drills": 2,
            "steps": 4,
            "final": 4,
        },
        vision_rows={"lessons": 1, "rooms": 1, "films": 1, "routines": 1},
        rows={"lessons": 1, "rooms": 1, "films": 1, "routines": 1},
        recall_lines=8,
        lines=3,
        reuse=2,
        tokenizer_share=0.1,
    ),
}


def stages(scale: Scale, only: Mapping[str, int] | None = None) -> tuple[Stage, ...]:
    """The stages at a scale; ``only`` has other numbers of steps by name, 0 leaves a stage out."""
    steps = {**scale.steps, **(only or {})}
    built = (
        replace(
            _VISION,
            steps=steps["vision"],
            skills=scale.vision_rows,
            reuse=scale.vision_reuse,
        ),
        *(
            replace(one, steps=steps[one.name], lines=scale.recall_lines)
            for one in (_RECALL, _LETTERS)
        ),
        *(
            replace(
                one,
                steps=steps[one.name],
                skills=scale.rows,
                lines=scale.lines,
                reuse=scale.reuse,
            )
            for one in (_DRILLS, _STEPS, _FINAL)
        ),
    )
    return tuple(replace(stage, parts=scale.parts) for stage in built if stage.steps)
