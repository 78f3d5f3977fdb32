"""The door to faster-whisper: what it refuses, and the real library on weights drawn at random.

Random weights say nonsense; that they are loaded, listen, and say the same twice is what is tested.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from edgeval.analyses.transcripts.whisper import SETTINGS, open_whisper
from edgeval.errors import EngineError, ManifestError
from edgeval.media.audio import sound

D, N_MELS, N_TIMES = 32, 80, 1501
SPECIAL = (
    "<|endoftext|>",
    "<|startoftranscript|>",
    "<|en|>",
    "<|translate|>",
    "<|transcribe|>",
    "<|startoflm|>",
    "<|startofprev|>",
    "<|nospeech|>",
    "<|notimestamps|>",
)


class Weights:
    """Layers of a CTranslate2 model filled at random."""

    def __init__(self) -> None:
        self._rng = np.random.default_rng(0)

    def drawn(self, *shape: int) -> np.ndarray:
        return (0.3 * self._rng.standard_normal(shape)).astype(np.float32)

    def norm(self, layer: object) -> None:
        layer.gamma, layer.beta = np.ones(D, np.float32), np.zeros(D, np.float32)

    def linear(self, layer: object, rows: int, columns: int) -> None:
        layer.weight, layer.bias = self.drawn(rows, columns), self.drawn(rows)

    def attention(self, layer: object, *rows: int) -> None:
        self.norm(layer.layer_norm)
        for linear, n in zip(layer.linear, rows, strict=True):
            self.linear(linear, n * D, D)

    def forward(self, layer: object) -> None:
        self.norm(layer.layer_norm)
        self.linear(layer.linear_0, 4 * D, D)
        self.linear(layer.linear_1, D, 4 * D)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A one-layer English Whisper with forty words."""
    specs = pytest.importorskip("ctranslate2").specs
    tokenizers = pytest.importorskip("tokenizers")
    words = (" ", *(f"w{i}" for i in range(40)), *"-'\"#()*+/:;<=>@[]^_`{|}~")
    vocabulary = [*words, *SPECIAL, *(f"<|{i * 0.02:.2f}|>" for i in range(N_TIMES))]
    weights, spec = Weights(), specs.WhisperSpec(1, 2, 1, 2)
    encoder, decoder = spec.encoder, spec.decoder
    encoder.conv1.weight, encoder.conv1.bias = weights.drawn(D, N_MELS, 3), weights.drawn(D)
    encoder.conv2.weight, encoder.conv2.bias = weights.drawn(D, D, 3), weights.drawn(D)
    encoder.position_encodings.encodings = weights.drawn(1500, D)
    decoder.position_encodings.encodings = weights.drawn(448, D)
    decoder.embeddings.weight = decoder.projection.weight = weights.drawn(len(vocabulary), D)
    for part in (encoder, decoder):
        weights.norm(part.layer_norm)
        weights.attention(part.layer[0].self_attention, 3, 1)
        weights.forward(part.layer[0].ffn)
    weights.attention(decoder.layer[0].attention, 1, 2, 1)
    spec.register_vocabulary(vocabulary)
    spec.config.suppress_ids = spec.config.suppress_ids_begin = []
    spec.config.lang_ids, spec.config.alignment_heads = [len(words) + 2], [[0, 0]]
    spec.validate()
    path = tmp_path_factory.mktemp("whisper")
    spec.save(str(path))
    ids = {token: i for i, token in enumerate(vocabulary)}
    tokenizer = tokenizers.Tokenizer(tokenizers.models.WordLevel(ids, unk_token=" "))
    tokenizer.add_special_tokens(vocabulary[len(words) :])
    tokenizer.save(str(path / "tokenizer.json"))
    return path


@pytest.fixture(scope="module")
def speech(shared: Path) -> Path:
    """17 s of a person speaking."""
    return shared / "videos" / "real" / "llavanext_jobs.mp4"


def test_no_folder_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match=r"got no such folder; .*nothing is downloaded"):
        open_whisper(tmp_path / "gone")
    with pytest.raises(ManifestError, match=r"name a folder .* by --speech-model"):
        open_whisper(None)


def test_a_folder_without_weights_names_what_is_missing(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ManifestError, match=r"got no model\.bin, tokenizer\.json"):
        open_whisper(tmp_path)


def test_a_missing_extra_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("config.json", "model.bin", "tokenizer.json"):
        (tmp_path / name).write_text("{}")
    monkeypatch.setitem(sys.modules, "faster_whisper", None)
    with pytest.raises(EngineError, match=r"run pip install 'edgeval\[transcribe\]'"):
        open_whisper(tmp_path)


@pytest.mark.parametrize("damaged", ["model.bin", "tokenizer.json", "config.json"])
def test_weights_that_do_not_load_are_one_sentence(
    folder: Path, tmp_path: Path, damaged: str
) -> None:
    for file in folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / damaged).write_bytes(b"damaged")
    with pytest.raises((EngineError, ManifestError), match=r"cannot load it|not a tokenizer\.json"):
        open_whisper(tmp_path)


def test_the_library_takes_our_call_and_says_the_same_twice(folder: Path, speech: Path) -> None:
    samples = sound(speech)
    assert samples is not None
    said = open_whisper(folder).hear(samples)
    assert said
    assert open_whisper(folder).hear(samples) == said


@pytest.mark.parametrize("seconds", [0, 3])
def test_silence_says_nothing(folder: Path, seconds: int) -> None:
    assert open_whisper(folder).hear(np.zeros(16_000 * seconds, np.float32)) == ""


def test_the_method_is_weights_libraries_and_settings(folder: Path) -> None:
    method = json.loads(json.dumps(open_whisper(folder).method()))
    assert len(method["speech_model_sha256"]) == 64
    assert all(method["libraries"][name] for name in ("faster-whisper", "ctranslate2"))
    assert method["settings"].items() >= SETTINGS.items()
    (folder / "README.md").write_text("one more file")
    assert open_whisper(folder).method() != method


def test_a_run_hears_its_film_and_keeps_what_it_heard(
    folder: Path, speech: Path, repo: Path, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    (data / "Art").mkdir(parents=True)
    for track in ("perception", "comprehension", "adaptation"):
        held = json.loads((repo / f"edgeval/embedded/videommmu/{track}_video.json").read_text())
        first = next(iter(next(iter(held.values())).values()))
        row = {**first, "id": "lesson_Art_1"}
        (data / f"{track}_video.json").write_text(json.dumps({track.capitalize(): {"0": row}}))
    (data / "Art" / "lesson_Art_1.mp4").write_bytes(speech.read_bytes())
    command = [sys.executable, "-m", "edgeval", "run", "videommmu", "--data", str(data)]
    command += ["--setting", "video", "--transcript", "auto", "--speech-model", str(folder)]
    command += ["--cache", str(tmp_path / "cache"), "-o", "run"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "listening to lesson_Art_1.mp4, 1 of 1" in done.stderr
    (kept,) = (tmp_path / "cache" / "transcripts").iterdir()
    said = json.loads(kept.read_text())["text"]
    rows = [
        json.loads(line) for line in (tmp_path / "run" / "records.jsonl").read_text().splitlines()
    ]
    told = [row["record"] for row in rows if row["record"]["variant"] == "transcript"]
    assert len(told) == 3
    for record in told:
        assert f"Transcript for the Video:\n{said}\n\nQuestion" in record["prompt"]["text"]
    card = json.loads((tmp_path / "run" / "run.json").read_text())
    heard = card["identity"]["transcript"]
    assert (heard["source"], heard["n_clips"], heard["n_without"]) == ("auto", 1, 0)
    assert heard["libraries"]["faster-whisper"]
