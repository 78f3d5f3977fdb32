"""Frames lent as planes: the same pixels as swscale's, wherever their chroma lies."""

from __future__ import annotations

import itertools
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from edgeval import pixels
from edgeval.media import picture as media_picture
from edgeval.media.picture import picture

COLORSPACE = {"bt601": 5, "bt709": 1, "bt2020": 9}
SITES = ("unspecified", "left", "center", "topleft", "top", "bottomleft", "bottom")
FORMATS = ("yuv420p", "yuv422p", "yuv420p10le", "yuv422p10le", "yuv444p10le")
SIZES = (
    *((2, 2), (8, 4), (5, 8), (16, 16), (18, 20), (66, 50), (64, 49), (65, 48), (67, 51)),
    *((62, 44), (1001, 7), (7, 301), (1922, 12)),
)


def noise_of(plane: av.video.plane.VideoPlane, *, deep: bool, seed: int) -> bytes:
    """Samples of the format; half of them the smallest and the largest, which reach the clamps."""
    rng = np.random.default_rng([seed, plane.width, plane.height])
    top = 1023 if deep else 255
    size = plane.buffer_size // (2 if deep else 1)
    some = rng.integers(0, top + 1, size)
    ends = np.where(some > top // 2, top, 0)
    return np.where(rng.random(size) < 0.5, some, ends).astype("<u2" if deep else "u1").tobytes()


def tagged(
    pix_fmt: str,
    size: tuple[int, int],
    *,
    site: str = "unspecified",
    matrix: str = "bt709",
    full: bool = False,
    interlaced: bool = False,
    seed: int = 0,
) -> av.VideoFrame:
    """Noise with properties that PyAV cannot set: a filter does."""
    width, height = size
    frame = av.VideoFrame(width, height, pix_fmt)
    for number, plane in enumerate(frame.planes):
        plane.update(noise_of(plane, deep=pix_fmt.endswith("10le"), seed=8 * seed + number))
    frame.pts, frame.time_base = 0, Fraction(1, 25)
    graph = av.filter.Graph()
    source = graph.add_buffer(
        width=width, height=height, format=frame.format, time_base=Fraction(1, 25)
    )
    mode = "tff" if interlaced else "prog"
    change = graph.add("setparams", f"chroma_location={site}:field_mode={mode}")
    sink = graph.add("buffersink")
    source.link_to(change)
    change.link_to(sink)
    graph.configure()
    graph.push(frame)
    out = graph.pull()
    assert isinstance(out, av.VideoFrame)
    assert out.interlaced_frame == interlaced
    out.colorspace = COLORSPACE[matrix]
    out.color_range = 2 if full else 1
    return out


def test_every_site_size_and_colour_gives_swscales_pixels():
    chosen = itertools.cycle(itertools.product(COLORSPACE, (False, True)))
    for pix_fmt, size, site in itertools.product(FORMATS, SIZES, SITES):
        matrix, full = next(chosen)
        frame = tagged(pix_fmt, size, site=site, matrix=matrix, full=full)
        want = frame.to_ndarray(format="rgb24")
        lent = picture(frame, rotation_deg=0)
        assert lent.planes is not None
        for kernel in pixels.kernel_paths():
            np.testing.assert_array_equal(
                pixels.to_rgb(lent, kernel=kernel), want, f"{pix_fmt} {size} {site} {kernel}"
            )


@pytest.mark.parametrize("pix_fmt", FORMATS)
@pytest.mark.parametrize("site", SITES)
def test_fields_give_swscales_pixels(pix_fmt, site):
    taken = 0
    for size, full in itertools.product(SIZES, (False, True)):
        if not pixels.takes(pix_fmt, *size, "bt709", full, interlaced=True):
            continue
        frame = tagged(pix_fmt, size, site=site, full=full, interlaced=True)
        want = frame.to_ndarray(format="rgb24")
        lent = picture(frame, rotation_deg=0)
        assert lent.planes is not None
        for kernel in pixels.kernel_paths():
            np.testing.assert_array_equal(pixels.to_rgb(lent, kernel=kernel), want, f"{size}")
        taken += 1
    assert taken >= 10


@pytest.mark.parametrize("site", SITES[1:])
def test_the_site_is_found(site):
    assert picture(tagged("yuv420p10le", (64, 48), site=site), rotation_deg=0).site == site


def test_a_frame_as_small_as_the_trial_is_not_overwritten():
    frame = tagged("yuv420p10le", (16, 16), site="left")
    before = frame.to_ndarray(format="rgb24")
    lent = picture(frame, rotation_deg=0)
    np.testing.assert_array_equal(frame.to_ndarray(format="rgb24"), before)
    np.testing.assert_array_equal(pixels.to_rgb(lent), before)


def test_where_no_site_fits_swscale_makes_the_picture(monkeypatch):
    frame = tagged("yuv420p10le", (64, 48), site="topleft")
    monkeypatch.setattr(media_picture, "_SITES", ("left",))
    lent = picture(frame, rotation_deg=0)
    assert lent.planes is None
    np.testing.assert_array_equal(lent.rgb, frame.to_ndarray(format="rgb24"))


def test_fields_that_lack_chroma_are_swscales():
    assert picture(tagged("yuv420p", (64, 50), interlaced=True), rotation_deg=0).planes is None


def test_every_deep_and_interlaced_coded_frame_goes_through_the_kernels(shared: Path):
    for name in ("h264_10bit.mp4", "interlaced.mp4"):
        with av.open(str(shared / "videos" / "coded" / name)) as container:
            for frame in itertools.islice(container.decode(video=0), 0, None, 7):
                want = frame.to_ndarray(format="rgb24")
                lent = picture(frame, rotation_deg=0)
                assert lent.planes is not None, name
                np.testing.assert_array_equal(pixels.to_rgb(lent), want, name)
