"""The straight line: clip, plan, frames, view, prompt, generation, scores, record, journal."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Protocol

import numpy as np

from edgeval.analyses import prompting, variants
from edgeval.benchmarks.base import Benchmark
from edgeval.engines import Context
from edgeval.errors import ArgumentError, MemoryLimitError
from edgeval.figures import Report
from edgeval.generate import Saying, together
from edgeval.runfolder.journal import Journal, answered
from edgeval.seeing import Seen, Work, seen_ahead
from edgeval.types import (
    Ask,
    Clip,
    Failure,
    Frames,
    Prompt,
    PromptDigest,
    Question,
    Record,
    Score,
    Stages,
    Timing,
    Turn,
)
from edgeval.view import View


class Observer(Protocol):
    """Whoever wants to see a run happen (the command line's progress, a trace)."""

    wants_digests: bool

    def started(self, *, total: int, records: Sequence[Record]) -> None:
        """Called once, with the records a resumed run already has."""

    def asked(self, step: Step) -> None:
        """Called after each question, before its record is made durable."""

    def recorded(self, record: Record) -> None:
        """Called after each record is durable."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Every noun of one answered question, whole."""

    frames: Frames | None
    view: View | None
    prompt: Prompt | None
    record: Record


def steps(work: Work) -> Iterator[Step]:
    """Every question of the work, asked and answered, in order; nothing is written."""
    for seen in seen_ahead(work, work.clips, digest=False):
        yield from _answer_clip(work, seen)


def execute(work: Work, journal: Journal, observer: Observer) -> Report:
    """Ask every question that the journal does not hold yet, then report over all of them.

    Raises EngineError, MemoryLimitError or Interrupted with every answered question safe.
    """
    done = answered(journal.records)
    clips = [left for clip in work.clips if (left := _without(clip, done)).questions]
    observer.started(total=sum(len(clip.questions) for clip in work.clips), records=journal.records)
    for seen in seen_ahead(work, clips, digest=observer.wants_digests):
        _record_clip(work, seen, journal, observer)
    return report_of(work.benchmark, journal.records)


def _record_clip(work: Work, seen: Seen, journal: Journal, observer: Observer) -> None:
    """In a function of its own, so that a clip's view is let go before the next is made."""
    for step in _answer_clip(work, seen):
        observer.asked(step)
        journal.append(step.record)
        observer.recorded(step.record)


def report_of(benchmark: Benchmark, records: Sequence[Record]) -> Report:
    """The benchmark's own report over the true askings, and what every variant changed.

    The same for the same records in whatever order, however they were split into parts.
    """
    records = _in_order(records, benchmark)
    report = benchmark.report([record for record in records if not record.variant])
    found = variants.figures(records, benchmark.rules, benchmark.compared_by)
    return dataclasses.replace(report, comparisons=found)


def _in_order(records: Sequence[Record], benchmark: Benchmark) -> list[Record]:
    """By setting and task as the benchmark lists them, then by id.

    Sums of floating-point numbers, and which setting leads a table, depend on the order.
    """
    settings = {name: place for place, name in enumerate(benchmark.settings)}
    tasks = {name: place for place, name in enumerate(benchmark.tasks)}

    def place(record: Record) -> tuple[int, int, str, str]:
        question = record.question
        known = settings.get(record.setting, len(settings)), tasks.get(question.task, len(tasks))
        return (*known, question.id, record.variant)

    return sorted(records, key=place)


def say_after(work: Work, answers: Mapping[str, str], text: str) -> Iterator[tuple[str, str]]:
    """Question id and what the model says to ``text`` as the turn after each given answer."""
    wanted = frozenset(answers)
    everything = frozenset(question.id for clip in work.clips for question in clip.questions)
    clips = [left for clip in work.clips if (left := _without(clip, everything - wanted)).questions]
    for seen in seen_ahead(work, clips, digest=False):
        if seen.failure is not None:
            continue
        view = _look(work, seen)
        for question in seen.clip.questions:
            asked = work.benchmark.ask(seen.clip, question)
            history = (
                *asked.history,
                Turn(role="user", text=asked.text),
                Turn(role="assistant", text=asked.prefill + answers[question.id]),
            )
            ask = Ask(text=text, max_new_tokens=prompting.THINKING_TOKENS, history=history)
            prompt = work.model.prompt(view, ask)
            said = work.model.answer(view, prompt, work.decoding, max_new_tokens=ask.max_new_tokens)
            yield question.id, said.text


def _without(clip: Clip, done: frozenset[str]) -> Clip:
    left = tuple(question for question in clip.questions if question.id not in done)
    return dataclasses.replace(clip, questions=left)


def _answer_clip(work: Work, seen: Seen) -> Iterator[Step]:
    """Every question of a clip, in order, with as many under way at a time as the work says."""
    questions = seen.clip.questions
    look = functools.cache(lambda: _look(work, seen))
    n = min(work.batch_questions, len(questions))
    asked = (_asked(work, seen, look, question) for question in questions)
    try:
        yield from together(asked, work.model.rows(n), most=n)
    except MemoryError as error:
        raise MemoryLimitError(
            f"{seen.clip.id}: got no memory for {_n_frames(seen)} frames; "
            "use fewer with --frames, then resume"
        ) from error


def _asked(
    work: Work, seen: Seen, look: Callable[[], View], question: Question
) -> Saying[Context, Step]:
    """One question, answered or not; ``look`` makes the clip's view once."""
    failure, view = seen.failure, None
    if failure is None:
        try:
            view = look()
            return (yield from _answered(work, seen, view, question))
        except ArgumentError as error:
            failure = Failure(kind="model", message=str(error))
    record = _failed(work, seen, question, failure)
    return Step(frames=seen.frames, view=view, prompt=None, record=record)


def _look(work: Work, seen: Seen) -> View:
    if not work.model.conduct.obliging:
        return work.model.see(seen.frames)
    return work.model.see(seen.frames, system=seen.clip.system, captions=seen.clip.captions)


def _damage(work: Work, seen: Seen) -> tuple[str, ...]:
    """What the protocol did not follow, and what is wrong with the video."""
    plan, own = (seen.frames.plan, seen.frames.damage) if seen.frames else (None, ())
    return work.model.conduct.unfollowed(seen.clip, plan) + own


def _n_frames(seen: Seen) -> int:
    return len(seen.frames.plan.indices) if seen.frames else 0


def _answered(work: Work, seen: Seen, view: View, question: Question) -> Saying[Context, Step]:
    def read(text: str) -> str:
        parsed = work.benchmark.score(question, text)[0].parsed
        return "" if parsed is None else str(parsed)

    spent: list[Timing] = []
    ask = work.benchmark.ask(seen.clip, question)
    way = prompting.asking(work.prompting, ask, work.decoding, read)
    try:
        ask, decoding = next(way)
        while True:
            prompt = work.model.prompt(view, ask)
            longest = decoding.max_new_tokens or ask.max_new_tokens
            said = yield from work.model.answering(view, prompt, decoding, longest)
            spent.append(said.timing)
            ask, decoding = way.send(said)
    except StopIteration as end:
        outcome: prompting.Outcome = end.value
    own = outcome.generation.timing
    others_s = sum(one.question_s for one in spent) - own.question_s if len(spent) > 1 else 0.0
    timing = dataclasses.replace(
        own,
        decode_s=seen.frames.decode_s if seen.frames else 0.0,
        other_turns_s=others_s,
        together=max(one.together for one in spent),
    )
    record = Record(
        question=question,
        setting=seen.clip.setting,
        variant=seen.clip.variant,
        frame_indices=seen.frames.plan.indices if seen.frames else (),
        video=_relative(seen.clip.video, work.root),
        video_sha256=seen.video_sha256,
        prompt=_digest(prompt),
        generation=dataclasses.replace(outcome.generation, timing=timing),
        answer=outcome.text,
        scores={score.rule: score for score in work.benchmark.score(question, outcome.text)},
        damage=_damage(work, seen),
        turns=outcome.turns,
        note=outcome.note,
        stages=Stages(
            pictures=seen.frames.pictures if seen.frames else (),
            pixels=view.pixel_sha256(),
            prompt_ids=runs_of(prompt.token_ids),
        ),
    )
    return Step(frames=seen.frames, view=view, prompt=prompt, record=record)


def _failed(work: Work, seen: Seen, question: Question, failure: Failure) -> Record:
    return Record(
        question=question,
        setting=seen.clip.setting,
        variant=seen.clip.variant,
        frame_indices=seen.frames.plan.indices if seen.frames else (),
        video=_relative(seen.clip.video, work.root),
        video_sha256=seen.video_sha256,
        scores={
            rule: Score(rule=rule, value=0.0, parsed=None, status="error")
            for rule in work.benchmark.rules
        },
        failure=failure,
    )


def _relative(video: Path | None, root: Path) -> str:
    if video is None:
        return ""
    return video.relative_to(root).as_posix() if video.is_relative_to(root) else video.as_posix()


def runs_of(ids: Sequence[int]) -> tuple[tuple[int, int], ...]:
    """Token ids, each with how often it comes in a row: a clip's image tokens are one pair."""
    return tuple((token, len(list(same))) for token, same in groupby(ids))


def _digest(prompt: Prompt) -> PromptDigest:
    ids = np.asarray(prompt.token_ids, dtype="<i8")
    return PromptDigest(
        text=prompt.text,
        n_tokens=len(prompt.token_ids),
        shared_prefix_len=prompt.shared_prefix_len,
        sha256=hashlib.sha256(ids.tobytes()).hexdigest(),
    )
