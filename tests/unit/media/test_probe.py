"""What probe says of sound, odd and broken files."""

from __future__ import annotations

import struct
import time
from pathlib import Path

import av
import numpy as np
import pytest

from edgeval import pixels
from edgeval.errors import VideoError
from edgeval.media.decode import decode
from edgeval.media.probe import probe


def patched(path: Path, folder: Path, change) -> Path:
    body = bytearray(path.read_bytes())
    change(body)
    out = folder / path.name
    out.write_bytes(body)
    return out


def at(body: bytearray, kind: bytes) -> int:
    """Where the payload of the first box of this kind starts."""
    return body.index(kind) + 4


@pytest.mark.parametrize("mux", [{}, {"use_editlist": "0"}, {"movflags": "faststart"}])
def test_moov_tables_and_a_demux_pass_agree(mux, make_clip, monkeypatch):
    path = make_clip(f"agree{len(str(mux))}.mp4", b_frames=3, mux=mux)
    by_moov = probe(path)
    monkeypatch.setattr("edgeval.media.probe.from_moov", lambda *_, **__: None)
    by_demux = probe(path)
    np.testing.assert_array_equal(by_moov.pts_s, by_demux.pts_s)
    for field in ("pts", "dts", "key", "order"):
        got, want = getattr(by_moov.index, field), getattr(by_demux.index, field)
        np.testing.assert_array_equal(got, want, err_msg=field)


def test_mp4_is_not_demuxed(make_clip, monkeypatch):
    def refuse(*_):
        raise AssertionError("demuxed")

    monkeypatch.setattr("edgeval.media.probe.from_demux", refuse)
    assert probe(make_clip("a.mp4", b_frames=3)).n_frames == 50


@pytest.mark.parametrize(
    ("what", "duration", "media_time"),
    [("start", None, 6700), ("end", 800, None), ("both", 600, 6700), ("deep", None, 512 * 30)],
)
def test_frames_hidden_by_an_edit_list_do_not_count(
    what, duration, media_time, make_clip, decode_all, plan_for, tmp_path: Path
):
    def change(body):
        entry = at(body, b"elst") + 8
        if duration is not None:
            struct.pack_into(">I", body, entry, duration)
        if media_time is not None:
            struct.pack_into(">i", body, entry + 4, media_time)

    path = patched(make_clip("a.mp4", b_frames=3), tmp_path, change)
    truth = decode_all(path)
    assert 0 < len(truth) < 50
    info = probe(path)
    assert info.n_frames == len(truth)
    frames = decode(plan_for(info, *range(len(truth))), shrink=pixels.to_rgb)
    assert all(np.array_equal(a, b) for a, b in zip(frames.pixels, truth, strict=True))


@pytest.mark.parametrize(("name", "codec"), [("a.mp4", "libx264"), ("m4.mp4", "mpeg4")])
def test_a_file_that_marks_no_keyframe_is_still_decoded_right(
    name, codec, make_clip, decode_all, plan_for, tmp_path: Path
):
    def change(body):
        body[at(body, b"stss") - 4 : at(body, b"stss")] = b"free"

    path = patched(make_clip(name, codec, b_frames=2), tmp_path, change)
    truth = decode_all(path)
    frames = decode(plan_for(probe(path), 31, 8, 40), shrink=pixels.to_rgb)
    assert all(np.array_equal(frames.pixels[k], truth[i]) for k, i in enumerate((31, 8, 40)))


@pytest.mark.parametrize("each", [0, 1])
def test_absurd_sample_counts_are_refused_at_once(each, make_clip, tmp_path: Path):
    def change(body):
        struct.pack_into(">II", body, at(body, b"stsz") + 4, each, 1_000_000_000)
        struct.pack_into(">II", body, at(body, b"stts") + 8, 1_000_000_000, 1)

    path = patched(make_clip("a.mp4", b_frames=3), tmp_path, change)
    started = time.process_time()
    for salvage in (False, True):
        with pytest.raises(VideoError, match="claims 1000000000 samples"):
            probe(path, salvage=salvage)
    assert time.process_time() - started < 1.0


def test_a_transport_stream_cut_in_the_middle_starts_at_its_first_picture(
    make_clip, decode_all, plan_for, tmp_path: Path
):
    body = make_clip("a.ts", b_frames=3).read_bytes()
    path = tmp_path / "tail.ts"
    path.write_bytes(body[len(body) // 188 * 2 // 5 * 188 :])
    truth = decode_all(path)
    info = probe(path)
    assert info.n_frames == len(truth)
    frames = decode(plan_for(info, 0, len(truth) - 1), shrink=pixels.to_rgb)
    assert np.array_equal(frames.pixels[0], truth[0])
    assert np.array_equal(frames.pixels[1], truth[-1])


def test_two_recordings_spliced_are_counted_not_timed(
    make_clip, decode_all, plan_for, tmp_path: Path
):
    body = make_clip("a.ts", b_frames=3).read_bytes()
    path = tmp_path / "twice.ts"
    path.write_bytes(body + body)
    truth = decode_all(path)
    info = probe(path)
    assert info.n_frames == len(truth) == 100
    assert (np.diff(info.pts_s) > 0).all()
    frames = decode(plan_for(info, 77, 20), shrink=pixels.to_rgb)
    assert np.array_equal(frames.pixels[0], truth[77])
    assert np.array_equal(frames.pixels[1], truth[20])


def with_cover(path: Path, *, film: bool) -> Path:
    """An mp4 whose first video stream is a cover picture larger than the film."""
    with av.open(str(path), "w", format="mp4") as container:
        cover = container.add_stream("mjpeg", rate=25)
        cover.width, cover.height, cover.pix_fmt = 320, 320, "yuvj420p"
        cover.disposition = av.stream.Disposition.attached_pic
        stream = container.add_stream("libx264" if film else "aac", rate=25 if film else 44100)
        if film:
            stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        still = av.VideoFrame(320, 320, "yuvj420p")
        for packet in [*cover.encode(still), *cover.encode(None)]:
            container.mux(packet)
        if film:
            for _ in range(5):
                for packet in stream.encode(av.VideoFrame(64, 48, "yuv420p")):
                    container.mux(packet)
        else:
            sound = av.AudioFrame.from_ndarray(np.zeros((1, 4096), np.int16), layout="mono")
            sound.sample_rate = 44100
            for packet in stream.encode(sound):
                container.mux(packet)
        for packet in stream.encode(None):
            container.mux(packet)
    return path


def test_a_cover_picture_is_not_the_film(tmp_path: Path):
    info = probe(with_cover(tmp_path / "cover.mp4", film=True))
    assert (info.width, info.n_frames) == (64, 5)


def test_a_song_with_a_cover_has_no_video(tmp_path: Path):
    with pytest.raises(VideoError, match="no video stream"):
        probe(with_cover(tmp_path / "song.m4a", film=False))


def test_noise_is_no_video(tmp_path: Path):
    path = tmp_path / "noise.mp4"
    path.write_bytes(np.random.default_rng(0).bytes(20_000))
    with pytest.raises(VideoError, match="no video format is recognised"):
        probe(path)


def test_a_playlist_opens_no_other_file(make_clip, tmp_path: Path):
    clip = make_clip("a.ts", b_frames=3)
    (tmp_path / "a.ts").write_bytes(clip.read_bytes())
    path = tmp_path / "list.m3u8"
    path.write_text("#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\na.ts\n#EXT-X-ENDLIST\n")
    with pytest.raises(VideoError, match="list"):
        probe(path)


def test_a_name_like_an_address_is_a_file(make_clip, tmp_path: Path):
    path = tmp_path / "http:a.mp4"
    path.write_bytes(make_clip("a.mp4", b_frames=3).read_bytes())
    assert probe(path).n_frames == 50


@pytest.mark.parametrize("share", [0.5, 0.9])
def test_a_cut_mp4_is_told_by_its_tables_and_salvaged(
    share, make_clip, decode_all, plan_for, tmp_path: Path
):
    whole = make_clip("fast.mp4", b_frames=3, mux={"movflags": "faststart"})
    body = whole.read_bytes()
    path = tmp_path / "cut.mp4"
    path.write_bytes(body[: int(len(body) * share)])
    with pytest.raises(VideoError, match="of 50 frames lie beyond the end"):
        probe(path)
    info = probe(path, salvage=True)
    assert 0 < info.n_frames < 50
    frames = decode(plan_for(info, 0, 5), shrink=pixels.to_rgb, salvage=True)
    assert np.array_equal(frames.pixels[1], decode_all(whole)[5])
    assert any("beyond the end" in line for line in frames.damage)


def test_a_cut_mkv_is_salvaged_up_to_the_cut(make_clip, decode_all, plan_for, tmp_path: Path):
    whole = make_clip("a.mkv", b_frames=3)
    body = whole.read_bytes()
    path = tmp_path / "cut.mkv"
    path.write_bytes(body[: len(body) // 2])
    with pytest.raises(VideoError, match="cut short"):
        probe(path)
    info = probe(path, salvage=True)
    assert 0 < info.n_frames < 50
    frames = decode(plan_for(info, 9), shrink=pixels.to_rgb, salvage=True)
    assert np.array_equal(frames.pixels[0], decode_all(whole)[9])


def test_a_title_that_is_no_utf8_is_no_reason_to_refuse(make_clip, tmp_path: Path):
    def change(body):
        place = body.index(b"Lavf")
        body[place : place + 4] = b"\xff\xfe\xc3\x28"

    assert probe(patched(make_clip("a.mkv", b_frames=3), tmp_path, change)).n_frames == 50
