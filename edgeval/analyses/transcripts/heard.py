"""Transcripts by a speech model, kept by what was heard and how, so that nothing is heard twice.

    <cache>/transcripts/<key>.json   {"method": ..., "text": ..., "video_sha256": ...}

The key is the digest of video and method; a method is the model's digest, the libraries' versions
and every setting that may change a word.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from edgeval import dataset
from edgeval.analyses.transcripts import whisper
from edgeval.errors import DataError
from edgeval.media.audio import RATE_HZ, Sound, sound
from edgeval.media.versions import ffmpeg_version
from edgeval.runfolder import dumps
from edgeval.types import Clip


class Transcriber(Protocol):
    """Something that writes down what it hears, the same each time."""

    def method(self) -> Mapping[str, object]:
        """Everything that may change a word: model digest, library versions, settings."""

    def hear(self, samples: Sound) -> str:
        """What is said in one channel at RATE_HZ; "" where nobody speaks."""


def _silent(_message: str) -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ears:
    """What listening needs: where to keep what was heard, who listens, and whom to tell.

    ``keep_going``: sound that cannot be read is no transcript, not a DataError.
    ``open`` gets the folder of weights (None where none was named) and raises ManifestError or
    EngineError.
    """

    cache: Path
    open: Callable[[Path | None], Transcriber] = whisper.open_whisper
    tell: Callable[[str], None] = _silent
    keep_going: bool = False


class Heard:
    """Transcripts of the videos' own sound. Raises ManifestError or EngineError at once."""

    def __init__(self, folder: Path | None, ears: Ears) -> None:
        self._ears = ears
        self._transcriber = ears.open(folder)
        method = {
            **self._transcriber.method(),
            "audio": {"ffmpeg": ffmpeg_version(), "channels": 1, "rate_hz": RATE_HZ},
        }
        self._method = dumps(method)

    def texts(self, clips: Sequence[Clip]) -> dict[str, str]:
        """Clip id to what is said in its video; a video is listened to once, whoever asks.

        Raises DataError.
        """
        videos = list(dict.fromkeys(clip.video for clip in clips if clip.video is not None))
        by_video: dict[Path, str] = {}
        for n, video in enumerate(videos, 1):
            try:
                by_video[video] = self._text(video, f"{n} of {len(videos)}")
            except DataError as error:
                if not self._ears.keep_going:
                    raise
                self._ears.tell(f"no transcript: {error}")
        found = {clip.id: by_video.get(clip.video, "") for clip in clips if clip.video is not None}
        return {key: text for key, text in found.items() if text}

    def card(self) -> Mapping[str, object]:
        """The method."""
        return {"source": "auto", **json.loads(self._method)}

    def _text(self, video: Path, place: str) -> str:
        digest = dataset.sha256(video)
        key = hashlib.sha256(f"{digest}\n{self._method}".encode()).hexdigest()
        file = self._ears.cache / "transcripts" / f"{key}.json"
        kept = self._kept(file, digest)
        if kept is not None:
            return kept
        self._ears.tell(f"listening to {video.name}, {place}")
        samples = sound(video)
        text = "" if samples is None else self._transcriber.hear(samples).strip()
        row = {"method": json.loads(self._method), "text": text, "video_sha256": digest}
        try:
            _keep(file, dumps(row))
        except OSError as error:
            self._ears.tell(f"{file.parent}: cannot keep transcripts ({error.strerror})")
        return text

    def _kept(self, file: Path, digest: str) -> str | None:
        """What was heard before; None where nothing was, or what is there is not whole."""
        try:
            row = json.loads(file.read_text(encoding="utf-8"))
            same = row["video_sha256"] == digest and dumps(row["method"]) == self._method
            text = row["text"]
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return text if same and isinstance(text, str) else None


def _keep(file: Path, text: str) -> None:
    """Write a file whole or not at all, though others may be writing the same one."""
    file.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=".", suffix=".partial")
    partial = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        partial.replace(file)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
