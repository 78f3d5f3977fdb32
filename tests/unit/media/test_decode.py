"""Frames of a plan against a plain decode of the whole file, over codecs and containers."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from edgeval import pixels
from edgeval.errors import ArgumentError, VideoError
from edgeval.media.decode import decode, visit
from edgeval.media.probe import probe
from edgeval.types import Picture

QUIET = {"preset": "ultrafast", "x265-params": "log-level=none:pools=1"}
VP9 = {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "12", "auto-alt-ref": "1"}
CASES = {
    "mp4": ("a.mp4", "libx264", {"b_frames": 3}),
    "one frame": ("one.mp4", "libx264", {"n": 1}),
    "long gop": ("long.mp4", "libx264", {"b_frames": 3, "gop": 999}),
    "all intra": ("intra.mp4", "libx264", {"gop": 1}),
    "delayed start": ("late.mp4", "libx264", {"b_frames": 3, "pts": lambda i: i + 40}),
    "irregular times": ("vfr.mp4", "libx264", {"b_frames": 3, "pts": lambda i: i + i // 7 * 5}),
    "no edit list": ("noedit.mp4", "libx264", {"b_frames": 3, "mux": {"use_editlist": "0"}}),
    "negative offsets": (
        "neg.mp4",
        "libx264",
        {"b_frames": 3, "mux": {"movflags": "negative_cts_offsets"}},
    ),
    "fragments": (
        "frag.mp4",
        "libx264",
        {"b_frames": 3, "mux": {"movflags": "frag_keyframe+empty_moov"}},
    ),
    "open gop": (
        "open.mp4",
        "libx264",
        {
            "b_frames": 3,
            "options": {"preset": "veryfast", "x264-params": "threads=1:open-gop=1:scenecut=0"},
        },
    ),
    "interlaced": (
        "tff.mp4",
        "libx264",
        {"options": {"preset": "veryfast", "x264-params": "threads=1:tff=1"}},
    ),
    "10 bit": ("ten.mp4", "libx264", {"pix_fmt": "yuv420p10le"}),
    "4:4:4 odd": ("odd.mp4", "libx264", {"pix_fmt": "yuv444p", "size": (47, 97)}),
    "grey": ("grey.mp4", "libx264", {"pix_fmt": "gray"}),
    "alpha": ("alpha.mkv", "ffv1", {"pix_fmt": "yuva420p"}),
    "mkv": ("a.mkv", "libx264", {"b_frames": 3}),
    "ts": ("a.ts", "libx264", {"b_frames": 3}),
    "flv": ("a.flv", "libx264", {"b_frames": 3}),
    "h264 avi": ("h.avi", "libx264", {"b_frames": 3}),
    "bare h264": ("a.h264", "libx264", {"b_frames": 3}),
    "hevc": ("h.mp4", "libx265", {"options": QUIET}),
    "hevc ts": ("h.ts", "libx265", {"options": QUIET}),
    "vp9": ("a.webm", "libvpx-vp9", {"options": VP9}),
    "vp8": ("8.webm", "libvpx", {"options": VP9}),
    "av1": ("av1.mp4", "libsvtav1", {"options": {"preset": "12"}, "size": (64, 96), "n": 30}),
    "mpeg4 avi": ("4.avi", "mpeg4", {"b_frames": 2}),
    "mpeg2 ps": ("2.mpg", "mpeg2video", {"b_frames": 2}),
    "mjpeg": ("j.avi", "mjpeg", {"pix_fmt": "yuvj420p"}),
    "gif": ("g.gif", "gif", {"pix_fmt": "rgb8"}),
    "apng": ("g.apng", "apng", {"pix_fmt": "rgba"}),
    "raw bgr": ("raw.avi", "rawvideo", {"pix_fmt": "bgr24"}),
}


@pytest.mark.parametrize("case", CASES)
def test_every_plan_gives_the_frames_of_a_full_decode(case, make_clip, decode_all, plan_for):
    name, codec, more = CASES[case]
    path = make_clip(name, codec, **more)
    truth = decode_all(path)
    info = probe(path)
    assert info.n_frames == len(truth)
    n = len(truth)
    rng = np.random.default_rng(len(case))
    plans = [range(n), range(n - 1, -1, -1), (n - 1,)]
    plans += [rng.integers(0, n, 4).tolist() for _ in range(5)]
    for indices in plans:
        frames = decode(plan_for(info, *indices), shrink=pixels.to_rgb)
        assert frames.damage == ()
        for i, got in zip(indices, frames.pixels, strict=True):
            np.testing.assert_array_equal(got, truth[i], err_msg=f"frame {i} of plan {indices}")


@pytest.mark.parametrize("rotation", [90, 180, 270])
def test_rotation_is_applied_as_players_do(rotation, make_clip, decode_all, plan_for):
    path = make_clip(f"rot{rotation}.mp4", rotation=rotation, n=3)
    info = probe(path)
    frames = decode(plan_for(info, 1), shrink=pixels.to_rgb)
    # FFmpeg's display rotation counts counter-clockwise, as numpy's rot90 does.
    want = np.rot90(decode_all(path)[1], rotation // 90)
    assert info.rotation_deg == -rotation % 360
    np.testing.assert_array_equal(frames.pixels[0], want)


def test_times_are_those_of_the_frames_given(make_clip, plan_for):
    info = probe(make_clip("a.mp4", b_frames=3))
    frames = decode(plan_for(info, 30, 2, 30), shrink=pixels.to_rgb)
    np.testing.assert_allclose(frames.pts_s, [30 / 25, 2 / 25, 30 / 25])


def test_digest_is_of_the_rgb_bytes(make_clip, decode_all, plan_for):
    path = make_clip("a.mp4", b_frames=3)
    frames = decode(plan_for(probe(path), 7), shrink=lambda _: np.zeros(1), digest=True)
    assert frames.digests == (hashlib.sha256(decode_all(path)[7].tobytes()).hexdigest(),)


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_the_number_of_workers_changes_nothing(workers, make_clip, decode_all, plan_for):
    path = make_clip("many.mp4", n=200, b_frames=2)
    frames = decode(plan_for(probe(path), *range(200)), shrink=pixels.to_rgb, workers=workers)
    truth = decode_all(path)
    assert all(np.array_equal(a, b) for a, b in zip(frames.pixels, truth, strict=True))


def test_what_shrink_raises_comes_out(make_clip, plan_for):
    def refuse(_: Picture) -> np.ndarray:
        raise ZeroDivisionError("mine")

    info = probe(make_clip("many.mp4", n=200, b_frames=2))
    with pytest.raises(ZeroDivisionError, match="mine"):
        decode(plan_for(info, *range(200)), shrink=refuse, workers=2)


def test_a_picture_is_seen_once_however_often_it_is_asked_for(make_clip, plan_for):
    seen: list[int] = []
    info = probe(make_clip("a.mp4", b_frames=3))
    visit(plan_for(info, 5, 5, 9, 5), lambda i, _picture, _at_s: seen.append(i))
    assert sorted(seen) == [5, 9]


def test_planes_are_lent_where_the_kernels_take_them(make_clip, plan_for):
    kinds: list[tuple[bool, bool]] = []

    def look(_: int, picture: Picture, __: float) -> None:
        kinds.append((picture.planes is not None, picture.rgb is not None))

    visit(plan_for(probe(make_clip("a.mp4", b_frames=3)), 0), look)
    visit(plan_for(probe(make_clip("ten.mp4", pix_fmt="yuv420p10le")), 0), look)
    twelve = make_clip("twelve.mkv", "ffv1", n=3, gop=1, pix_fmt="yuv420p12le")
    visit(plan_for(probe(twelve), 0), look)
    assert kinds == [(True, False), (True, False), (False, True)]


def test_a_frame_outside_the_video_is_refused(make_clip, plan_for):
    info = probe(make_clip("one.mp4", n=1))
    with pytest.raises(ArgumentError, match=r"wants 0 \.\. 0"):
        decode(plan_for(info, 1), shrink=pixels.to_rgb)


def test_a_file_gone_since_it_was_probed_is_a_video_error(make_clip, plan_for, tmp_path: Path):
    moved = tmp_path / "gone.mp4"
    moved.write_bytes(make_clip("a.mp4", b_frames=3).read_bytes())
    info = probe(moved)
    moved.unlink()
    with pytest.raises(VideoError, match=r"gone\.mp4"):
        decode(plan_for(info, 3), shrink=pixels.to_rgb)
