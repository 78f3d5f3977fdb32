"""Questions by the benchmarks' own loaders: tables in a folder, films that nobody encodes."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeval import benchmarks
from edgeval.benchmarks.base import Benchmark
from edgeval.synth.layouts.sheet import Sheet
from edgeval.synth.motions.film import Film
from edgeval.types import Clip

Image = NDArray[np.uint8]


class Unfilmed(Sheet):
    """A folder whose films are empty files; ``shown`` holds what would be in them, by place."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.shown: dict[str, Film | list[Image] | Image] = {}

    def film(self, film: Film, place: str) -> None:
        """See Sheet."""
        self.text(place, "")
        self.shown[place] = film

    def video(self, place: str, images: Iterable[Image], *, fps: int) -> None:
        """See Sheet."""
        del fps
        self.text(place, "")
        self.shown[place] = list(images)

    def image(self, place: str, image: Image) -> None:
        """See Sheet."""
        self.text(place, "")
        self.shown[place] = image


@contextmanager
def laid(
    name: str, settings: tuple[str, ...], lay: Callable[[Unfilmed], None]
) -> Iterator[tuple[Benchmark, Unfilmed, list[Clip]]]:
    """A benchmark, the sheet that ``lay`` wrote, and the clips its loader finds there."""
    benchmark = benchmarks.load(name)
    with tempfile.TemporaryDirectory(prefix="tiny-") as folder:
        sheet = Unfilmed(Path(folder))
        lay(sheet)
        clips = [clip for one in settings for clip in benchmark.clips(Path(folder), (one,), ())]
        yield benchmark, sheet, clips


def place_of(sheet: Unfilmed, path: Path | None) -> str:
    """Where in the sheet a clip's video or image is."""
    return "" if path is None else path.relative_to(sheet.root).as_posix()
