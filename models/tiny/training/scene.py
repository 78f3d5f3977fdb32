"""What a skill hands over: a film in memory, what its frames say, and what is asked about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeval.types import Ask, Clip, VideoInfo
from training.words import Slots

Image = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A film that is drawn when it is looked at, uint8 [H, W, 3] by frame.

    ``says``: what each frame's image tokens are to say.
    """

    n_frames: int
    fps: float
    picture: Callable[[int], Image]
    says: Callable[[int], Slots]

    @property
    def info(self) -> VideoInfo:
        """As a probe would tell it of the encoded film."""
        return VideoInfo(
            path=Path("in-memory"),
            n_frames=self.n_frames,
            fps=self.fps,
            duration_s=self.n_frames / self.fps,
            width=0,
            height=0,
            rotation_deg=0,
            pix_fmt="rgb24",
            codec="none",
            pts_s=np.arange(self.n_frames) / self.fps,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Something asked and its answer.

    ``final``: in the very words of the benchmark, answered as its rule reads answers; else worked
    out, in other words. ``at_once``: without the space that else stands before an answer.
    ``meant``: what the answer, which says a letter and no more, stands for.
    """

    ask: Ask
    answer: str
    final: bool
    at_once: bool = False
    meant: str = ""

    @property
    def said(self) -> str:
        """The answer as it is generated."""
        return self.answer if self.at_once or self.ask.prefill else f" {self.answer}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Drill:
    """Many short cues and answers in one go, without a question's words around them.

    ``meant``: what each answer stands for, where all are letters.
    """

    head: str
    pairs: tuple[tuple[str, str], ...]
    meant: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One view of a clip and all that is asked about it. ``scene`` None: blind."""

    skill: str
    clip: Clip
    scene: Scene | None
    asked: tuple[Asked, ...]
    drills: tuple[Drill, ...] = ()
    still: Image | None = None
    still_says: Slots = field(default=())
