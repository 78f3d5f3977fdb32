"""What is said in the videos of a run: read from files, or heard by a speech model and kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from edgeval.analyses.transcripts.given import Given
from edgeval.analyses.transcripts.heard import Ears, Heard
from edgeval.errors import ArgumentError
from edgeval.types import Clip

AUTO = "auto"


class Source(Protocol):
    """Where transcripts come from."""

    def texts(self, clips: Sequence[Clip]) -> Mapping[str, str]:
        """Clip id to what is said in it, without those in which nobody says anything."""

    def card(self) -> Mapping[str, object]:
        """What a run card says of it: the same card, the same texts for the same videos."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Transcripts:
    """The transcripts of one run, and what its card says of them."""

    texts: Mapping[str, str]
    card: Mapping[str, object]


def check(named: str | None, speech_model: Path | None, cache: Path | None) -> None:
    """Raise ArgumentError for words that only make sense beside AUTO."""
    for option, value in (("--speech-model", speech_model), ("--cache", cache)):
        if value is not None and named != AUTO:
            raise ArgumentError(f"{option}: got {value}; goes only with --transcript {AUTO}")


def source_of(named: str, speech_model: Path | None, ears: Ears | None) -> Source:
    """A file or folder, or with AUTO the speech model listening through ``ears``.

    Raises ArgumentError for AUTO without ears, and what opening the speech model raises.
    """
    if named == AUTO:
        if ears is None:
            raise ArgumentError(f"--transcript {AUTO}: got no ears to listen with; wants some")
        return Heard(speech_model, ears)
    return Given(Path(named))


def gather(source: Source, clips: Sequence[Clip]) -> Transcripts:
    """Everything that ``source`` has for the clips. Raises what it raises."""
    texts = source.texts(clips)
    n_clips = len({clip.id for clip in clips})
    card = {**source.card(), "n_clips": n_clips, "n_without": n_clips - len(texts)}
    return Transcripts(texts=texts, card=card)
