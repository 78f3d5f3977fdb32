"""Subtitles of LongVideoBench: which of them are shown, and between which frames."""

from __future__ import annotations

from pathlib import Path

from edgeval.dataset import Row, filled, inside, read_rows
from edgeval.errors import DataError

FRAMES = 16
_NARROW_S = 1.0


def frame_times(duration_s: float) -> tuple[float, ...]:
    """When lmms-eval takes its frames to be seen: 16 evenly from 0 s on, else one a second."""
    if duration_s > FRAMES:
        return tuple(duration_s / FRAMES * i for i in range(FRAMES))
    return tuple(float(i) for i in range(int(duration_s)))


def captions(root: Path, row: Row, row_id: str) -> tuple[tuple[float, str], ...]:
    """(second, text) of the subtitles that lmms-eval shows, in file order, seconds ascending.

    It keeps one that lies round any of its frames, widened to 1 s; one without a fractional end
    ends with the video; each comes after the frames up to its middle, and after those before it.
    Source: lmms-eval, lmms_eval/tasks/longvideobench/utils.py, compute_frame_timestamps and
    insert_subtitles_into_frames.
    """
    path = inside(root, f"subtitles/{filled(row, 'subtitle_path', row_id)}")
    duration = _number(row, "duration", row_id)
    offset = _number(row, "starting_timestamp_for_subtitles", row_id)
    frames = frame_times(duration)
    kept: list[tuple[float, str]] = []
    at = float("-inf")
    for n, line in enumerate(read_rows(path)):
        start, end, text = _spoken(line, duration, f"{path}, entry {n}")
        start, end = start - offset, end - offset
        middle = (start + end) / 2
        at = max(at, middle)
        if end - start < _NARROW_S:
            start, end = middle - _NARROW_S / 2, middle + _NARROW_S / 2
        if any(start < frame < end for frame in frames):
            kept.append((at, text))
    return tuple(kept)


def _spoken(line: Row, duration: float, who: str) -> tuple[float, float, str]:
    """Start, end and text of a subtitle in either layout, in seconds of the whole recording."""
    if "timestamp" not in line:
        times = [_clock(line.get(key), who) for key in ("start", "end")]
        return times[0], times[1], filled({"line": line.get("line") or " "}, "line", who)
    stamp = line["timestamp"]
    if not isinstance(stamp, list) or len(stamp) != 2 or not isinstance(stamp[0], (int, float)):
        raise DataError(f"{who}: got {stamp!r} for 'timestamp'; wants start and end in seconds")
    end = stamp[1] if isinstance(stamp[1], float) else duration
    return float(stamp[0]), end, str(line.get("text", ""))


def _clock(value: object, who: str) -> float:
    try:
        hours, minutes, seconds = str(value).split(":")
        return int(hours) * 3600 + int(minutes) * 60 + float(seconds)
    except ValueError as error:
        raise DataError(f"{who}: got {value!r}; wants a time as HH:MM:SS.mmm") from error


def _number(row: Row, key: str, who: str) -> float:
    value = row.get(key)
    if not isinstance(value, (int, float)) or not 0 <= value < float("inf"):
        raise DataError(f"{who}: got {value!r} for {key!r}; wants seconds")
    return float(value)
