"""Which packet holds which displayed frame: from moov tables, a demux pass, or a full decode."""

from __future__ import annotations

from array import array
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

import av
import numpy as np
from av.codec import Codec
from av.container import InputContainer
from av.video.stream import VideoStream
from numpy.typing import NDArray

from edgeval.errors import VideoError
from edgeval.media.container import packets, tick
from edgeval.media.mp4 import Track
from edgeval.media.shown import NOT_CODED_BYTES, shown_counter
from edgeval.types import PacketIndex

NO_TIMESTAMP = PacketIndex.NO_TIMESTAMP
# H.264 and HEVC reorder at most 16 pictures; times that jump further belong to spliced streams.
_REORDER_LIMIT = 64
# Keyframe flags that do not say where decoding may start.
_NO_ENTRY = ("apng",)
# Codecs whose decoders give nothing, rather than something wrong, from a false keyframe.
_SELF_CHECKING = ("h264", "hevc", "vp8", "vp9", "av1")
# How far a stream is decoded to see whether its packets come out one to one.
_TRIAL_PACKETS = 96


@dataclass(frozen=True, slots=True, kw_only=True)
class Indexed:
    """An index, the frames' times in seconds (float64 [n_frames]), and what is missing."""

    index: PacketIndex
    pts_s: NDArray[np.float64]
    damage: tuple[str, ...] = ()


def from_moov(
    container: InputContainer, stream: VideoStream, track: Track, *, path: Path
) -> Indexed | None:
    """The index that the moov tables give; None unless FFmpeg's own index agrees with them.

    Gates: as many samples as FFmpeg has entries; first, middle and last at the same place, size
    and distance in time; the first packet read has the first sample's size.
    """
    entries = stream.index_entries
    n = len(track.pts)
    if len(entries) != n or stream.codec_context.name in ("vp8", "vp9"):
        return None
    if stream.codec_context.name == "mpeg4" and track.least < NOT_CODED_BYTES:
        return None
    lag = entries[0].timestamp - int(track.dts[0])
    for i, place in track.places.items():
        entry = entries[i]
        if ((entry.pos, entry.size), entry.timestamp - lag) != (place, int(track.dts[i])):
            return None
    first = next(packets(container, stream, path), None)
    if first is None or first.pts is None or first.dts is None or first.size != track.places[0][1]:
        return None
    shown = np.ones(n, np.bool_)
    if track.hides:
        shown = ~np.fromiter((entry.is_discard for entry in entries), np.bool_, n)
    lost = int((shown & ~track.whole).sum())
    damage = (
        (f"{lost} of {int(shown.sum())} frames lie beyond the end of the file",) if lost else ()
    )
    table = PacketIndex(
        stream=stream.index,
        time_base=tick(stream),
        pts=_moved(track.pts, first.pts),
        dts=_moved(track.dts, first.dts),
        key=track.key & track.whole,
        order=np.zeros(0, np.int64),
    )
    return _ordered(table, shown & track.whole, damage, codec=stream.codec_context.codec)


def _moved(times: NDArray[np.int64], start: int) -> NDArray[np.int64]:
    """The same times with ``start`` for the first; themselves where it is theirs."""
    by = start - int(times[0])
    return times + by if by else times


def from_demux(container: InputContainer, stream: VideoStream, path: Path) -> Indexed | None:
    """The index that reading every packet gives; None where times cannot name the frames."""
    rows = array("q")
    count = shown_counter(stream.codec_context.name)
    damage: tuple[str, ...] = ()
    try:
        for packet in packets(container, stream, path):
            pts = NO_TIMESTAMP if packet.pts is None else packet.pts
            dts = NO_TIMESTAMP if packet.dts is None else packet.dts
            shown = 1 if count is None else count(bytes(packet))
            shown = 0 if packet.is_discard else shown
            rows.extend((pts, dts, packet.is_keyframe, shown))
    except VideoError as error:
        damage = (f"reading stops after {len(rows) // 4} packets ({error})",)
    if not rows:
        raise VideoError(f"{path}: its video stream holds no packet")
    table = np.array(rows, np.int64).reshape(-1, 4)
    codec = stream.codec_context.name
    if (table[:, 3] > 1).any() or codec in _NO_ENTRY:
        return None
    return _ordered(
        PacketIndex(
            stream=stream.index,
            time_base=tick(stream),
            pts=table[:, 0],
            dts=table[:, 1],
            key=table[:, 2] != 0,
            order=np.zeros(0, np.int64),
        ),
        table[:, 3] != 0,
        damage,
        codec=stream.codec_context.codec,
    )


def _ordered(
    table: PacketIndex, shown: NDArray[np.bool_], damage: tuple[str, ...], *, codec: Codec
) -> Indexed | None:
    """Sort the shown packets by time; None where a time is missing, doubled or far out of order."""
    # Of hours of film these arrays are what grows: none is copied that need not be.
    places = None if shown.all() else np.flatnonzero(shown)
    times = table.pts if places is None else table.pts[places]
    if not len(times) or (times == NO_TIMESTAMP).any() or not table.key.any():
        return None
    rank = np.argsort(times, kind="stable")
    ticks = times[rank]
    if (ticks[1:] <= ticks[:-1]).any():
        return None
    jumps = rank - np.arange(len(rank))
    if max(int(jumps.max()), -int(jumps.min())) > _REORDER_LIMIT:
        return None
    del jumps
    order = rank if places is None else places[rank]
    pts_s = ticks.astype(np.float64)
    pts_s *= float(table.time_base)
    index = _proven(replace(table, order=order), codec)
    return Indexed(index=index, pts_s=pts_s, damage=damage)


def _proven(index: PacketIndex, codec: Codec) -> PacketIndex:
    """The index with keyframes that can be believed.

    A muxer that marks none makes every packet one. Decoders that check for themselves notice and
    decoding falls back; for the others only the first packet is sure.
    """
    if not index.key.all() or codec.intra_only or codec.canonical_name in _SELF_CHECKING:
        return index
    return replace(index, key=np.arange(len(index.key)) == 0)


def unordered(index: PacketIndex, stream: VideoStream) -> bool:
    """Whether times follow decode order although the codec reorders: then they may be no use."""
    return bool(stream.codec_context.has_b_frames) and bool((np.diff(index.order) > 0).all())


def leads(index: PacketIndex) -> bool:
    """Whether pictures come before the first keyframe, in the file or on the screen."""
    first_key = int(np.argmax(index.key))
    return first_key > 0 or bool(index.pts[index.order[0]] < index.pts[first_key])


def try_head(
    container: InputContainer, stream: VideoStream, indexed: Indexed, path: Path
) -> Indexed | None:
    """Decode the head and leave out packets that give no picture before the first keyframe.

    The container stands at its start. None when pictures are missing after that keyframe too, or
    come out in another order than their times: then times do not name the pictures.
    """
    index = indexed.index
    context = stream.codec_context
    got: list[int] = []
    sent: list[int] = []
    for packet in packets(container, stream, path):
        with suppress(av.FFmpegError):
            got.extend(f.pts for f in context.decode(packet) if f.pts is not None)
        sent.append(NO_TIMESTAMP if packet.pts is None else packet.pts)
        if len(sent) >= _TRIAL_PACKETS:
            break
    with suppress(av.FFmpegError):
        got.extend(f.pts for f in context.decode(None) if f.pts is not None)
    if got != sorted(got):
        return None
    start = index.pts[int(np.argmax(index.key))]
    times = index.pts[index.order]
    tried = np.isin(times, sent)
    missing = tried & ~np.isin(times, got)
    if (missing & (times >= start)).any():
        return None
    keep = ~missing
    return replace(
        indexed, index=replace(index, order=index.order[keep]), pts_s=indexed.pts_s[keep]
    )


def from_decode(container: InputContainer, stream: VideoStream, path: Path) -> Indexed:
    """The index of a stream whose times are no use: every picture is decoded and counted."""
    times: list[int | None] = []
    errors = 0
    context = stream.codec_context
    for packet in chain(packets(container, stream, path), (None,)):
        try:
            times.extend(frame.pts for frame in context.decode(packet))
        except av.FFmpegError:
            errors += 1
    if not times:
        raise VideoError(f"{path}: no picture can be decoded")
    none = np.zeros(0, np.int64)
    known = [NO_TIMESTAMP if t is None else t for t in times]
    ticks = np.array(known, np.int64)
    rate = float(stream.average_rate or stream.guessed_rate or 25)
    pts_s = np.arange(len(ticks)) / rate
    if (ticks != NO_TIMESTAMP).all() and (np.diff(ticks) >= 0).all():
        pts_s = ticks.astype(np.float64) * float(tick(stream))
    return Indexed(
        index=PacketIndex(
            stream=stream.index,
            time_base=tick(stream),
            pts=none,
            dts=none,
            key=np.zeros(0, np.bool_),
            order=none,
            sequential=True,
        ),
        pts_s=pts_s,
        damage=(f"{errors} packets cannot be decoded",) if errors else (),
    )
