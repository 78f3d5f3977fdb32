"""Write images as H.264 in mp4 so that the same images give the same bytes.

No clock, thread schedule, version string or processor-dependent arithmetic enters the file; a
different x264 or FFmpeg release may still choose other bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import cast

import av
import numpy as np
from av.bitstream import BitStreamFilterContext
from av.packet import Packet
from av.video.reformatter import ColorRange, Colorspace
from av.video.stream import VideoStream
from numpy.typing import NDArray

from edgeval.errors import ArgumentError

# One thread and no look-ahead thread: frame threading changes rate control decisions.
# cpu-independent takes x264's reference arithmetic where its assembly differs between processors.
_X264_PARAMS = "threads=1:lookahead-threads=1:sync-lookahead=0:cpu-independent=1"
# Supplemental NAL units (type 6) hold x264's version and options, which tie bytes to one build.
_NO_SEI = "filter_units=remove_types=6"


def encode(
    path: Path,
    images: Iterable[NDArray[np.uint8]],
    *,
    fps: float | Fraction,
    crf: int,
    preset: str = "veryfast",
    gop: int = 250,
) -> None:
    """Write ``images`` as a constant-rate H.264 mp4 (yuv420p, BT.601, limited range).

    Each image is uint8 [H, W, 3], all of one even size; ``fps`` in frames/s; ``crf`` is x264's
    quality (0 best .. 51); ``gop`` the longest distance between keyframes, in frames. The file is
    written beside ``path`` and renamed, so it is whole or absent. Raises ArgumentError for no
    image, an odd size or a change of size.
    """
    frames = iter(images)
    first = next(frames, None)
    if first is None:
        raise ArgumentError(f"encode {path.name}: got no image; wants at least one")
    part = path.with_name(path.name + ".part")
    try:
        with av.open(
            str(part), "w", format="mp4", options={"fflags": "+bitexact", "movflags": "+faststart"}
        ) as container:
            stream = cast(
                VideoStream,
                container.add_stream(
                    "libx264",
                    rate=Fraction(fps).limit_denominator(1001),
                    options={"crf": str(crf), "preset": preset, "x264-params": _X264_PARAMS},
                ),
            )
            _configure(stream, first.shape, gop=gop)
            strip = BitStreamFilterContext(_NO_SEI, in_stream=stream)
            for packet in chain(_packets(stream, chain((first,), frames)), (None,)):
                for kept in strip.filter(packet):
                    kept.stream = stream
                    container.mux_one(kept)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _configure(stream: VideoStream, shape: tuple[int, ...], *, gop: int) -> None:
    """Set size, colour and the flags that keep version strings out of the file."""
    if len(shape) != 3 or shape[2] != 3 or shape[0] % 2 or shape[1] % 2 or not all(shape):
        raise ArgumentError(f"encode: got an image of shape {shape}; wants [H, W, 3], both even")
    context = stream.codec_context
    context.height, context.width = shape[0], shape[1]
    context.pix_fmt = "yuv420p"
    context.gop_size = gop
    context.colorspace = int(Colorspace.SMPTE170M)
    context.color_range = int(ColorRange.MPEG)
    context.flags |= av.codec.context.Flags.bitexact


def _packets(
    stream: VideoStream, images: Iterable[NDArray[np.uint8]]
) -> Iterator[Packet[VideoStream]]:
    """Encode images to packets, numbering pts by frame."""
    context = stream.codec_context
    shape = (context.height, context.width, 3)
    for i, image in enumerate(images):
        if image.dtype != np.uint8 or image.shape != shape:
            raise ArgumentError(
                f"encode: image {i} is {image.dtype}{image.shape}; wants uint8{shape}, as the first"
            )
        frame = av.VideoFrame.from_ndarray(_yuv420p(image), format="yuv420p")
        frame.pts = i
        yield from stream.encode(frame)
    yield from stream.encode(None)


def _yuv420p(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """RGB [H, W, 3] -> planar Y, U, V as [H * 3 / 2, W]; BT.601 limited range, 8-bit weights.

    Our own integers, not swscale's, whose result depends on the processor. Chroma: mean of 2x2.
    """
    height, width = image.shape[:2]
    rgb = image.astype(np.int32)
    red, green, blue = rgb[..., 0], rgb[..., 1], rgb[..., 2]
    luma = ((66 * red + 129 * green + 25 * blue + 128) >> 8) + 16
    box = rgb.reshape(height // 2, 2, width // 2, 2, 3).sum(axis=(1, 3))
    red, green, blue = box[..., 0], box[..., 1], box[..., 2]
    cb = ((-38 * red - 74 * green + 112 * blue + 512) >> 10) + 128
    cr = ((112 * red - 94 * green - 18 * blue + 512) >> 10) + 128
    return np.concatenate([part.astype(np.uint8).ravel() for part in (luma, cb, cr)]).reshape(
        height * 3 // 2, width
    )
