"""Sound of videos: rate, length and pitch are right; silence, absence and damage are told apart."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import av
import numpy as np
import pytest

from edgeval.errors import VideoError
from edgeval.media.audio import RATE_HZ, sound

TONE_HZ = 440


def write_tone(path: Path, *, codec: str, rate: int, layout: str, seconds: float = 2.0) -> Path:
    """A tone of TONE_HZ at half the full scale, in every channel alike."""
    n_channels = {"mono": 1, "stereo": 2}[layout]
    wave = 0.5 * np.sin(2 * np.pi * TONE_HZ * np.arange(int(rate * seconds)) / rate)
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate, layout=layout)
        for start in range(0, len(wave), 1024):
            part = np.repeat(wave[None, start : start + 1024], n_channels, axis=0)
            frame = av.AudioFrame.from_ndarray(part.astype(np.float32), "fltp", layout)
            frame.sample_rate, frame.pts, frame.time_base = rate, start, Fraction(1, rate)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def pitch_hz(samples: np.ndarray) -> float:
    power = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(np.fft.rfftfreq(len(samples), 1 / RATE_HZ)[power.argmax()])


@pytest.mark.parametrize(
    ("name", "codec", "rate", "layout"),
    [
        ("a.mp4", "aac", 44_100, "stereo"),
        ("b.mkv", "pcm_f32le", 16_000, "mono"),
        ("c.mkv", "libopus", 48_000, "stereo"),
    ],
)
def test_a_tone_keeps_its_pitch_length_and_loudness(
    tmp_path: Path, name: str, codec: str, rate: int, layout: str
) -> None:
    path = tmp_path / name
    if codec == "pcm_f32le":
        write_pcm(path, rate)
    else:
        write_tone(path, codec=codec, rate=rate, layout=layout)
    samples = sound(path)
    assert samples is not None
    assert samples.dtype == np.float32
    assert len(samples) / RATE_HZ == pytest.approx(2.0, abs=0.1)
    assert pitch_hz(samples) == pytest.approx(TONE_HZ, abs=1)
    assert float(np.sqrt(np.mean(samples[1000:-2000] ** 2))) == pytest.approx(0.354, abs=0.02)


def write_pcm(path: Path, rate: int) -> None:
    wave = 0.5 * np.sin(2 * np.pi * TONE_HZ * np.arange(2 * rate) / rate)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_f32le", rate=rate, layout="mono")
        frame = av.AudioFrame.from_ndarray(wave[None].astype(np.float32), "flt", "mono")
        frame.sample_rate, frame.pts, frame.time_base = rate, 0, Fraction(1, rate)
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def test_a_video_without_sound_has_none(make_clip: Callable[..., Path]) -> None:
    assert sound(make_clip("mute.mp4", n=5)) is None


def test_a_file_that_is_no_video_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "v.mp4"
    path.write_bytes(b"no film at all" * 100)
    with pytest.raises(VideoError, match="no video format is recognised"):
        sound(path)


def test_sound_of_which_nothing_decodes_is_one_sentence(tmp_path: Path) -> None:
    path = write_tone(tmp_path / "v.mp4", codec="aac", rate=16_000, layout="mono")
    held = path.read_bytes()
    start, end = held.index(b"mdat") + 4, held.index(b"moov") - 4
    path.write_bytes(held[:start] + b"\xff" * (end - start) + held[end:])
    with pytest.raises(VideoError, match="nothing of its audio can be decoded"):
        sound(path)


def test_real_films_sound_as_another_reader_hears_them(
    shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    audio = pytest.importorskip("faster_whisper.audio")

    def opened(source: str, mode: str, metadata_errors: str) -> object:
        """PyAV 19 dropped the last argument, which faster-whisper 1.2 gives it still."""
        return av.open(source, mode=mode)

    monkeypatch.setattr(audio, "av", SimpleNamespace(**{**vars(av), "open": opened}))
    for name in ("llavanext_jobs.mp4", "decord_flipping_a_pancake.mkv"):
        path = shared / "videos" / "real" / name
        ours, theirs = sound(path), audio.decode_audio(str(path), sampling_rate=RATE_HZ)
        assert ours is not None
        assert len(ours) == len(theirs)
        np.testing.assert_array_equal(ours, theirs)
