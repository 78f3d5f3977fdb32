"""The straight line: clip, plan, frames, view, prompt, generation, scores, record, journal."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from edgeval import dataset, prompting, variants
from edgeval import frames as frame_rules
from edgeval.benchmarks.base import Benchmark
from edgeval.errors import ArgumentError, DataError, MemoryLimitError, VideoError
from edgeval.journal import Journal, answered
from edgeval.media.decode import decode
from edgeval.media.probe import probe
from edgeval.model import Model
from edgeval.types import (
    Ask,
    Clip,
    Decoding,
    Failure,
    FrameRule,
    Frames,
    Generation,
    Prompt,
    PromptDigest,
    Question,
    Record,
    Report,
    Score,
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What one run does: the clips, the model that answers, and how."""

    benchmark: Benchmark
    root: Path
    clips: tuple[Clip, ...]
    model: Model
    rule: FrameRule
    decoding: Decoding
    prompting: str = prompting.DIRECT


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    clip: Clip
    frames: Frames | None
    video_sha256: str
    failure: Failure | None


def check_videos(clips: Sequence[Clip]) -> tuple[str, ...]:
    """One sentence for each video or image that cannot be opened; empty when all can."""
    wrong: dict[Path, str] = {}
    files = (path for clip in clips for path in (clip.video, clip.image) if path is not None)
    for path in dict.fromkeys(files):
        try:
            probe(path)
        except DataError as error:
            wrong[path] = str(error)
    return tuple(wrong.values())


def execute(work: Work, journal: Journal, observer: Observer) -> Report:
    """Ask every question that the journal does not hold yet, then report over all of them.

    Raises EngineError, MemoryLimitError or Interrupted with every answered question safe.
    """
    done = answered(journal.records)
    clips = [left for clip in work.clips if (left := _without(clip, done)).questions]
    observer.started(total=sum(len(clip.questions) for clip in work.clips), records=journal.records)
    for seen in _seen_ahead(work, clips, digest=observer.wants_digests):
        for step in _answer_clip(work, seen):
            observer.asked(step)
            journal.append(step.record)
            observer.recorded(step.record)
    return report_of(work.benchmark, journal.records)


def report_of(benchmark: Benchmark, records: Sequence[Record]) -> Report:
    """The benchmark's own report over the true askings, and what every variant changed."""
    report = benchmark.report([record for record in records if not record.variant])
    found = variants.figures(records, benchmark.rules, benchmark.compared_by)
    return dataclasses.replace(report, comparisons=found)


def say_after(work: Work, answers: Mapping[str, str], text: str) -> Iterator[tuple[str, str]]:
    """Question id and what the model says to ``text`` as the turn after each given answer."""
    wanted = frozenset(answers)
    everything = frozenset(question.id for clip in work.clips for question in clip.questions)
    clips = [left for clip in work.clips if (left := _without(clip, everything - wanted)).questions]
    for seen in _seen_ahead(work, clips, digest=False):
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


def _seen_ahead(work: Work, clips: Sequence[Clip], *, digest: bool) -> Iterator[_Seen]:
    """Clips with their frames, one decoded ahead while the model works on the one before."""
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="edgeval-decode") as pool:
        ahead: Future[_Seen] | None = None
        for clip in clips:
            coming = pool.submit(_see, work, clip, digest=digest)
            if ahead is not None:
                yield ahead.result()
            ahead = coming
        if ahead is not None:
            yield ahead.result()


def _see(work: Work, clip: Clip, *, digest: bool) -> _Seen:
    if clip.video is None and clip.image is None:
        return _Seen(clip=clip, frames=None, video_sha256="", failure=None)
    sha256 = ""
    try:
        if clip.video is not None:
            sha256 = dataset.sha256(clip.video)
        if clip.video is not None and not work.model.conduct.shows(clip.video):
            return _Seen(clip=clip, frames=None, video_sha256=sha256, failure=None)
        frames = _frames(work, clip, digest=digest)
    except DataError as error:
        failure = Failure(kind="video", message=str(error))
        return _Seen(clip=clip, frames=None, video_sha256=sha256, failure=failure)
    return _Seen(clip=clip, frames=frames, video_sha256=sha256, failure=None)


def _frames(work: Work, clip: Clip, *, digest: bool) -> Frames:
    """The planned frames of the video with the clip's image behind them, or the image alone."""
    still: Frames | None = None
    if clip.image is not None:
        plan = frame_rules.plan(probe(clip.image), FrameRule(how="indices", indices=(0,)))
        still = decode(plan, shrink=work.model.shrinker(plan, still=True), digest=digest)
        if clip.video is None:
            return dataclasses.replace(still, pixels=(), stills=still.pixels)
    if clip.video is None:
        raise VideoError(f"{clip.id}: got neither a video nor an image; wants one to look at")
    obliging = work.model.conduct.obliging
    rule = variants.rule_of(clip.variant, work.rule)
    rule = dataclasses.replace(rule, include_last=clip.must_see_last and obliging)
    part_s = clip.segment_s if obliging else None
    plan = frame_rules.plan(probe(clip.video), rule, segment_s=part_s)
    frames = decode(plan, shrink=work.model.shrinker(plan), digest=digest)
    if still is None:
        return frames
    return dataclasses.replace(frames, stills=still.pixels, digests=frames.digests + still.digests)


def _answer_clip(work: Work, seen: _Seen) -> Iterator[Step]:
    view: View | None = None
    for question in seen.clip.questions:
        failure = seen.failure
        if failure is None:
            try:
                if view is None:
                    view = _look(work, seen)
                yield _answer(work, seen, view, question)
                continue
            except ArgumentError as error:
                failure = Failure(kind="model", message=str(error))
            except MemoryError as error:
                raise MemoryLimitError(
                    f"{question.id}: got no memory for {_n_frames(seen)} frames; "
                    "use fewer with --frames, then resume"
                ) from error
        record = _failed(work, seen, question, failure)
        yield Step(frames=seen.frames, view=view, prompt=None, record=record)


def _look(work: Work, seen: _Seen) -> View:
    if not work.model.conduct.obliging:
        return work.model.see(seen.frames)
    return work.model.see(seen.frames, system=seen.clip.system, captions=seen.clip.captions)


def _damage(work: Work, seen: _Seen) -> tuple[str, ...]:
    """What the protocol did not follow, and what is wrong with the video."""
    plan, own = (seen.frames.plan, seen.frames.damage) if seen.frames else (None, ())
    return work.model.conduct.unfollowed(seen.clip, plan) + own


def _n_frames(seen: _Seen) -> int:
    return len(seen.frames.plan.indices) if seen.frames else 0


def _answer(work: Work, seen: _Seen, view: View, question: Question) -> Step:
    last: list[Prompt] = []

    def say(ask: Ask, decoding: Decoding) -> Generation:
        last[:] = [work.model.prompt(view, ask)]
        longest = decoding.max_new_tokens or ask.max_new_tokens
        return work.model.answer(view, last[0], decoding, max_new_tokens=longest)

    def read(text: str) -> str:
        parsed = work.benchmark.score(question, text)[0].parsed
        return "" if parsed is None else str(parsed)

    ask = work.benchmark.ask(seen.clip, question)
    outcome = prompting.ask_by(work.prompting, ask, work.decoding, say, read)
    decode_s = seen.frames.decode_s if seen.frames else 0.0
    timing = dataclasses.replace(outcome.generation.timing, decode_s=decode_s)
    record = Record(
        question=question,
        setting=seen.clip.setting,
        variant=seen.clip.variant,
        frame_indices=seen.frames.plan.indices if seen.frames else (),
        video=_relative(seen.clip.video, work.root),
        video_sha256=seen.video_sha256,
        prompt=_digest(last[0]),
        generation=dataclasses.replace(outcome.generation, timing=timing),
        answer=outcome.text,
        scores={score.rule: score for score in work.benchmark.score(question, outcome.text)},
        damage=_damage(work, seen),
        turns=outcome.turns,
        note=outcome.note,
    )
    return Step(frames=seen.frames, view=view, prompt=last[0], record=record)


def _failed(work: Work, seen: _Seen, question: Question, failure: Failure) -> Record:
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


def _digest(prompt: Prompt) -> PromptDigest:
    ids = np.asarray(prompt.token_ids, dtype="<i8")
    return PromptDigest(
        text=prompt.text,
        n_tokens=len(prompt.token_ids),
        shared_prefix_len=prompt.shared_prefix_len,
        sha256=hashlib.sha256(ids.tobytes()).hexdigest(),
    )
