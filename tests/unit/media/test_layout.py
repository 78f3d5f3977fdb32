"""What the outermost headers say: kind, length, and files that are no video at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgeval.errors import VideoError
from edgeval.media.layout import read_layout


def cut(path: Path, folder: Path, *, share: float) -> Path:
    short = folder / path.name
    body = path.read_bytes()
    short.write_bytes(body[: int(len(body) * share)])
    return short


@pytest.mark.parametrize(
    ("name", "body", "said"),
    [
        ("zero.mp4", b"", r"is empty \(0 bytes\)"),
        ("page.mp4", b"\n<!doctype html>", "is text"),
        ("nomoov.mp4", b"\0\0\0\x10ftypisom\0\0\0\0" + b"\0\0\0\x10mdat12345678", "is missing"),
        ("cutmoov.mp4", b"\0\0\0\x10ftypisom\0\0\0\0" + b"\0\0\x10\0moov123456", "is cut off"),
    ],
)
def test_what_is_no_video_is_said_in_one_sentence(name, body, said, tmp_path: Path):
    (tmp_path / name).write_bytes(body)
    with pytest.raises(VideoError, match=said):
        read_layout(tmp_path / name)


def test_a_missing_file_is_said(tmp_path: Path):
    with pytest.raises(VideoError, match="no such file"):
        read_layout(tmp_path / "none.mp4")


def test_a_folder_is_said(tmp_path: Path):
    with pytest.raises(VideoError, match="not a file"):
        read_layout(tmp_path)


@pytest.mark.parametrize(
    ("name", "codec", "kind"),
    [
        ("a.mp4", "libx264", "mp4"),
        ("a.mkv", "libx264", "matroska"),
        ("4.avi", "mpeg4", "riff"),
        ("a.ts", "libx264", "other"),
    ],
)
def test_a_whole_file_is_not_called_cut(name, codec, kind, make_clip):
    layout = read_layout(make_clip(name, codec, b_frames=3 if codec == "libx264" else 2))
    assert (layout.kind, layout.cut) == (kind, "")


@pytest.mark.parametrize(
    ("name", "codec", "mux"),
    [
        ("a.mkv", "libx264", {}),
        ("live.mkv", "libx264", {"live": "1"}),
        ("4.avi", "mpeg4", {}),
        ("frag.mp4", "libx264", {"movflags": "frag_keyframe+empty_moov"}),
    ],
)
@pytest.mark.parametrize("share", [0.4, 0.7, 0.95])
def test_a_cut_file_is_known_by_its_headers(name, codec, mux, share, make_clip, tmp_path: Path):
    clip = make_clip(name, codec, b_frames=2, mux=mux)
    layout = read_layout(cut(clip, tmp_path, share=share))
    assert layout.end > layout.size
    assert "its headers promise" in layout.cut


def test_a_live_recording_of_unknown_size_is_whole(make_clip):
    assert read_layout(make_clip("live.mkv", b_frames=2, mux={"live": "1"})).cut == ""
