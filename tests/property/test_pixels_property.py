"""Any size, depth, site, field order, matrix and range: the pixels swscale gives."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edgeval import pixels
from edgeval.media.picture import picture

SITES = ("unspecified", "left", "center", "topleft", "top", "bottomleft", "bottom")


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(
    pix_fmt=st.sampled_from(["yuv420p", "yuv422p", "yuv420p10le", "yuv422p10le", "yuv444p10le"]),
    width=st.integers(1, 300),
    height=st.integers(2, 60),
    site=st.sampled_from(SITES),
    mode=st.sampled_from(["prog", "tff", "bff"]),
    colour=st.sampled_from([(5, 1), (5, 2), (1, 1), (1, 2), (9, 1), (9, 2)]),
    seed=st.integers(0, 1 << 16),
)
def test_pictures_are_swscales(pix_fmt, width, height, site, mode, colour, seed):
    rng = np.random.default_rng(seed)
    frame = av.VideoFrame(width, height, pix_fmt)
    for plane in frame.planes:
        deep = pix_fmt.endswith("10le")
        count = plane.buffer_size // (2 if deep else 1)
        samples = rng.integers(0, 1024 if deep else 256, count)
        plane.update(samples.astype("<u2" if deep else "u1").tobytes())
    frame.pts, frame.time_base = 0, Fraction(1, 25)
    graph = av.filter.Graph()
    ends = (
        graph.add_buffer(
            width=width, height=height, format=frame.format, time_base=Fraction(1, 25)
        ),
        graph.add("setparams", f"chroma_location={site}:field_mode={mode}"),
        graph.add("buffersink"),
    )
    ends[0].link_to(ends[1])
    ends[1].link_to(ends[2])
    graph.configure()
    graph.push(frame)
    frame = graph.pull()
    frame.colorspace, frame.color_range = colour
    full, fields = colour[1] == 2, mode != "prog"
    lent = picture(frame, rotation_deg=0)
    claimed = pixels.takes(pix_fmt, width, height, "bt709", full, interlaced=fields)
    assert (lent.planes is not None) == claimed
    if claimed:
        want = frame.to_ndarray(format="rgb24")
        np.testing.assert_array_equal(pixels.to_rgb(lent), want)
