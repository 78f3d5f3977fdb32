"""The rate of packets, where it is the header's and where not."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from edgeval.errors import VideoError
from edgeval.media.probe import probe
from edgeval.media.rate import packet_rate


def film(path: Path, times: list[int], *, hertz: int = 600) -> Path:
    """A film whose pictures are shown at ``times``, in units of 1 / ``hertz`` s."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=30)
        stream.width, stream.height, stream.pix_fmt = 32, 32, "yuv420p"
        stream.codec_context.time_base = Fraction(1, hertz)
        for time in times:
            frame = av.VideoFrame.from_ndarray(np.full((32, 32, 3), time % 255, np.uint8), "rgb24")
            frame.pts, frame.time_base = time, Fraction(1, hertz)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def test_an_even_film_has_the_rate_of_its_header(tmp_path):
    even = film(tmp_path / "even.mp4", [20 * i for i in range(30)])
    assert packet_rate(even) == pytest.approx(probe(even).fps, rel=0, abs=0)


def test_every_packet_counts_with_the_time_that_it_lasts(tmp_path):
    uneven = film(tmp_path / "uneven.mp4", [0, 20, 40, 340, 360])
    rate = packet_rate(uneven)
    with av.open(str(uneven)) as container:
        stream = container.streams.video[0]
        read = [p for p in container.demux(stream) if p.size]
        lasts = max(p.pts + p.duration for p in read) - min(p.pts for p in read)
        assert rate == pytest.approx(len(read) / float(lasts * stream.time_base), rel=1e-12)


def test_what_is_no_film_is_refused(tmp_path):
    text = tmp_path / "text.mp4"
    text.write_text("no film")
    with pytest.raises(VideoError):
        packet_rate(text)


def test_b_pictures_of_an_mp4_last_what_torchcodec_takes_them_to(shared):
    # torchcodec 0.13 on FFmpeg 5.1; the header says 20.4719, FFmpeg 8's packets 20.4992.
    assert packet_rate(shared / "videos/coded/vfr.mp4") == 20.554984583761563
