"""The embedded lessons asked as `edgeval run` asks them, as they are and in every change."""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from edgeval.chat.tokenizer import Tokenizer
from edgeval.cli.asked import spec_of
from edgeval.cli.run import command
from edgeval.engines import Context, Floats, Graphs, Ints
from edgeval.engines.passed import PassedContext, PassedGraphs
from edgeval.run import Step, steps
from edgeval.runcard import prepare
from edgeval.seeing import Work
from edgeval.types import Clip, Question, Record
from training.wordings import LETTERS

# Where a clip is cut, in seconds; a slide of a lesson is two, and both ends are shown.
CUTS: Mapping[str, tuple[float, float]] = MappingProxyType(
    {"first half": (0.0, 11.75), "no quiz": (0.0, 21.75)}
)
QUESTION_ONLY = "question-only"
TRUE = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What is asked at once. ``words``: behind ``edgeval run``.

    ``named``: what the true askings of it are called, where they are themselves a change;
    ``cut``: whether clips are also asked cut.
    """

    words: str
    named: str = TRUE
    cut: bool = False


_BASE = "videommmu --threads 1 --setting video"
_SHORT = "--max-new-tokens 64"
RUNS = (
    Run(words=f"{_BASE} --ablate blind,single,shuffle,reverse,wrong-video", cut=True),
    Run(words="videommmu --threads 1 --setting question-only", named=QUESTION_ONLY),
    Run(words=f"{_BASE} --frames 8,16,32"),
    Run(words=f"{_BASE} --precision q4", named="q4"),
    Run(words=f"{_BASE} --prompting cot {_SHORT}", named="cot"),
    Run(words=f"{_BASE} --prompting think-answer {_SHORT}", named="think-answer"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What a clip is to the model.

    ``squares``: uint8 [S, S, 3] in the order shown; ``words``: of each image token, the word of the
    vocabulary whose embedding is nearest by cosine; ``sent``: the prompt before the question.
    """

    squares: tuple[NDArray[np.uint8], ...]
    words: tuple[str, ...]
    sent: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """One answer. ``record.variant`` is the change.

    ``margin``: at the letter that was said, the right letter's logit less the best other's; None
    where none was said or there are no options. ``sight``: of the kept clip alone.
    """

    record: Record
    margin: float | None
    sight: Sight | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """A run's answers as they come, and what it was asked with."""

    work: Work
    card: Mapping[str, object]
    answers: Iterator[Answered]


def asking(run: Run, *, keep: str, only: bool = False) -> Asking:
    """Ask what ``run`` says; ``keep`` is the clip of which all is kept, ``only``: and asked."""
    chosen = command.make_context("run", shlex.split(run.words)).params
    work, card = prepare(spec_of(chosen))
    if run.cut:
        work = dataclasses.replace(work, clips=tuple(_with_cuts(work.clips)))
    if only:
        work = dataclasses.replace(work, clips=tuple(c for c in work.clips if c.id == keep))
    return Asking(work=work, card=card, answers=_answers(run, work, keep))


def _answers(run: Run, work: Work, keep: str) -> Iterator[Answered]:
    heard: list[Listening] = []

    def listen(graphs: Graphs) -> Graphs:
        heard.append(Listening(graphs))
        return heard[-1]

    work.model.through(listen)
    for step in steps(work):
        kept = step.record.question.clip_id == keep
        yield Answered(
            record=changed(step.record, run.named),
            margin=margin(step.record, heard[-1].logits, work.model.tokenizer),
            sight=_sight(step, work, heard[-1]) if kept else None,
        )
    work.model.close()


def _sight(step: Step, work: Work, heard: Listening) -> Sight | None:
    if step.frames is None or step.view is None or step.view.features is None:
        return None
    rows = step.view.features.rows
    table = heard.embed(range(heard.logits[-1].shape[-1]))
    cosines = _unit(rows) @ _unit(table).T
    return Sight(
        squares=tuple(np.asarray(one, np.uint8) for one in step.frames.pixels + step.frames.stills),
        words=tuple(
            work.model.tokenizer.decode([int(best)]).strip() for best in cosines.argmax(axis=1)
        ),
        sent=work.model.processor.text("", step.view.facts).full,
    )


def _unit(rows: Floats) -> Floats:
    units: Floats = rows / np.linalg.norm(rows, axis=1, keepdims=True).clip(1e-12)
    return units


def _with_cuts(clips: Sequence[Clip]) -> Iterator[Clip]:
    """Clips as they are, and those that are watched whole also in each of CUTS."""
    for clip in clips:
        yield clip
        if clip.setting == "video" and not clip.variant:
            for name, segment_s in CUTS.items():
                cut = dataclasses.replace(
                    clip, variant=name, segment_s=segment_s, must_see_last=False
                )
                questions = tuple(_renamed(question, name) for question in clip.questions)
                yield dataclasses.replace(cut, questions=questions)


def changed(record: Record, named: str) -> Record:
    """The record as a variant of the true asking where its run is itself a change."""
    if record.variant or not named:
        return record
    watched = record.question.id.replace("_question_only", "")
    question = _renamed(dataclasses.replace(record.question, id=watched), named)
    return dataclasses.replace(record, setting="video", variant=named, question=question)


def _renamed(question: Question, variant: str) -> Question:
    return dataclasses.replace(question, id=f"{question.id}#{variant}")


def margin(record: Record, logits: Sequence[Floats], tokenizer: Tokenizer) -> float | None:
    """See Answered. ``logits`` [V] before each token that was said, in order."""
    question, said = record.question, record.generation
    parsed = next((score.parsed for score in record.scores.values()), None)
    if said is None or not question.choices or parsed not in tuple(LETTERS):
        return None
    letters = LETTERS[: len(question.choices)]
    right = letters.index(question.answer)
    for form in ("", "\u0120"):  # A byte-level tokenizer has a letter bare and behind a space.
        ids = [tokenizer.id(form + letter) for letter in letters]
        known = [one for one in ids if one is not None]
        if len(known) < len(letters) or parsed not in letters:
            continue
        spoken = known[letters.index(str(parsed))]
        places = [at for at, token in enumerate(said.token_ids) if token == spoken]
        if places:
            values = np.asarray(logits[places[-1]][known], np.float64)
            return float(values[right] - np.delete(values, right).max())
    return None


class Listening(PassedGraphs):
    """Graphs as they are; ``logits``: behind the last prompt, then behind each token said."""

    def __init__(self, graphs: Graphs) -> None:
        super().__init__(graphs)
        self.logits: list[Floats] = []

    def start(self, capacity: int) -> Context:
        """See Graphs."""
        return _ListeningContext(super().start(capacity), self)


class _ListeningContext(PassedContext):
    """A context as it is, its logits copied: the array may be reused."""

    def __init__(self, context: Context, listening: Listening) -> None:
        super().__init__(context)
        self._own = context
        self._listening = listening

    def extend(
        self, embeds: Floats, *, places: Ints | None = None, deep: Floats | None = None
    ) -> Floats:
        logits = super().extend(embeds, places=places, deep=deep)
        self._listening.logits[:] = [logits.copy()]
        return logits

    def step(self, token_id: int) -> Floats:
        logits = super().step(token_id)
        self._listening.logits.append(logits.copy())
        return logits

    def fork(self) -> Context:
        return _ListeningContext(self._own.fork(), self._listening)
