"""Transcripts that somebody has: a folder of texts, one mapping, or one text for one video."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from edgeval.dataset import Row, inside, read_json, read_rows, read_text, sha256
from edgeval.errors import ArgumentError, DataError
from edgeval.types import Clip

_WANTED = (
    "a folder of <clip id>.txt, a .json or .jsonl file of clip ids or video names and texts, or "
    "one .txt for a run of one video"
)


class Given:
    """Transcripts out of ``path``: <clip id>.txt in a folder; .json, .jsonl or .txt.

    .json holds {key: text}; .jsonl a row {"id" or "video": key, "text": text} a line. A key is a
    clip id or the name of a video file. White space alone is no transcript.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._digest = hashlib.sha256()

    def texts(self, clips: Sequence[Clip]) -> dict[str, str]:
        """Clip id to text. Raises DataError, and ArgumentError for one text to many videos.

        A mapping or a folder that has nothing for any of the clips is of something else: an error.
        """
        if self._path.is_dir():
            found = dict(self._of_folder(clips))
        elif self._path.suffix == ".txt":
            found = self._of_text(clips)
        elif self._path.suffix in (".json", ".jsonl"):
            found = self._of_mapping(clips)
        else:
            got = f"a {self._path.suffix or 'nameless'} file" if self._path.is_file() else "nothing"
            raise DataError(f"--transcript {self._path}: got {got}; wants {_WANTED}")
        if not found:
            raise DataError(
                f"--transcript {self._path}: got no transcript for any of {len(clips)} clips, "
                f"{clips[0].id} and so on; wants {_WANTED}"
            )
        return {key: text for key, text in found.items() if text.strip()}

    def card(self) -> Mapping[str, object]:
        """The digest over the file, or over the names and bytes of the folder's texts in use."""
        return {"source": "given", "sha256": self._digest.hexdigest()}

    def _of_folder(self, clips: Sequence[Clip]) -> Iterator[tuple[str, str]]:
        for key in sorted({clip.id for clip in clips}):
            file = inside(self._path, f"{key}.txt")
            if file.is_file():
                self._digest.update(f"{key} {sha256(file)}\n".encode())
                yield key, read_text(file)

    def _of_text(self, clips: Sequence[Clip]) -> dict[str, str]:
        videos = {clip.video for clip in clips}
        text = self._whole()
        if len(videos) > 1:
            raise ArgumentError(
                f"--transcript {self._path}: got one text for {len(videos)} videos; wants {_WANTED}"
            )
        return {clip.id: text for clip in clips}

    def _of_mapping(self, clips: Sequence[Clip]) -> dict[str, str]:
        self._whole()
        if self._path.suffix == ".jsonl":
            pairs = [self._pair(row, n) for n, row in enumerate(read_rows(self._path), 1)]
        else:
            held = read_json(self._path)
            if not isinstance(held, dict):
                raise DataError(f"{self._path}: got {type(held).__name__}; wants {{id: text}}")
            pairs = [self._checked(key, text, f"{key!r}") for key, text in held.items()]
        known: dict[str, str] = {}
        for key, text in pairs:
            if known.setdefault(key, text) != text:
                raise DataError(f"{self._path}: got two texts for {key!r}; wants one")
        found: dict[str, str] = {}
        for clip in clips:
            for name in (clip.id, clip.video.name if clip.video else clip.id):
                if name in known:
                    found.setdefault(clip.id, known[name])
        return found

    def _pair(self, row: Row, n: int) -> tuple[str, str]:
        key = row.get("id", row.get("video"))
        return self._checked(key, row.get("text"), f"row {n}")

    def _checked(self, key: object, text: object, where: str) -> tuple[str, str]:
        if not isinstance(key, str) or not isinstance(text, str):
            raise DataError(
                f"{self._path}: {where}: got {type(key).__name__} and {type(text).__name__}; wants "
                "an id or a video name, and its text"
            )
        return key, text

    def _whole(self) -> str:
        """The file's text, its digest taken. Raises DataError."""
        self._digest.update(sha256(self._path).encode())
        return read_text(self._path)
