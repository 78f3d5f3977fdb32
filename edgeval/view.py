"""One clip as a model sees it, and a prompt's tokens as its decoder gets them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from edgeval.engines import Context, Floats, Ints
from edgeval.processor import ClipFacts, Features, Processor
from edgeval.types import Caption, Frames, Timing

# Tokens a piece. The last piece has two or more: a single one goes another way in the kernels.
PIECE = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What questions about a clip have in common.

    ``share``: all that can be, or nothing. ``dynamic``: operators of the decoder for which every
    prompt is read whole, at once (edgeval/modelfolder/dynamic.py); most decoders have none.
    """

    share: bool
    dynamic: tuple[str, ...] = ()

    @property
    def prefix(self) -> bool:
        """Whether they go on from one prefill of what stands before them."""
        return self.share and not self.dynamic


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """One clip as the model sees it, or nothing (blind). Belongs to the Model that made it.

    ``features``: what the vision graph saw, None when nothing is shared. ``prefix_ids``: the tokens
    before the question; ``prefix``: their context, None when nothing is shared. ``fed_sha256``: the
    digest of the pixels that the features came from, "" before.
    """

    images: tuple[NDArray[np.generic], ...]
    facts: ClipFacts | None
    system: str
    processor: Processor = field(repr=False)
    features: Features | None = field(repr=False)
    prefix_ids: tuple[int, ...] = field(repr=False)
    prefix: Context | None = field(repr=False)
    timing: Timing
    fed_sha256: str = ""

    @property
    def n_frames(self) -> int:
        """Frames the model is shown."""
        return len(self.images)

    def pixel_sha256(self) -> str:
        """Hex sha256 of the float32 pixel tensor as fed, "" when blind."""
        if self.fed_sha256 or not self.images:
            return self.fed_sha256
        digest = hashlib.sha256()
        n_stills = self.facts.n_stills if self.facts else 0
        for feeds in self.processor.feeds(self.images, n_stills=n_stills):
            digest.update(pixels_of(feeds))
        return digest.hexdigest()


def pixels_of(feeds: Mapping[str, NDArray[np.generic]]) -> memoryview:
    """The pixels among what a vision graph is fed, as the bytes that digests are taken of."""
    return np.ascontiguousarray(feeds["pixel_values"], "<f4").data


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """Tokens as the decoder gets them.

    ``embeds``: float32 [S, hidden]; ``places``: positions [axes, S], None for 0, 1, 2 ...;
    ``deep``: float32 [layers, S, hidden], None where all of it is zero.
    """

    embeds: Floats
    places: Ints | None = None
    deep: Floats | None = None

    def append_to(self, context: Context, *, skip: int = 0, whole: bool = False) -> Floats:
        """Extend a context that has the first ``skip`` tokens; logits [V] after the last.

        In pieces, with the same bits: attention over all at once needs S * S numbers a head.
        ``whole``: in one piece, for decoders where that moves logits.
        """
        piece = len(self.embeds) if whole else PIECE
        ends = [*range(skip + piece, len(self.embeds) - 1, piece), len(self.embeds)]
        for start, end in pairwise([skip, *ends]):
            deep = None if self.deep is None else self.deep[:, start:end]
            logits = context.extend(
                self.embeds[start:end],
                places=None if self.places is None else self.places[:, start:end],
                deep=deep if deep is not None and deep.any() else None,
            )
        return logits


def facts_of(frames: Frames, captions: Sequence[Caption]) -> ClipFacts:
    """What a prompt tells of decoded frames; ``captions``: (seconds, text)."""
    info = frames.plan.info
    times_s = tuple(index / info.fps for index in frames.plan.indices[: len(frames.pixels)])
    return ClipFacts(
        times_s=times_s + (info.duration_s,) * len(frames.stills),
        duration_s=info.duration_s,
        captions=tuple(
            (sum(frame_s <= time_s for frame_s in times_s), text)
            for time_s, text in sorted(captions, key=lambda caption: caption[0])
        ),
        sizes=tuple(image.shape[:2] for image in frames.pixels + frames.stills),
        n_stills=len(frames.stills),
        fps=info.fps,
        n_source=info.n_frames,
    )
