"""A decoded frame as a Picture: views of its planes, its colour, its rotation; nothing copied."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from types import MappingProxyType
from typing import Final, Literal

import av
import numpy as np
from av.video.reformatter import Interpolation
from numpy.typing import NDArray

from edgeval import pixels
from edgeval.errors import VideoError
from edgeval.types import ChromaSite, Picture, Plane

Matrix = Literal["bt601", "bt709", "bt2020"]
# ITU-T H.273 matrix coefficients. Unspecified is BT.601, as swscale takes it; what is missing here
# (FCC, SMPTE 240M, YCgCo, RGB) goes through swscale.
_MATRIX: Final = MappingProxyType[int, Matrix](
    {1: "bt709", 2: "bt601", 5: "bt601", 6: "bt601", 9: "bt2020", 10: "bt2020"}
)
_FULL_RANGE: Final = 2
# The commonest first.
_SITES: Final[tuple[ChromaSite, ...]] = (
    *("left", "center", "topleft"),
    *("top", "bottomleft", "bottom"),
)
_HASH: Final = np.uint32(2654435761)


def picture(frame: av.VideoFrame, *, rotation_deg: int) -> Picture:
    """Lend ``frame`` as planes where the pixel kernels take it, else as FFmpeg's own rgb24.

    Valid as long as ``frame`` is. Raises VideoError for a frame laid upside down in memory.
    """
    name = frame.format.name
    matrix = _MATRIX.get(int(frame.colorspace))
    full_range = int(frame.color_range) == _FULL_RANGE or name.startswith("yuvj")
    size, interlaced = (frame.width, frame.height), frame.interlaced_frame
    if matrix and pixels.takes(name, *size, matrix, full_range, interlaced=interlaced):
        lent = Picture(
            planes=_planes(frame),
            rgb=None,
            bit_depth=frame.format.components[0].bits,
            matrix=matrix,
            full_range=full_range,
            interlaced=interlaced,
            rotation_deg=rotation_deg,
        )
        if not pixels.mixes_chroma(name, frame.height, interlaced=interlaced):
            return lent
        site = _site(frame, lent)
        if site is not None:
            return replace(lent, site=site)
    rgb = np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)
    return Picture(planes=None, rgb=rgb, rotation_deg=rotation_deg)


def _site(frame: av.VideoFrame, lent: Picture) -> ChromaSite | None:
    """Where the chroma of ``frame`` lies, which PyAV does not tell but swscale goes by.

    A frame of the same properties, a few pixels wide and full of noise, goes through swscale: the
    site under which the kernels give the same pixels is the frame's. None where none does.
    """
    small = _small(frame)
    dtype = np.uint16 if lent.bit_depth > 8 else np.uint8
    for number, plane in enumerate(small.planes):
        place = np.arange(plane.buffer_size // dtype().itemsize, dtype=np.uint32)
        noise = (place + 977 * number) * _HASH >> 20
        plane.update((noise % (1 << lent.bit_depth)).astype(dtype).tobytes())
    want = small.to_ndarray(format="rgb24", threads=1)
    noisy = replace(lent, planes=_planes(small), rotation_deg=0)
    for site in _SITES:
        if np.array_equal(pixels.to_rgb(replace(noisy, site=site)), want):
            return site
    return None


def _small(frame: av.VideoFrame) -> av.VideoFrame:
    """A frame with the properties of ``frame``; remainders choose swscale's ways, so they stay."""
    height = 16 + frame.height % 4
    width = 16 + frame.width % 2
    if (width, height) == (frame.width, frame.height):
        width += 2  # else it would be the frame itself
    point = Interpolation.POINT
    return frame.reformat(width=width, height=height, interpolation=point, threads=1)


def _planes(frame: av.VideoFrame) -> tuple[Plane, Plane, Plane]:
    luma, blue, red = (_view(plane, frame) for plane in frame.planes)
    return luma, blue, red


def sha256(lent: Picture) -> str:
    """Digest of a picture as decoded: the samples of its planes and nothing that we make of them.

    Records keep it, so it must not change when a Picture tells more about itself.
    """
    digest = hashlib.sha256()
    for plane in lent.planes or (lent.rgb,):
        if plane is not None:
            digest.update(f" {plane.shape} ".encode())
            digest.update(np.ascontiguousarray(plane).data)
    return digest.hexdigest()


def _view(plane: av.video.plane.VideoPlane, frame: av.VideoFrame) -> NDArray[np.unsignedinteger]:
    """[h, w] over the plane's memory; its rows end in padding that is never looked at."""
    if plane.line_size <= 0:
        raise VideoError(f"a {frame.format.name} frame has its rows backwards; it cannot be read")
    wide = frame.format.components[0].bits > 8
    dtype = np.dtype("<u2" if wide else "u1")
    row = plane.line_size // dtype.itemsize
    flat: NDArray[np.unsignedinteger] = np.frombuffer(
        memoryview(plane), dtype, count=row * plane.height
    )
    return flat.reshape(plane.height, row)[:, : plane.width]
