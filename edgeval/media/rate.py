"""A video's frame rate as its packets have it, where a protocol goes by torchcodec."""

from __future__ import annotations

from pathlib import Path

from edgeval.media.container import best_stream, opened, packets, tick


def packet_rate(path: Path) -> float | None:
    """Frames/s: packets over the seconds they last; None where they last no time.

    A file's header may tell another rate (variable rates, cut films, rounded times). Rounded as
    the source rounds it, because floors follow. Reads the whole file; nothing is decoded.
    Raises VideoError. Source: torchcodec 0.13, StreamMetadata::getAverageFps, exact seek mode, on
    this FFmpeg (those before 8 guess how long a B picture lasts).
    """
    first, last, n = None, None, 0
    with opened(path) as container:
        stream = best_stream(container, path)
        unit = tick(stream)
        for packet in packets(container, stream, path):
            at = packet.dts if packet.pts is None else packet.pts
            if packet.is_discard or at is None:
                continue
            end = at + (packet.duration or 0)
            first = at if first is None else min(first, at)
            last = end if last is None else max(last, end)
            n += 1
    if first is None or last is None:
        return None
    # Multiplied before it is divided, and each end alone, as there.
    lasts_s = float(last) * unit.numerator / unit.denominator
    lasts_s -= float(first) * unit.numerator / unit.denominator
    return n / lasts_s if lasts_s > 0 else None
