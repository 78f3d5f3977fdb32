"""One clip and one question to be asked over and over: what ``bench`` and ``soak`` measure with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from edgeval import benchmarks, frames
from edgeval.errors import DataError
from edgeval.media.decode import decode
from edgeval.media.probe import probe
from edgeval.model import Model
from edgeval.types import Ask, Clip, Decoding, FramePlan, Frames, Timing

BENCHMARK = "videommmu"


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """A video under a model's own frame rule, and a question."""

    video: Path
    plan: FramePlan
    ask: Ask


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One clip decoded, seen, and asked about. ``at_s``: when it ended, since the first began."""

    at_s: float
    seconds: float
    n_tokens: int
    timing: Timing


def workload(model: Model, video: Path | None, new_tokens: int) -> Workload:
    """``video``, or the first embedded lesson, with that lesson's first question.

    Raises VideoError.
    """
    benchmark = benchmarks.load(BENCHMARK)
    if benchmark.embedded is None:
        raise DataError(f"{BENCHMARK}: carries no clip of its own; name one with --video")
    clip: Clip = next(iter(benchmark.clips(benchmark.embedded, ("video",), ())))
    path = video if video is not None else clip.video
    if path is None:
        raise DataError(f"{clip.id}: has no video; name one with --video")
    text = benchmark.ask(clip, clip.questions[0]).text
    return Workload(
        video=path,
        plan=frames.plan(probe(path), model.frame_rule()),
        ask=Ask(text=text, max_new_tokens=new_tokens),
    )


def decoded(model: Model, work: Workload) -> Frames:
    """The frames of the clip, as the model wants them."""
    return decode(work.plan, shrink=model.shrinker(work.plan))


def rounds(
    model: Model, work: Workload, go_on: Callable[[float], bool], clock: Callable[[], float]
) -> Iterator[Round]:
    """One round after the other, everything anew, while ``go_on`` says so of the time so far."""
    began = ended = clock()
    while go_on(ended - began):
        start = ended
        seen = decoded(model, work)
        view = model.see(seen)
        prompt = model.prompt(view, work.ask)
        said = model.answer(view, prompt, Decoding(), max_new_tokens=work.ask.max_new_tokens)
        ended = clock()
        yield Round(
            at_s=ended - began,
            seconds=ended - start,
            n_tokens=len(said.token_ids),
            timing=said.timing,
        )
