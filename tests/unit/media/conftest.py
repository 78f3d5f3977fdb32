"""Small clips made on the spot, and what a plain decode of them gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from edgeval.types import FramePlan, FrameRule, VideoInfo

X264 = {"preset": "veryfast", "crf": "24", "x264-params": "threads=1"}
HEIGHT, WIDTH = 48, 96


def picture_of(i: int, height: int = HEIGHT, width: int = WIDTH) -> NDArray[np.uint8]:
    """A picture that differs from every other: gradients that move, and i in 8 binary blocks."""
    y, x = np.mgrid[0:height, 0:width]
    image = np.stack([x * 2 + 3 * i, y * 2 + i, x + y + 2 * i], -1).astype(np.uint8)
    for bit in range(8):
        image[0:16, bit * 12 : bit * 12 + 12] = 235 if i >> bit & 1 else 16
    return image


@pytest.fixture(scope="session")
def make_clip(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Encode ``n`` pictures into a file of the given name; the same call is made once."""
    folder = tmp_path_factory.mktemp("clips")

    def make(
        name: str,
        codec: str = "libx264",
        *,
        n: int = 50,
        gop: int = 12,
        b_frames: int = 0,
        pix_fmt: str = "yuv420p",
        options: Mapping[str, str] | None = None,
        mux: Mapping[str, str] | None = None,
        pts: Callable[[int], int] = lambda i: i,
        size: tuple[int, int] = (HEIGHT, WIDTH),
        rotation: int = 0,
    ) -> Path:
        path = folder / name
        if path.exists():
            return path
        chosen = dict(X264 if options is None and codec == "libx264" else options or {})
        with av.open(str(path), "w", options=dict(mux or {})) as container:
            stream = container.add_stream(codec, rate=25, options=chosen)
            stream.height, stream.width = size
            stream.pix_fmt = pix_fmt
            stream.codec_context.gop_size = gop
            stream.codec_context.max_b_frames = b_frames
            if rotation:
                stream.set_display_rotation(rotation)
            for i in range(n):
                frame = av.VideoFrame.from_ndarray(picture_of(i, *size), format="rgb24")
                frame = frame.reformat(format=pix_fmt)
                frame.pts = pts(i)
                for packet in stream.encode(frame):
                    container.mux(packet)
            for packet in stream.encode(None):
                container.mux(packet)
        return path

    return make


def sequential(path: Path) -> list[NDArray[np.uint8]]:
    """What one decoder gives from the first packet to the last, rotation not applied."""
    with av.open(str(path)) as container:
        stream = container.streams.best("video")
        assert stream is not None
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(stream)]


@pytest.fixture(scope="session")
def decode_all() -> Callable[[Path], list[NDArray[np.uint8]]]:
    return sequential


def plan_of(info: VideoInfo, *indices: int) -> FramePlan:
    return FramePlan(info=info, indices=indices, rule=FrameRule(how="indices", indices=indices))


@pytest.fixture(scope="session")
def plan_for() -> Callable[..., FramePlan]:
    return plan_of
