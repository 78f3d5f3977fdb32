"""A decoded frame as a Picture: views of its planes, its colour, its rotation; nothing copied."""

from __future__ import annotations

import hashlib
from types import MappingProxyType
from typing import Final, Literal

import av
import numpy as np
from numpy.typing import NDArray

from edgeval import pixels
from edgeval.errors import VideoError
from edgeval.types import Picture

Matrix = Literal["bt601", "bt709", "bt2020"]
# ITU-T H.273 matrix coefficients. Unspecified is BT.601, as swscale takes it; what is missing here
# (FCC, SMPTE 240M, YCgCo, RGB) goes through swscale.
_MATRIX: Final = MappingProxyType[int, Matrix](
    {1: "bt709", 2: "bt601", 5: "bt601", 6: "bt601", 9: "bt2020", 10: "bt2020"}
)
_FULL_RANGE: Final = 2


def picture(frame: av.VideoFrame, *, rotation_deg: int) -> Picture:
    """Lend ``frame`` as planes where the pixel kernels take it, else as FFmpeg's own rgb24.

    Valid as long as ``frame`` is. Raises VideoError for a frame laid upside down in memory.
    """
    name = frame.format.name
    matrix = _MATRIX.get(int(frame.colorspace))
    full_range = int(frame.color_range) == _FULL_RANGE or name.startswith("yuvj")
    # swscale upsamples the chroma of interlaced pictures field by field; the kernels do not.
    plain = not frame.interlaced_frame
    if matrix and plain and pixels.takes(name, frame.width, frame.height, matrix, full_range):
        luma, blue, red = (_view(plane, frame) for plane in frame.planes)
        return Picture(
            planes=(luma, blue, red),
            rgb=None,
            bit_depth=frame.format.components[0].bits,
            matrix=matrix,
            full_range=full_range,
            rotation_deg=rotation_deg,
        )
    rgb = np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)
    return Picture(planes=None, rgb=rgb, rotation_deg=rotation_deg)


def sha256(lent: Picture) -> str:
    """Digest of a picture as decoded, before any arithmetic: its samples and what they mean."""
    meaning = f"{lent.bit_depth} {lent.matrix} {lent.full_range} {lent.rotation_deg}"
    digest = hashlib.sha256(meaning.encode())
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
