"""Model families: one module each, holding one FAMILY, opened by name."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from edgeval.errors import ManifestError, UnknownName
from edgeval.modelfolder import Manifest
from edgeval.types import FrameRule, Picture, Turn

FAMILIES = {"smolvlm": "edgeval.families.smolvlm"}
ENTRY_POINTS = "edgeval.families"

Feeds = Mapping[str, NDArray[np.generic]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipFacts:
    """What a prompt tells of a clip.

    A time in seconds for each frame shown, and the clip's length in seconds. ``captions``: text to
    stand before the frame of that number (the number of frames: behind the last).
    """

    times_s: tuple[float, ...]
    duration_s: float
    captions: tuple[tuple[int, str], ...] = ()


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


class Processor(Protocol):
    """What one checkpoint of a family does to frames and to text.

    Made once per model, safe to share by threads.
    """

    @property
    def image_token(self) -> str:
        """The token whose rows of embeddings the image features replace."""

    @property
    def visual_tokens(self) -> frozenset[str]:
        """Tokens of the visual part; the question-free prefix ends after the last of them."""

    def frame_rule(self) -> FrameRule:
        """Which frames the checkpoint's own processor takes."""

    def shrink(self, picture: Picture) -> NDArray[np.uint8]:
        """One decoded picture as uint8 [h, w, 3] in the size the model sees."""

    def feeds(self, images: Sequence[NDArray[np.generic]]) -> Iterator[Feeds]:
        """Inputs of the vision graph for all images, in bites that fit in memory.

        Float32 pixels.
        """

    def text(self, question: str, facts: ClipFacts | None, talk: Talk = PLAIN) -> PromptText:
        """The whole prompt up to the answer, with a video (``facts``) or without."""

    def card(self) -> Mapping[str, object]:
        """The constants in use, for the run card."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """One model family: opens the processor of a model folder.

    Raises ManifestError for what it cannot read.
    """

    name: str
    open: Callable[[Manifest], Processor]


def names() -> tuple[str, ...]:
    """Known families, third parties' entry points included."""
    return tuple(sorted(_modules()))


def _modules() -> dict[str, str]:
    found = {point.name: point.value for point in metadata.entry_points(group=ENTRY_POINTS)}
    return found | FAMILIES


def load(name: str) -> Family:
    """A family by name; UnknownName when there is none."""
    known = _modules()
    if name not in known:
        raise UnknownName("family", name, known)
    family = getattr(importlib.import_module(known[name]), "FAMILY", None)
    if not isinstance(family, Family):
        raise ManifestError(f"family {name}: {known[name]} holds no FAMILY of type Family")
    return family
