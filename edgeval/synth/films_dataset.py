"""Generated films as data folders in the published layouts of seven benchmarks.

Films are 128 x 128, 8 frames/s, two seconds a shape; film ``seed`` is the same in every layout.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from edgeval.errors import ArgumentError, EdgevalError, UnknownName
from edgeval.synth.layouts import (
    longvideobench,
    mmvu,
    mvbench,
    seedbench_r1,
    tempcompass,
    video_r1,
    videomme,
)
from edgeval.synth.layouts.sheet import Sheet
from edgeval.synth.motions import film, routine
from edgeval.synth.motions.film import Film


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What ``write`` left in the folder."""

    n_clips: int
    n_questions: int
    n_bytes: int


class Layout(NamedTuple):
    """One benchmark's: what writes clips ``n`` from a seed on, and which of them are embedded."""

    lay: Callable[[Sheet, int, int], None]
    n: int
    seed0: int


def _of_films(lay: Callable[[Sheet, Sequence[Film]], None], n: int) -> Layout:
    def films(sheet: Sheet, n: int, seed0: int) -> None:
        lay(sheet, [film.make(seed0 + i) for i in range(n)])

    return Layout(films, n, film.FIRST_SEED)


LAYOUTS: Mapping[str, Layout] = MappingProxyType(
    {
        tempcompass.NAME: _of_films(tempcompass.lay, tempcompass.N_FILMS),
        mvbench.NAME: _of_films(mvbench.lay, mvbench.N_FILMS),
        videomme.NAME: _of_films(videomme.lay, videomme.N_FILMS),
        longvideobench.NAME: _of_films(longvideobench.lay, longvideobench.N_FILMS),
        mmvu.NAME: _of_films(mmvu.lay, mmvu.N_FILMS),
        video_r1.NAME: _of_films(video_r1.lay, video_r1.N_FILMS),
        seedbench_r1.NAME: Layout(seedbench_r1.lay, seedbench_r1.N_ROUTINES, routine.FIRST_SEED),
    }
)


def write(
    name: str, folder: Path, *, n_clips: int | None = None, seed0: int | None = None
) -> Written:
    """Write ``n_clips`` films of seeds ``seed0`` upward in the layout of the benchmark ``name``.

    None means as embedded. The same arguments give the same questions always, and the same bytes
    with the same Pillow, x264 and zlib. Raises UnknownName, ArgumentError for fewer than one clip,
    a negative seed or a folder that is not empty, and EdgevalError where Pillow is not installed.
    """
    if name not in LAYOUTS:
        raise UnknownName("layout of films", name, LAYOUTS)
    layout = LAYOUTS[name]
    n = layout.n if n_clips is None else n_clips
    first = layout.seed0 if seed0 is None else seed0
    if n < 1 or first < 0:
        raise ArgumentError(
            f"films: got n_clips={n}, seed0={first}; wants n_clips >= 1, seed0 >= 0"
        )
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ArgumentError(f"films: {folder} is not an empty folder; name a new one")
    try:
        import_module("edgeval.synth.motions.picture")
    except ModuleNotFoundError as error:
        raise EdgevalError(
            f"films: {error.name} is not installed, which draws them; pip install 'edgeval[make]'"
        ) from error
    sheet = Sheet(folder)
    layout.lay(sheet, n, first)
    return Written(
        n_clips=n,
        n_questions=sheet.n_questions,
        n_bytes=sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()),
    )
