"""Open a video with FFmpeg, choose its stream, and say in one sentence why it cannot be."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import cast

import av
from av.container import InputContainer
from av.packet import Packet
from av.stream import Discard, Disposition
from av.video.stream import VideoStream

from edgeval.errors import VideoError

# Local files answer at once; these only end a wait for storage that never does.
_OPEN_S, _READ_S = 120.0, 120.0
# A pass over a file that lasts longer than this is called a hang.
_PASS_S = 3600.0
# PyAV 19 dropped the argument: it never fails on metadata.
_LENIENT_AV = 19
# Streams that may turn up after a file was opened.
_LATE_STREAMS = 64
# Formats that are scripts or text: they would open other files, or paint a web page as a film.
_NOT_VIDEO = ("hls", "concat", "dash", "tty", "ffmetadata", "lavfi")


@contextmanager
def opened(path: Path) -> Iterator[InputContainer]:
    """The file's container, closed at the end. Raises VideoError where FFmpeg cannot read it."""
    try:
        container = _open(f"file:{path.resolve()}")
    except (av.FFmpegError, ValueError, OSError) as error:
        raise VideoError(
            f"{path}: no video format is recognised ({_reason(error)}); the file is damaged or "
            "not a video"
        ) from error
    with closing(container):
        if any(part in _NOT_VIDEO for part in container.format.name.split(",")):
            raise VideoError(f"{path}: got a {container.format.name} file; wants a video file")
        yield container


def _open(url: str) -> InputContainer:
    """av.open for local files. A title that is no UTF-8 is no reason to refuse a film."""
    timeout, options = (_OPEN_S, _READ_S), {"protocol_whitelist": "file"}
    if int(av.__version__.split(".")[0]) >= _LENIENT_AV:
        return av.open(url, timeout=timeout, options=options)
    return av.open(url, timeout=timeout, options=options, metadata_errors="replace")


def best_stream(container: InputContainer, path: Path) -> VideoStream:
    """FFmpeg's best video stream, cover art left out. Raises VideoError where there is none."""
    best = cast("VideoStream | None", container.streams.best("video"))
    if best is None or best.disposition & Disposition.attached_pic:
        # The best one is a cover picture: any moving stream is better.
        moving = (s for s in container.streams.video if not is_cover(s))
        best = next(moving, None)
    if best is None:
        kinds = ", ".join(sorted({s.type for s in container.streams})) or "none"
        raise VideoError(f"{path}: the file has no video stream (its streams: {kinds})")
    if best.codec_context is None:
        raise VideoError(f"{path}: no decoder for its video stream in this FFmpeg")
    best.codec_context.thread_count = 1
    for stream in container.streams:
        if stream.index != best.index:
            stream.discard = Discard.all
    return best


def stream_at(container: InputContainer, index: int, path: Path) -> VideoStream:
    """The video stream at ``index``, set to one decoding thread.

    One decoder per core beats frame threads, which spend more CPU on the same packets. Raises
    VideoError where the file has no such stream any more.
    """
    stream = container.streams[index] if index < len(container.streams) else None
    if not isinstance(stream, VideoStream) or stream.codec_context is None:
        raise VideoError(f"{path}: the file has changed since it was indexed; probe it again")
    stream.codec_context.thread_count = 1
    return stream


def tick(stream: VideoStream) -> Fraction:
    """Length of the stream's time unit in seconds."""
    return stream.time_base or Fraction(1, 90000)


def is_cover(stream: VideoStream) -> bool:
    """Whether the stream is one attached picture, not a film."""
    return bool(stream.disposition & Disposition.attached_pic)


def first_picture(
    container: InputContainer, stream: VideoStream, path: Path
) -> av.VideoFrame | None:
    """The first picture that comes out, from a container at its start; None where none does."""
    for packet in chain(packets(container, stream, path), (None,)):
        with suppress(av.FFmpegError):
            for frame in stream.codec_context.decode(packet):
                return frame
    return None


def packets(
    container: InputContainer, stream: VideoStream, path: Path
) -> Iterator[Packet[VideoStream]]:
    """Packets of ``stream`` from where the container stands, the empty flush packet left out.

    Raises VideoError on a read error, and when the pass takes longer than any file should.
    """
    until = time.monotonic() + _PASS_S
    for _ in range(_LATE_STREAMS):
        try:
            for count, packet in enumerate(container.demux(stream)):
                if count % 256 == 0 and time.monotonic() > until:
                    raise VideoError(f"{path}: reading it took over {_PASS_S:.0f} s; given up")
                if packet.size:
                    yield packet
        except av.FFmpegError as error:
            raise VideoError(f"{path}: reading stops half way ({_reason(error)})") from error
        except IndexError:
            # PyAV cannot name a stream that turned up after opening (transport streams do that):
            # asked again, it goes on from the same place.
            continue
        return
    raise VideoError(f"{path}: over {_LATE_STREAMS} streams turn up on the way; it is damaged")


def _reason(error: Exception) -> str:
    """FFmpeg's own words without the errno and the path."""
    words = getattr(error, "strerror", None) or str(error)
    return str(words).splitlines()[0].strip().rstrip(".") if words else type(error).__name__
