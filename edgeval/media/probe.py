"""Index a video: how many frames it shows, when, and which packets they need."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from av.container import InputContainer
from av.video.stream import VideoStream

from edgeval.errors import VideoError
from edgeval.media.container import best_stream, first_picture, opened, stream_at
from edgeval.media.index import (
    Indexed,
    from_decode,
    from_demux,
    from_moov,
    leads,
    try_head,
    unordered,
)
from edgeval.media.layout import Layout, read_layout
from edgeval.media.mp4 import Track, read_tracks
from edgeval.types import VideoInfo

# Containers that store decode times alone: with B pictures, no packet says when it is shown.
_NO_TIMES = ("avi", "asf")


def probe(path: Path, *, salvage: bool = False) -> VideoInfo:
    """Read what the index of ``path`` says, without decoding more than odd streams need.

    mp4 from its moov tables, all else from one demux pass; the stream is FFmpeg's best video
    stream. Raises VideoError for a file that is missing, empty, no video, cut short or damaged;
    ``salvage`` accepts the last two and says in ``notes`` what is lost.
    """
    layout = read_layout(path)
    cut: tuple[str, ...] = ()
    if layout.cut:
        cut = (f"the file is cut short: {layout.cut}",)
    _accept(cut, path, salvage=salvage)
    tracks = read_tracks(path, layout) if layout.kind == "mp4" else {}
    # The raw tables of a long film are as large as their index: do not hold both.
    layout = replace(layout, moov=b"")
    with opened(path) as container:
        stream = best_stream(container, path)
        track = tracks.get(stream.id)
        found = _index(container, stream, track, path)
        lost = cut + found.damage + _header_count(stream, len(found.pts_s), layout)
        _accept(lost, path, salvage=salvage)
        rotation = track.rotation_deg if track else _rotation(path, stream.index)
        if track and track.mirrored:
            lost += ("the file asks to be shown mirrored, which is not applied",)
        return _info(path, stream, found, rotation_deg=rotation, notes=lost)


def _accept(lost: tuple[str, ...], path: Path, *, salvage: bool) -> None:
    if lost and not salvage:
        raise VideoError(f"{path}: {lost[0]}; get it again or use --salvage")


def _index(
    container: InputContainer,
    stream: VideoStream,
    track: Track | None,
    path: Path,
) -> Indexed:
    """The cheapest index that can be trusted."""
    found = from_moov(container, stream, track, path=path) if track else None
    if found is None:
        with opened(path) as again:
            found = from_demux(again, stream_at(again, stream.index, path), path)
    loose = found is not None and unordered(found.index, stream)
    if loose and container.format.name in _NO_TIMES:
        found = None
    if found is not None and (loose or leads(found.index) or _in_fields(path, stream)):
        with opened(path) as again:
            found = try_head(again, stream_at(again, stream.index, path), found, path)
    if found is None:
        with opened(path) as again:
            found = from_decode(again, stream_at(again, stream.index, path), path)
    return found


def _in_fields(path: Path, stream: VideoStream) -> bool:
    """Whether the pictures are interlaced, so that two packets may be one picture."""
    order = getattr(stream.codec_context, "field_order", None)
    if order is not None:
        return int(order) > 1
    # PyAV 17 does not say; its first picture does.
    with opened(path) as container:
        frame = first_picture(container, stream_at(container, stream.index, path), path)
        return frame is not None and bool(frame.interlaced_frame)


def _rotation(path: Path, stream: int) -> int:
    """Clockwise rotation as the first picture carries it; FFmpeg counts it the other way round."""
    with opened(path) as container:
        frame = first_picture(container, stream_at(container, stream, path), path)
        return 0 if frame is None else round(-frame.rotation / 90) * 90 % 360


def _header_count(stream: VideoStream, n_frames: int, layout: Layout) -> tuple[str, ...]:
    """A clause when the header promises more frames than were found (mp4 counts hidden ones)."""
    if layout.kind == "mp4" or stream.frames <= n_frames + 1:
        return ()
    return (f"the header promises {stream.frames} frames and the file holds {n_frames}",)


def _info(
    path: Path, stream: VideoStream, found: Indexed, *, rotation_deg: int, notes: tuple[str, ...]
) -> VideoInfo:
    context = stream.codec_context
    if not context.width or not context.height:
        raise VideoError(f"{path}: its video stream has no picture size; the file is damaged")
    n = len(found.pts_s)
    rate = float(stream.average_rate or stream.guessed_rate or 0)
    span = float(found.pts_s[-1] - found.pts_s[0])
    if not rate:
        rate = (n - 1) / span if span > 0 else 1.0
    return VideoInfo(
        path=path,
        n_frames=n,
        fps=rate,
        duration_s=span + 1 / rate,
        width=context.width,
        height=context.height,
        rotation_deg=rotation_deg,
        pix_fmt=context.pix_fmt or "unknown",
        codec=context.codec.canonical_name,
        pts_s=found.pts_s,
        notes=notes,
        index=found.index,
    )
