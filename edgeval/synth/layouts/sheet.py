"""A data folder that is being written: films, pictures, and tables of questions."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeval.media.encode import encode
from edgeval.png import write_png
from edgeval.synth.motions.film import Film

# Flat shapes on a plain ground hold out against a quality at which photographs would not.
CRF = 32


class Sheet:
    """One folder. Every path is relative to it; ``n_questions`` counts what was tabled."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.n_questions = 0
        self._films: dict[int, Path] = {}

    def film(self, film: Film, place: str) -> None:
        """The film at ``place``; encoded once, however often it is wanted."""
        # Late, because Pillow, which draws, is an extra; the dataset says so first.
        from edgeval.synth.motions import picture

        path = self._new(place)
        if film.seed in self._films:
            shutil.copyfile(self._films[film.seed], path)
            return
        self.video(place, picture.frames(film), fps=picture.FPS)
        self._films[film.seed] = path

    def video(self, place: str, images: Iterable[NDArray[np.uint8]], *, fps: int) -> None:
        """Any video at ``place``."""
        encode(self._new(place), images, fps=fps, crf=CRF)

    def image(self, place: str, image: NDArray[np.uint8]) -> None:
        """A PNG at ``place``."""
        write_png(self._new(place), image)

    def text(self, place: str, text: str) -> None:
        """A text file at ``place``."""
        self._new(place).write_text(text, encoding="utf-8")

    def json(self, place: str, value: object, *, questions: int = 0) -> None:
        """A JSON file at ``place`` that holds so many questions."""
        self.text(place, json.dumps(value, indent=1, ensure_ascii=False) + "\n")
        self.n_questions += questions

    def rows(self, place: str, rows: Sequence[Mapping[str, object]]) -> None:
        """A list of question rows at ``place``, as JSON or JSON Lines by its suffix."""
        if place.endswith(".jsonl"):
            lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in rows]
            self.text(place, "".join(lines))
            self.n_questions += len(rows)
        else:
            self.json(place, rows, questions=len(rows))

    def _new(self, place: str) -> Path:
        path = self.root / place
        path.parent.mkdir(parents=True, exist_ok=True)
        return path
