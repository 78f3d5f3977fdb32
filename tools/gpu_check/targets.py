"""What was hoped for on a data-centre GPU, beside what was found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A ratio and its target."""

    what: str
    got: float
    wanted: float

    @property
    def met(self) -> bool:
        """Whether it is reached."""
        return self.got >= self.wanted

    def line(self) -> str:
        """For the table."""
        word = "met" if self.met else "MISSED"
        return f"{self.what}: {self.got:.2f} (target {self.wanted:g}: {word})"


DECODE, QUESTIONS = 2.0, 8.0


def verdicts(speed: dict[str, Any], engine: str) -> list[Verdict]:
    """Both targets, each where both sides of it were measured."""
    found = []
    ours, theirs = speed.get(engine), speed.get("transformers_eager")
    if ours and theirs:
        ratio = ours["tokens_a_s"] / theirs["tokens_a_s"]
        what = f"{engine} tokens/s over transformers eager, batch 1"
        found.append(Verdict(what=what, got=ratio, wanted=DECODE))
    ours, theirs = speed.get(f"questions_{engine}"), speed.get("questions_eager")
    if ours and theirs:
        ratio = theirs["from_file_s"] / ours["from_file_s"]
        what = f"{ours['n']} questions on a clip, transformers anew over {engine} shared"
        found.append(Verdict(what=what, got=ratio, wanted=QUESTIONS))
    return found
