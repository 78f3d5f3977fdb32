"""Listening: each video once, kept by what was heard and how; silence; damage."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import av
import numpy as np
import pytest

from edgeval.analyses.transcripts import gather, source_of
from edgeval.analyses.transcripts.heard import Ears
from edgeval.errors import DataError
from edgeval.media.encode import encode
from edgeval.types import Clip


class Scripted:
    """Says how long it listened, and counts."""

    def __init__(self, digest: str = "0" * 64) -> None:
        self.digest = digest
        self.n_heard = 0

    def method(self) -> Mapping[str, object]:
        return {"speech_model_sha256": self.digest}

    def hear(self, samples: np.ndarray) -> str:
        self.n_heard += 1
        assert samples.dtype == np.float32
        return f" {len(samples) / 16_000:.0f} seconds " if samples.any() else ""


def write_sound(path: Path, seconds: int, *, loud: float = 0.3) -> Path:
    wave = loud * np.sin(np.arange(16_000 * seconds) / 6)
    with av.open(str(path), "w", format="matroska") as container:
        stream = container.add_stream("pcm_f32le", rate=16_000, layout="mono")
        frame = av.AudioFrame.from_ndarray(wave[None].astype(np.float32), "flt", "mono")
        frame.sample_rate = 16_000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def clip(video: Path | None, name: str = "") -> Clip:
    return Clip(
        id=name or (video.stem if video else "none"), setting="video", video=video, questions=()
    )


@pytest.fixture
def listen(tmp_path: Path) -> Callable[..., dict[str, str]]:
    """Texts of clips, heard by a scripted model with a cache of this test."""

    def run(
        scripted: Scripted, *clips: Clip, tell: object = None, **fields: object
    ) -> dict[str, str]:
        told: list[str] = tell if isinstance(tell, list) else []
        ears = Ears(
            cache=tmp_path / "cache", open=lambda _folder: scripted, tell=told.append, **fields
        )
        return dict(gather(source_of("auto", None, ears), clips).texts)

    return run


def test_each_video_is_heard_once_and_kept(tmp_path: Path, listen: Callable[..., dict]) -> None:
    one, two = write_sound(tmp_path / "one.mkv", 1), write_sound(tmp_path / "two.mkv", 2)
    scripted = Scripted()
    wanted = {"a": "1 seconds", "b": "2 seconds", "c": "1 seconds"}
    asked = (clip(one, "a"), clip(two, "b"), clip(one, "c"))
    assert listen(scripted, *asked) == wanted
    assert scripted.n_heard == 2
    assert listen(scripted, *asked) == wanted
    assert scripted.n_heard == 2


def test_the_same_film_under_another_name_is_known(
    tmp_path: Path, listen: Callable[..., dict]
) -> None:
    scripted = Scripted()
    video = write_sound(tmp_path / "one.mkv", 1)
    listen(scripted, clip(video))
    video.rename(tmp_path / "again.mkv")
    assert listen(scripted, clip(tmp_path / "again.mkv")) == {"again": "1 seconds"}
    assert scripted.n_heard == 1


@pytest.mark.parametrize("change", ["film", "model"])
def test_another_film_or_model_is_heard_anew(
    tmp_path: Path, listen: Callable[..., dict], change: str
) -> None:
    video = write_sound(tmp_path / "one.mkv", 1)
    listen(Scripted(), clip(video))
    if change == "film":
        write_sound(video, 2)
    later = Scripted("1" * 64 if change == "model" else "0" * 64)
    listen(later, clip(video))
    assert later.n_heard == 1


def test_a_film_without_sound_or_speech_has_no_transcript(
    tmp_path: Path, listen: Callable[..., dict]
) -> None:
    mute = tmp_path / "mute.mp4"
    encode(mute, (np.zeros((32, 32, 3), np.uint8) for _ in range(4)), fps=4, crf=30)
    still = write_sound(tmp_path / "still.mkv", 1, loud=0.0)
    scripted = Scripted()
    assert listen(scripted, clip(mute), clip(still), clip(None)) == {}
    assert scripted.n_heard == 1


@pytest.mark.parametrize("damage", ["", "{", '{"text": "other"}'])
def test_what_is_not_whole_in_the_cache_is_heard_again(
    tmp_path: Path, listen: Callable[..., dict], damage: str
) -> None:
    video = write_sound(tmp_path / "one.mkv", 1)
    scripted = Scripted()
    listen(scripted, clip(video))
    (kept,) = (tmp_path / "cache" / "transcripts").iterdir()
    whole = kept.read_text()
    kept.write_text(damage)
    assert listen(scripted, clip(video)) == {"one": "1 seconds"}
    assert scripted.n_heard == 2
    assert kept.read_text() == whole
    assert json.loads(whole)["text"] == "1 seconds"


def test_a_cache_that_cannot_be_written_is_told_and_no_end(
    tmp_path: Path, listen: Callable[..., dict]
) -> None:
    (tmp_path / "cache").write_text("a file where a folder should be")
    told: list[str] = []
    assert listen(Scripted(), clip(write_sound(tmp_path / "one.mkv", 1)), tell=told) == {
        "one": "1 seconds"
    }
    assert any("cannot keep transcripts" in line for line in told)


def test_a_film_that_cannot_be_heard_ends_it_unless_told_to_go_on(
    tmp_path: Path, listen: Callable[..., dict]
) -> None:
    wrong = tmp_path / "wrong.mkv"
    wrong.write_bytes(b"no film" * 99)
    whole = write_sound(tmp_path / "one.mkv", 1)
    with pytest.raises(DataError, match=r"wrong\.mkv"):
        listen(Scripted(), clip(wrong), clip(whole))
    told: list[str] = []
    found = listen(Scripted(), clip(wrong), clip(whole), tell=told, keep_going=True)
    assert found == {"one": "1 seconds"}
    assert any(line.startswith("no transcript: ") for line in told)
