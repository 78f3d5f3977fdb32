"""10-bit, interlaced and odd-height pictures against their way before: swscale, then resize.

Both give the same float32 [3, h, w]; the old way is swscale's rgb24 on one thread and then our
resize and normalise. Ours counts finding out where chroma lies. Rounds alternate.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from fractions import Fraction

import av
import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from edgeval import pixels
from edgeval.media.picture import picture
from edgeval.types import Picture

NORM = ((0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711))
KINDS = {
    "10-bit 1080p": ("yuv420p10le", (1920, 1080), "prog"),
    "10-bit 720p": ("yuv420p10le", (1280, 720), "prog"),
    "10-bit 4:2:2 1080p": ("yuv422p10le", (1920, 1080), "prog"),
    "1080i": ("yuv420p", (1920, 1080), "tff"),
    "odd height, 640x361": ("yuv420p", (640, 361), "prog"),
}


def smooth(pix_fmt: str, size: tuple[int, int], mode: str) -> av.VideoFrame:
    """Waves in every plane, chroma at the left, as H.264 has it."""
    frame = av.VideoFrame(*size, pix_fmt)
    deep = pix_fmt.endswith("10le")
    for number, plane in enumerate(frame.planes):
        row = plane.line_size // (2 if deep else 1)
        y, x = np.mgrid[0 : plane.height, 0:row]
        wave = 0.5 + 0.45 * np.sin(x / (29 + number)) * np.cos(y / (17 + number))
        samples = (wave * (1023 if deep else 255)).astype("<u2" if deep else "u1").tobytes()
        plane.update(samples.ljust(plane.buffer_size, b"\0"))
    frame.pts, frame.time_base = 0, Fraction(1, 25)
    graph = av.filter.Graph()
    source = graph.add_buffer(
        width=size[0], height=size[1], format=frame.format, time_base=Fraction(1, 25)
    )
    change = graph.add("setparams", f"chroma_location=left:field_mode={mode}")
    sink = graph.add("buffersink")
    source.link_to(change)
    change.link_to(sink)
    graph.configure()
    graph.push(frame)
    out = graph.pull()
    assert isinstance(out, av.VideoFrame)
    return out


@pytest.mark.parametrize("kernel", [name for name in pixels.kernel_paths() if name != "scalar"])
@pytest.mark.parametrize("kind", KINDS)
def test_deep_path(
    at_least: Callable[[str, float, float], None],
    benchmark: BenchmarkFixture,
    kind: str,
    kernel: str,
) -> None:
    frame = smooth(*KINDS[kind])
    recipe = pixels.Recipe(sizes=((364, 644),), norm=NORM, kernel=kernel)

    def swscale() -> Picture:
        rgb = frame.to_ndarray(format="rgb24", threads=1)
        return Picture(planes=None, rgb=rgb)

    def planes() -> Picture:
        return picture(frame, rotation_deg=0)

    calls: dict[str, Callable[[], object]] = {
        "swscale": lambda: pixels.see(swscale(), recipe),
        "planes": lambda: pixels.see(planes(), recipe),
        "swscale, rgb": lambda: pixels.to_rgb(swscale(), kernel=kernel),
        "planes, rgb": lambda: pixels.to_rgb(planes(), kernel=kernel),
    }
    np.testing.assert_array_equal(calls["planes"](), calls["swscale"]())
    if not benchmark.enabled:
        benchmark(calls["planes"])
        return
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(30):
        for name, call in calls.items():
            start = time.perf_counter()
            call()
            times[name].append(time.perf_counter() - start)
    best = {name: min(taken) for name, taken in times.items()}
    benchmark.pedantic(calls["planes"], rounds=5, warmup_rounds=1)
    for what in ("", ", rgb"):
        ratio = best[f"swscale{what}"] / best[f"planes{what}"]
        benchmark.extra_info[f"swscale{what} / ours"] = ratio
        at_least(f"{kernel}, {kind}{what}: swscale / ours", ratio, 1.0)
