"""What a model family is asked for: frames to take, pixels, words, places; and the values it gets.

Source of the idea that a protocol is more than a frame rule: lmms-eval@v0.7.3, whose model classes
decide frames, pixels, system turn, end tokens and which containers are looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from edgeval.types import Clip, FramePlan, FrameRule, Picture, Turn

Feeds = Mapping[str, NDArray[np.generic]]
Floats = NDArray[np.float32]
Places = NDArray[np.int64]
Shrink = Callable[[Picture], NDArray[np.uint8]]

NATIVE, LMMS_EVAL = "native", "lmms-eval"
FEATURES, DEEP = "image_features", "deepstack_features"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """How the user wants a family to work.

    ``protocol``: whose way; ``max_pixels``: the largest picture in pixels, None as the protocol
    has it.
    """

    protocol: str = NATIVE
    max_pixels: int | None = None


DEFAULT = Setup()


@dataclass(frozen=True, slots=True, kw_only=True)
class Conduct:
    """What a protocol decides besides frames, pixels and words.

    ``obliging``: a benchmark may ask for its last frame, a part of the video, captions and a system
    turn; else the protocol goes its own way and the record says what was not followed.
    ``tokenizer_stops``: only the tokenizer's end token ends an answer, not all that
    generation_config names. ``shown``: suffixes of the videos that are looked at (None: all that
    are not in ``unshown``); a question about any other is asked blind. ``cut_before``: texts that
    are cut off an answer once it is said, with all behind them.
    """

    protocol: str = NATIVE
    obliging: bool = True
    tokenizer_stops: bool = False
    shown: tuple[str, ...] | None = None
    unshown: tuple[str, ...] = ()
    cut_before: tuple[str, ...] = ()

    def shows(self, video: Path) -> bool:
        """Whether a video file is looked at."""
        if self.shown is not None:
            return video.suffix in self.shown
        return video.suffix.lower() not in self.unshown

    def kept(self, answer: str) -> str:
        """What is left of an answer."""
        ends = [answer.find(text) for text in self.cut_before if text in answer]
        return answer[: min(ends)] if ends else answer

    def unfollowed(self, clip: Clip, plan: FramePlan | None) -> tuple[str, ...]:
        """What the benchmark wishes for and the protocol does not do, one sentence each."""
        said = f"protocol {self.protocol}"
        if clip.video is not None and not self.shows(clip.video):
            return (f"{said} does not look at {clip.video.suffix} videos: asked blind",)
        if self.obliging or plan is None:
            return ()
        hides_last = clip.must_see_last and plan.info.n_frames - 1 not in plan.indices
        wishes = {
            "does not show the last frame, which the question is about": hides_last,
            "shows the whole video, not the part that is asked about": clip.segment_s is not None,
            "leaves out the benchmark's system turn": bool(clip.system),
            "leaves out the captions": bool(clip.captions),
        }
        return tuple(f"{said} {words}" for words, wished in wishes.items() if wished)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipFacts:
    """What a prompt tells of a clip.

    ``times_s``: a time in seconds for each picture shown; ``duration_s``: the clip's length in
    seconds. ``captions``: text to stand before the frame of that number (the number of frames:
    behind the last). ``sizes``: (height, width) in pixels of each picture as shrunk. The last
    ``n_stills`` pictures are not of the video. ``fps`` and ``n_source``: frames/s and number of
    frames of the video that the rest were chosen from.
    """

    times_s: tuple[float, ...]
    duration_s: float
    captions: tuple[tuple[int, str], ...] = ()
    sizes: tuple[tuple[int, int], ...] = ()
    n_stills: int = 0
    fps: float = 0.0
    n_source: int = 0

    @property
    def n_frames(self) -> int:
        """Pictures that are of the video."""
        return len(self.times_s) - self.n_stills


@dataclass(frozen=True, slots=True, kw_only=True)
class Talk:
    """What stands around the question of a prompt.

    ``history``: turns before it, the first of the user, which then has the video; ``prefill``: how
    the answer begins.
    """

    system: str = ""
    history: tuple[Turn, ...] = ()
    prefill: str = ""


PLAIN = Talk()


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptText:
    """One user turn as text.

    ``short`` with one placeholder a video, ``full`` with every image token.
    """

    short: str
    full: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Features:
    """What the vision graph made of a clip, in the order of the image tokens.

    ``rows``: float32 [n, hidden]. ``deep``: float32 [layers, n, hidden] that the first decoder
    layers add to their output, None where a family has none.
    """

    rows: Floats
    deep: Floats | None = None


class Processor(Protocol):
    """What one checkpoint of a family does to frames and to text.

    Made once per model, safe to share by threads.
    """

    @property
    def conduct(self) -> Conduct:
        """What the protocol decides outside the family."""

    @property
    def image_tokens(self) -> tuple[str, ...]:
        """The tokens whose rows of embeddings the image features replace, one kind each."""

    @property
    def visual_tokens(self) -> frozenset[str]:
        """Tokens of the visual part; the question-free prefix ends after the last of them."""

    def frame_rule(self) -> FrameRule:
        """Which frames the protocol takes."""

    def shrinker(self, plan: FramePlan, *, still: bool = False) -> Shrink:
        """What makes one picture of a plan uint8 [h, w, 3] in the size the model sees.

        ``still``: the plan is of a single picture that goes with a video or stands for one.
        """

    def feeds(self, images: Sequence[NDArray[np.generic]], *, n_stills: int = 0) -> Iterator[Feeds]:
        """Inputs of the vision graph for all images, in bites that fit in memory.

        Float32 pixels; the bites of the video's come before those of the stills.
        """

    def gather(self, outputs: Sequence[Mapping[str, Floats]]) -> Features:
        """The features of a clip from the vision graph's outputs for every bite."""

    def text(self, question: str, facts: ClipFacts | None, talk: Talk = PLAIN) -> PromptText:
        """The whole prompt up to the answer, with a video (``facts``) or without."""

    def places(self, kinds: NDArray[np.int8], facts: ClipFacts | None) -> Places | None:
        """Positions int64 [axes, S] of a prompt's tokens, None for 0, 1, 2 ...

        ``kinds`` [S]: which of ``image_tokens`` a token is, -1 for text. The places of a beginning
        must not depend on what follows it.
        """

    def card(self) -> Mapping[str, object]:
        """The constants in use, for the run card."""


def gathered(outputs: Sequence[Mapping[str, Floats]]) -> Features:
    """The bites' features one after the other."""
    rows = np.concatenate([output[FEATURES] for output in outputs])
    deep = [output[DEEP] for output in outputs if DEEP in output]
    return Features(rows=rows, deep=np.concatenate(deep, axis=1) if deep else None)
