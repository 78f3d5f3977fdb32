"""Where decoded frames go on disk: one .npy, or a folder of PNGs. Whole or absent, never held."""

from __future__ import annotations

import io
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from edgeval.errors import ArgumentError, VideoError
from edgeval.png import write_png

Image = NDArray[np.uint8]
_FEW = 8


class Sink(Protocol):
    """Takes the frames of a plan in any order, from several threads."""

    def put(self, frame_no: int, image: Image) -> None:
        """Write display frame ``frame_no``, uint8 [H, W, 3], to every place that asks for it."""


@contextmanager
def npy_sink(path: Path, indices: Sequence[int]) -> Iterator[Sink]:
    """A file of uint8 [T, H, W, 3] in the order of ``indices``; renamed into place at the end."""
    part = path.with_name(path.name + ".part")
    with _writing(path):
        # Renaming over a device would put a file in its place.
        if path.exists() and not path.is_file():
            raise ArgumentError(f"{path}: got what is no file; name a new one")
    try:
        with _writing(path), part.open("wb") as file:
            yield _Npy(file.fileno(), path, indices)
            os.fsync(file.fileno())
            part.replace(path)
    finally:
        with suppress(OSError):
            part.unlink()


@contextmanager
def png_sink(folder: Path, indices: Sequence[int]) -> Iterator[Sink]:
    """A new folder of "<place>_frame<index>.png"; it appears when all are there."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ArgumentError(f"{folder}: got a folder that is not empty; name a new one")
    part = folder.with_name(folder.name + ".part")
    try:
        with _writing(folder):
            part.mkdir()
            yield _Pngs(part, indices, folder)
            part.replace(folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def want_room(path: Path, n_frames: int, n_bytes: int) -> None:
    """Raise ArgumentError where ``n_bytes`` more do not fit on the disk of ``path``."""
    with _writing(path):
        free = shutil.disk_usage(path.absolute().parent).free
    if n_bytes > free:
        raise ArgumentError(
            f"{path}: got {n_frames} frames to write, {_size(n_bytes)} of them; wants at most the "
            f"{_size(free)} that are free there; ask for fewer frames or write to another disk"
        )


def _size(n_bytes: int) -> str:
    return f"{n_bytes / 1e9:,.1f} GB" if n_bytes >= 1e8 else f"{n_bytes / 1e6:,.1f} MB"


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    """Turn a full disk or a folder that is not there into one sentence."""
    try:
        yield
    except OSError as error:
        raise ArgumentError(f"cannot write {path}: {error.strerror or error}") from error


def _places(indices: Sequence[int]) -> Mapping[int, list[int]]:
    places: dict[int, list[int]] = {}
    for place, frame_no in enumerate(indices):
        places.setdefault(frame_no, []).append(place)
    return places


class _Npy:
    """Plain writes at offsets: a full disk is an error here, where a memory map would be killed."""

    def __init__(self, descriptor: int, path: Path, indices: Sequence[int]) -> None:
        self._descriptor = descriptor
        self._path = path
        self._n = len(indices)
        self._places = _places(indices)
        self._lock = Lock()
        self._shape: tuple[int, ...] = ()
        self._start = 0

    def put(self, frame_no: int, image: Image) -> None:
        with self._lock:
            if not self._shape:
                self._begin(image.shape)
        if image.shape != self._shape:
            raise VideoError(
                f"{self._path.name}: frame {frame_no} is {image.shape[1]}x{image.shape[0]}, others "
                f"are {self._shape[1]}x{self._shape[0]}; write a folder of PNGs instead"
            )
        view = np.ascontiguousarray(image).data.cast("B")
        for place in self._places[frame_no]:
            done = 0
            while done < len(view):
                at = self._start + place * len(view) + done
                done += os.pwrite(self._descriptor, view[done:], at)

    def _begin(self, shape: tuple[int, ...]) -> None:
        header = io.BytesIO()
        np.lib.format.write_array_header_1_0(
            header, {"descr": "|u1", "fortran_order": False, "shape": (self._n, *shape)}
        )
        os.pwrite(self._descriptor, header.getvalue(), 0)
        self._start = len(header.getvalue())
        self._shape = shape


class _Pngs:
    """What PNGs will take is known from those written: looked at after 8, 16, 32, ... of them."""

    def __init__(self, folder: Path, indices: Sequence[int], named: Path) -> None:
        self._folder = folder
        self._named = named
        self._n = len(indices)
        self._places = _places(indices)
        self._lock = Lock()
        self._written = 0
        self._bytes = 0

    def put(self, frame_no: int, image: Image) -> None:
        for place in self._places[frame_no]:
            path = self._folder / f"{place:05d}_frame{frame_no:06d}.png"
            write_png(path, image)
            self._count(path.stat().st_size)

    def _count(self, n_bytes: int) -> None:
        with self._lock:
            self._written += 1
            self._bytes += n_bytes
            written, left = self._written, self._n - self._written
            to_come = self._bytes // written * left
        if written >= _FEW and not written & (written - 1):
            want_room(self._named, left, to_come)
