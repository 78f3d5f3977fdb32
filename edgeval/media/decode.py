"""Decode the frames of a plan: only the packets they need, on every core, in bounded memory."""

from __future__ import annotations

import hashlib
import os
import queue
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Lock

import av
import numpy as np
from numpy.typing import NDArray

from edgeval import pixels
from edgeval.errors import ArgumentError
from edgeval.media.claims import Claims
from edgeval.media.container import opened
from edgeval.media.gops import Work, split
from edgeval.media.picture import picture, sha256
from edgeval.media.probe import probe
from edgeval.media.reader import OffIndexError, Reader, StoppedError
from edgeval.types import FramePlan, Frames, PacketIndex, Picture, VideoInfo

# What a worker is given: a frame's display index, its picture, its time in seconds.
See = Callable[[int, Picture, float], None]
# Opening a container costs about as much as decoding this many packets of small video.
_PACKETS_PER_WORKER = 48


def decode(
    plan: FramePlan,
    *,
    shrink: Callable[[Picture], NDArray[np.generic]],
    digest: bool = False,
    stages: bool = False,
    workers: int | None = None,
    salvage: bool = False,
) -> Frames:
    """The frames of ``plan`` in its order, each made small by ``shrink`` as it comes out.

    ``shrink`` runs in the decoding threads (``workers``, by default one per core) and must not keep
    the picture. ``digest`` adds the sha256 of every frame's uint8 RGB [H, W, 3], rotation applied;
    ``stages`` that of every picture as decoded, which is cheaper.
    Raises VideoError for a damaged or vanished video; ``salvage`` gives a neighbour where a frame
    is lost and says so in ``Frames.damage``.
    """
    started = time.perf_counter()
    shrunk: dict[int, NDArray[np.generic]] = {}
    digests: dict[int, str] = {}
    pictures: dict[int, str] = {}
    times: dict[int, float] = {}

    def see(frame_no: int, lent: Picture, at_s: float) -> None:
        shrunk[frame_no] = shrink(lent)
        times[frame_no] = at_s
        if stages:
            pictures[frame_no] = sha256(lent)
        if digest:
            digests[frame_no] = hashlib.sha256(pixels.to_rgb(lent).data).hexdigest()

    damage = visit(plan, see, workers=workers, salvage=salvage)
    return Frames(
        plan=plan,
        pixels=tuple(shrunk[i] for i in plan.indices),
        pts_s=np.array([times[i] for i in plan.indices], np.float64),
        digests=tuple(digests[i] for i in plan.indices) if digest else (),
        pictures=tuple(pictures[i] for i in plan.indices) if stages else (),
        damage=damage,
        decode_s=time.perf_counter() - started,
    )


def visit(
    plan: FramePlan, see: See, *, workers: int | None = None, salvage: bool = False
) -> tuple[str, ...]:
    """Call ``see`` once for every distinct frame of ``plan``, in no order, from several threads.

    Nothing is kept: memory does not grow with the plan or the video. Returns what was lost or
    suspect. Errors as ``decode``, and any that ``see`` raises.
    """
    info = plan.info
    bad = [i for i in plan.indices if not 0 <= i < info.n_frames]
    if bad:
        raise ArgumentError(f"{info.path}: got frame {bad[0]}; wants 0 .. {info.n_frames - 1}")
    index = info.index or probe(info.path, salvage=salvage).index
    if index is None:
        raise ArgumentError(f"{info.path}: got a video without an index; call probe")
    job = _Job(info=info, index=index, see=see, salvage=salvage)
    if index.sequential:
        job.owe({i: i for i in set(plan.indices)})
    else:
        _run_groups(job, split(index, plan.indices), workers=workers)
    if job.leftover:
        _run_whole(job)
    return (*info.notes, *sorted(job.damage))


@dataclass(slots=True, kw_only=True)
class _Job:
    """What the workers of one ``visit`` share."""

    info: VideoInfo
    index: PacketIndex
    see: See
    salvage: bool
    stop: Event = field(default_factory=Event)
    leftover: dict[int, int] = field(default_factory=dict)
    damage: list[str] = field(default_factory=list)
    lock: Lock = field(default_factory=Lock)

    @property
    def path(self) -> Path:
        return self.info.path

    def claims(self, owed: dict[int, int]) -> Claims:
        return Claims(path=self.path, owed=owed, give=self.give, salvage=self.salvage)

    def give(self, frame_no: int, frame: av.VideoFrame, at_s: float) -> None:
        """Pass a picture on; a counted one has the time of its index."""
        if self.index.sequential:
            at_s = float(self.info.pts_s[frame_no])
        self.see(frame_no, picture(frame, rotation_deg=self.info.rotation_deg), at_s)

    def owe(self, frames: dict[int, int]) -> None:
        with self.lock:
            self.leftover.update(frames)

    def note(self, damage: list[str]) -> None:
        with self.lock:
            self.damage.extend(damage)


def _run_groups(job: _Job, work: list[Work], *, workers: int | None) -> None:
    """Decode groups of pictures, largest first, each worker with a container of its own."""
    todo: queue.SimpleQueue[Work] = queue.SimpleQueue()
    for piece in work:
        todo.put(piece)
    packets = sum(piece.n_packets for piece in work)
    most = workers or len(os.sched_getaffinity(0))
    n = max(1, min(most, len(work), 1 + packets // _PACKETS_PER_WORKER))
    if n == 1:
        _work(job, todo)
        return
    with ThreadPoolExecutor(n - 1, thread_name_prefix="edgeval-decode") as pool:
        others = [pool.submit(_guarded, job, todo) for _ in range(n - 1)]
        # This thread works too: idle, it would keep the memory that probing freed to itself.
        with suppress(StoppedError):
            _guarded(job, todo)
    for task in others:
        error = task.exception()
        if error is not None and not isinstance(error, StoppedError):
            raise error


def _guarded(job: _Job, todo: queue.SimpleQueue[Work]) -> None:
    """One worker that, however it fails (Ctrl-C too), stops the others."""
    whole = False
    try:
        _work(job, todo)
        whole = True
    finally:
        if not whole:
            job.stop.set()


def _work(job: _Job, todo: queue.SimpleQueue[Work]) -> None:
    """One worker: pieces of work until there are none."""
    with opened(job.path) as container:
        reader = Reader(job.path, job.index, container=container, stop=job.stop)
        while not job.stop.is_set():
            try:
                piece = todo.get_nowait()
            except queue.Empty:
                return
            pts = job.index.pts
            claims = job.claims({int(pts[p]): frame for p, frame in piece.wanted.items()})
            try:
                reader.run(piece, claims)
            except OffIndexError:
                job.owe(claims.owed)
            job.note(claims.damage)


def _run_whole(job: _Job) -> None:
    """Decode from the start for the frames that no seek gave."""
    job.stop.clear()
    claims = job.claims(dict(job.leftover))
    with opened(job.path) as container:
        Reader(job.path, job.index, container=container, stop=job.stop).run_all(claims)
    job.note(claims.damage)
