"""The frames of a run's clips, one clip ahead of the model: which, from where, and why not."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from edgeval import dataset
from edgeval import frames as frame_rules
from edgeval.analyses import prompting, variants
from edgeval.benchmarks.base import Benchmark
from edgeval.errors import DataError, VideoError
from edgeval.media.decode import decode
from edgeval.media.probe import probe
from edgeval.media.rate import packet_rate
from edgeval.model import Model
from edgeval.types import Clip, Decoding, Failure, FramePlan, FrameRule, Frames, VideoInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What one run does: the clips, the model that answers, and how.

    ``batch_questions``: so many questions of a clip are answered together.
    """

    benchmark: Benchmark
    root: Path
    clips: tuple[Clip, ...]
    model: Model
    rule: FrameRule
    decoding: Decoding
    prompting: str = prompting.DIRECT
    batch_questions: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A clip and its frames; neither frames nor failure: there is nothing to show."""

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


def seen_ahead(work: Work, clips: Sequence[Clip], *, digest: bool) -> Iterator[Seen]:
    """Clips with their frames, one decoded ahead while the model works on the one before."""
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="edgeval-decode") as pool:
        ahead: Future[Seen] | None = None
        for clip in clips:
            coming = pool.submit(_see, work, clip, digest=digest)
            if ahead is not None:
                yield ahead.result()
            ahead = coming
        if ahead is not None:
            yield ahead.result()


def _see(work: Work, clip: Clip, *, digest: bool) -> Seen:
    if clip.video is None and clip.image is None:
        return Seen(clip=clip, frames=None, video_sha256="", failure=None)
    sha256 = ""
    try:
        if clip.video is not None:
            sha256 = dataset.sha256(clip.video)
        if clip.video is not None and not work.model.conduct.shows(clip.video):
            return Seen(clip=clip, frames=None, video_sha256=sha256, failure=None)
        frames = _frames(work, clip, digest=digest)
    except DataError as error:
        failure = Failure(kind="video", message=str(error))
        return Seen(clip=clip, frames=None, video_sha256=sha256, failure=failure)
    return Seen(clip=clip, frames=frames, video_sha256=sha256, failure=None)


def _frames(work: Work, clip: Clip, *, digest: bool) -> Frames:
    """The planned frames of the video with the clip's image behind them, or the image alone."""
    still: Frames | None = None
    if clip.image is not None:
        plan = frame_rules.plan(probe(clip.image), FrameRule(how="indices", indices=(0,)))
        shrink = work.model.shrinker(plan, still=True)
        still = decode(plan, shrink=shrink, digest=digest, stages=True)
        if clip.video is None:
            return dataclasses.replace(still, pixels=(), stills=still.pixels)
    if clip.video is None:
        raise VideoError(f"{clip.id}: got neither a video nor an image; wants one to look at")
    plan = planned(work, clip, clip.video)
    frames = decode(plan, shrink=work.model.shrinker(plan), digest=digest, stages=True)
    if still is None:
        return frames
    return dataclasses.replace(
        frames,
        stills=still.pixels,
        digests=frames.digests + still.digests,
        pictures=frames.pictures + still.pictures,
    )


def planned(work: Work, clip: Clip, video: Path) -> FramePlan:
    """The frames that a clip's video is asked for. Raises VideoError."""
    obliging = work.model.conduct.obliging
    rule = variants.rule_of(clip.variant, work.rule)
    rule = dataclasses.replace(rule, include_last=clip.must_see_last and obliging)
    part_s = clip.segment_s if obliging else None
    return frame_rules.plan(_probed(video, rule), rule, segment_s=part_s)


def _probed(video: Path, rule: FrameRule) -> VideoInfo:
    """The video with the rate that the rule goes by."""
    info = probe(video)
    rate = packet_rate(video) if rule.rate == "packets" else None
    return info if rate is None else dataclasses.replace(info, fps=rate)
