"""The sound of a video as one row of samples, as speech models take it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import cast

import av
import numpy as np
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Discard
from numpy.typing import NDArray

from edgeval.errors import VideoError
from edgeval.media.container import opened

RATE_HZ = 16_000

Sound = NDArray[np.float32]


def sound(path: Path) -> Sound | None:
    """The best audio stream, mixed to one channel: float32 [n] in [-1, 1] at RATE_HZ.

    Through 16-bit numbers, as Whisper's own reader takes it: there FFmpeg mixes channels so that
    they cannot clip. None where the file has none. Packets that cannot be decoded are left out, as
    players do. Raises VideoError for a file that cannot be opened, and where nothing of its sound
    decodes.
    """
    with opened(path) as container:
        stream = cast("AudioStream | None", container.streams.best("audio"))
        if stream is None:
            return None
        if stream.codec_context is None:
            raise VideoError(f"{path}: no decoder for its audio stream in this FFmpeg")
        for other in container.streams:
            if other.index != stream.index:
                other.discard = Discard.all
        pieces = list(_resampled(_decoded(container, stream, path)))
    if not pieces:
        raise VideoError(f"{path}: nothing of its audio can be decoded; the file is damaged")
    return np.concatenate(pieces)


def _decoded(container: InputContainer, stream: AudioStream, path: Path) -> Iterator[av.AudioFrame]:
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets, None)
        except av.FFmpegError as error:
            raise VideoError(f"{path}: reading its audio stops half way ({error})") from error
        if packet is None:
            return
        try:
            frames = stream.codec_context.decode(packet)
        except av.FFmpegError:
            continue
        yield from frames


def _resampled(frames: Iterator[av.AudioFrame]) -> Iterator[Sound]:
    """The frames at our rate; a stream that changes its format half way gets a new resampler."""
    form: tuple[str, str, int] | None = None
    resampler: av.AudioResampler | None = None
    for frame in frames:
        now = (frame.format.name, frame.layout.name, frame.sample_rate)
        if resampler is None or now != form:
            yield from _flat(resampler, None)
            form, resampler = now, av.AudioResampler(format="s16", layout="mono", rate=RATE_HZ)
        # Times with gaps or jumps would make the resampler complain; only the samples count.
        frame.pts = None
        yield from _flat(resampler, frame)
    yield from _flat(resampler, None)


def _flat(resampler: av.AudioResampler | None, frame: av.AudioFrame | None) -> Iterator[Sound]:
    for piece in [] if resampler is None else resampler.resample(frame):
        samples: Sound = piece.to_ndarray().reshape(-1).astype(np.float32) / np.float32(32768)
        if samples.size:
            yield samples
