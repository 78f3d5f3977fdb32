"""A video's frame rate as its packets have it, where a protocol goes by torchcodec."""

from __future__ import annotations

from pathlib import Path

from av.video.stream import VideoStream

from edgeval.media.container import best_stream, opened, packets, tick

# FFmpeg does not believe a codec that tells more frames a second.
_MOST_HERTZ = 1000


def packet_rate(path: Path) -> float | None:
    """Frames/s: packets over the seconds they last; None where they last no time.

    A file's header may tell another rate (variable rates, cut films, rounded times). Rounded as
    the source rounds it, because floors follow. Reads the whole file; nothing is decoded.
    Raises VideoError. Source: torchcodec 0.13, StreamMetadata::getAverageFps, exact seek mode, on
    FFmpeg 5.1.
    """
    spans: list[tuple[int, int]] = []
    delays: set[int] = set()
    with opened(path) as container:
        stream = best_stream(container, path)
        unit = tick(stream)
        for packet in packets(container, stream, path):
            at = packet.dts if packet.pts is None else packet.pts
            if packet.is_discard or at is None:
                continue
            spans.append((at, packet.duration or 0))
            delays.add(at - (at if packet.dts is None else packet.dts))
        if len(delays) > 1 and "mov" in container.format.name:
            guess = _guessed_duration(stream)
            spans = [(at, guess) for at, _ in spans]
    if not spans:
        return None
    first, last = min(at for at, _ in spans), max(at + lasts for at, lasts in spans)
    # Multiplied before it is divided, and each end alone, as there.
    lasts_s = float(last) * unit.numerator / unit.denominator
    lasts_s -= float(first) * unit.numerator / unit.denominator
    return len(spans) / lasts_s if lasts_s > 0 else None


def _guessed_duration(stream: VideoStream) -> int:
    """What FFmpeg before 8 takes a picture of an mp4 with B pictures to last; 8 reads the tables.

    In units of the stream's time. Source: FFmpeg@n5.1, libavformat/demux.c,
    compute_frame_duration.
    """
    rate = stream.codec_context.framerate or stream.base_rate
    if not rate or (stream.codec_context.framerate and rate >= _MOST_HERTZ):
        return 0
    return int(1 / (rate * tick(stream)))
