"""The evaluation clips: frames named by painted numbers, real footage, and bad files."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from edgeval import pixels
from edgeval.errors import VideoError
from edgeval.media.decode import decode
from edgeval.media.probe import probe

READABLE = (
    "av1.mp4",
    "bframes.mkv",
    "bframes.mp4",
    "bframes.ts",
    "editlist.mp4",
    "frag.mp4",
    "h264_10bit.mp4",
    "hevc_opengop.mp4",
    "interlaced.mp4",
    "mpeg4.avi",
    "nocues.mkv",
    "odd444.mp4",
    "opengop.mp4",
    "raw.h264",
    "rot90.mp4",
    "vfr.mp4",
    "vp9.webm",
)
BAD = (
    "audio_only.m4a",
    "corrupt.mp4",
    "html.mp4",
    "random.mp4",
    "trunc.mkv",
    "trunc_faststart.mp4",
    "trunc_moov_end.mp4",
    "zero.mp4",
)


def code_of(rgb: np.ndarray) -> int:
    """The number painted as 12 blocks along the top (video.md, section 6)."""
    scale = rgb.shape[1] / 320
    rows = slice(int(4 * scale), int(28 * scale))
    return sum(
        1 << bit
        for bit in range(12)
        if rgb[rows, int((bit * 24 + 6) * scale) : int((bit * 24 + 18) * scale)].mean() > 125
    )


@pytest.fixture(scope="module")
def coded(shared: Path) -> Path:
    return shared / "videos" / "coded"


@pytest.mark.parametrize("name", READABLE)
def test_frames_carry_the_numbers_of_a_full_decode(name, coded, decode_all, plan_for):
    info = probe(coded / name)
    turns = info.rotation_deg // 90
    truth = [code_of(rgb) for rgb in decode_all(coded / name)]
    n = len(truth)
    assert info.n_frames == n
    rng = np.random.default_rng(n)
    plans = [tuple(range(n)), tuple(range(n))[::-1]]
    plans += [tuple(rng.integers(0, n, int(rng.integers(1, 9))).tolist()) for _ in range(4)]
    for indices in plans:
        frames = decode(
            plan_for(info, *indices),
            shrink=lambda picture: np.array(code_of(np.rot90(pixels.to_rgb(picture), turns))),
        )
        assert [int(code) for code in frames.pixels] == [truth[i] for i in indices]


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_one_sentence(name, coded, plan_for):
    def read() -> None:
        info = probe(coded / name)
        decode(plan_for(info, *range(info.n_frames)), shrink=pixels.to_rgb)

    with pytest.raises(VideoError) as caught:
        read()
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["corrupt.mp4", "trunc.mkv", "trunc_faststart.mp4"])
def test_salvage_says_what_was_lost(name, coded, plan_for):
    info = probe(coded / name, salvage=True)
    plan = plan_for(info, *range(0, info.n_frames, 20))
    frames = decode(plan, shrink=pixels.to_rgb, salvage=True)
    assert len(frames.pixels) == len(plan.indices)
    assert frames.damage


def test_two_hundred_random_plans_over_real_videos_are_bit_equal(shared: Path, plan_for):
    """One sequential decode with PyAV's rgb24 serves ten plans of a file."""
    files = sorted((shared / "videos" / "real").iterdir())
    rng = np.random.default_rng(200)
    checked = 0
    for path in files:
        info = probe(path)
        plans = [rng.integers(0, info.n_frames, 4).tolist() for _ in range(10)]
        wanted = {i for plan in plans for i in plan}
        truth = {}
        with av.open(str(path)) as container:
            stream = container.streams.best("video")
            stream.thread_type = "AUTO"
            for i, frame in enumerate(container.decode(stream)):
                if i in wanted:
                    truth[i] = frame.to_ndarray(format="rgb24")
            assert i + 1 == info.n_frames, path.name
        for plan in plans:
            frames = decode(plan_for(info, *plan), shrink=pixels.to_rgb)
            for want, got in zip(plan, frames.pixels, strict=True):
                upright = np.rot90(truth[want], -info.rotation_deg // 90)
                np.testing.assert_array_equal(got, upright, err_msg=f"{path.name} frame {want}")
            checked += 1
    assert checked >= 200
