"""What a model will have to take in: a clip rehearsed with black frames, and no graph."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edgeval import families, frames
from edgeval.chat.tokenizer import Tokenizer
from edgeval.modelfolder import Manifest
from edgeval.processor import DEFAULT, Feeds, Processor, Setup
from edgeval.types import FramePlan, FrameRule, Frames, Picture, VideoInfo
from edgeval.view import facts_of

# Long enough for every family's own rule to take as many frames as it ever does.
LONG_S, FPS = 7200, 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """A clip to get ready for. ``n_frames``: None for as many as the family's rule ever takes."""

    width: int
    height: int
    n_frames: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """Frames of the clip, and tokens of the prompt with them and without a question."""

    n_frames: int
    n_tokens: int
    processor: Processor
    images: tuple[np.ndarray[tuple[int, ...], np.dtype[np.generic]], ...]

    def feeds(self) -> Iterator[Feeds]:
        """What the vision graph is fed, bite by bite."""
        return self.processor.feeds(self.images)


def rehearse(found: Manifest, clip: Clip, setup: Setup = DEFAULT) -> Needs:
    """What a model needs for a clip. Raises ManifestError, and ArgumentError for no such clip."""
    processor = families.load(found.family).opened(found, setup)
    plan = _plan(processor, clip)
    black = Picture(planes=None, rgb=np.zeros((clip.height, clip.width, 3), np.uint8))
    image = processor.shrinker(plan)(black)
    images = (image,) * len(plan.indices)
    facts = facts_of(
        Frames(plan=plan, pixels=images, pts_s=plan.info.pts_s[list(plan.indices)]), ()
    )
    bos = found.read("tokenizer_config").get("bos_token")
    tokenizer = Tokenizer(
        found.files["tokenizer"].path, bos_token=bos if isinstance(bos, str) else ""
    )
    tokens = tokenizer.encode(processor.text("", facts).full)
    return Needs(n_frames=len(images), n_tokens=len(tokens), processor=processor, images=images)


def _plan(processor: Processor, clip: Clip) -> FramePlan:
    n_frames = int(LONG_S * FPS)
    info = VideoInfo(
        path=Path("rehearsal.mp4"),
        n_frames=n_frames,
        fps=FPS,
        duration_s=float(LONG_S),
        width=clip.width,
        height=clip.height,
        rotation_deg=0,
        pix_fmt="yuv420p",
        codec="h264",
        pts_s=np.arange(n_frames) / FPS,
    )
    if clip.n_frames is None:
        rule = processor.frame_rule()
    else:
        rule = FrameRule(how="linspace_floor", n=clip.n_frames)
    return frames.plan(info, rule)
