"""Whisper by faster-whisper on CTranslate2, from a folder that is already here.

The folder is one that ``ct2-transformers-converter`` writes or Hugging Face has: model.bin,
config.json, tokenizer.json, vocabulary.json or .txt, and for large-v3 preprocessor_config.json.
Source of the call: SYSTRAN/faster-whisper@1.2.1, faster_whisper/transcribe.py.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from edgeval.chat.tokenizer import Tokenizer
from edgeval.dataset import sha256
from edgeval.errors import EngineError, ManifestError

if TYPE_CHECKING:
    from faster_whisper import WhisperModel

    from edgeval.media.audio import Sound

# One temperature, so nothing is drawn; no text carried over, so one slip does not run on; what is
# not speech is left out before (Whisper makes words up in silence). The number of threads is fixed
# because it may change the order of sums.
SETTINGS: Mapping[str, object] = MappingProxyType(
    {
        "language": "en",
        "beam_size": 5,
        "temperature": 0.0,
        "condition_on_previous_text": False,
        "vad_filter": True,
    }
)
COMPUTE_TYPE = "float32"
THREADS = 4

_LIBRARIES = ("faster-whisper", "ctranslate2", "onnxruntime", "tokenizers")
# Without tokenizer.json the library would go to the network for one.
_FILES = ("config.json", "model.bin", "tokenizer.json")
_INSTALL = "run pip install 'edgeval[transcribe]'"


class Whisper:
    """A loaded Whisper. Not for two threads at once."""

    def __init__(self, model: WhisperModel, digest: str) -> None:
        self._model = model
        self._digest = digest

    def method(self) -> Mapping[str, object]:
        """Model, library versions and settings, as JSON values."""
        return {
            "speech_model_sha256": self._digest,
            "libraries": {name: _version(name) for name in _LIBRARIES},
            "settings": {**SETTINGS, "compute_type": COMPUTE_TYPE, "threads": THREADS},
        }

    def hear(self, samples: Sound) -> str:
        """What is said, its segments with a space between."""
        segments, _ = self._model.transcribe(samples, **SETTINGS)
        return " ".join(text for segment in segments if (text := segment.text.strip()))


def open_whisper(folder: Path | None) -> Whisper:
    """Load the weights in ``folder``; nothing is ever fetched.

    Raises ManifestError for a folder that is not one, EngineError without the library and for
    weights that it cannot load.
    """
    if folder is None:
        raise ManifestError(
            "--transcript auto: got no speech model; name a folder with a CTranslate2 Whisper by "
            f"--speech-model, and {_INSTALL} where that is not done"
        )
    if not folder.is_dir():
        raise ManifestError(
            f"--speech-model {folder}: got no such folder; wants one with a CTranslate2 Whisper "
            "(nothing is downloaded)"
        )
    missing = [name for name in _FILES if not (folder / name).is_file()]
    if missing:
        raise ManifestError(
            f"--speech-model {folder}: got no {', '.join(missing)}; wants a Whisper as "
            "ct2-transformers-converter writes it, tokenizer.json copied along"
        )
    try:
        from faster_whisper import WhisperModel
    except ImportError as error:
        raise EngineError(
            f"--transcript auto: faster-whisper is not installed ({error}); {_INSTALL}"
        ) from error
    # The library would let its reader's bare Exception through.
    Tokenizer(folder / "tokenizer.json")
    try:
        model = WhisperModel(
            str(folder),
            device="cpu",
            compute_type=COMPUTE_TYPE,
            cpu_threads=THREADS,
            local_files_only=True,
        )
    except (RuntimeError, ValueError) as error:
        first = (str(error).splitlines() or [type(error).__name__])[0]
        raise EngineError(
            f"--speech-model {folder}: CTranslate2 cannot load it ({first}); convert it again"
        ) from error
    return Whisper(model, _digest(folder))


def _digest(folder: Path) -> str:
    """Over the names and digests of the files directly in the folder."""
    files = sorted(path for path in folder.iterdir() if path.is_file())
    rows = [f"{path.name} {sha256(path)}\n" for path in files if not path.name.startswith(".")]
    return hashlib.sha256("".join(rows).encode()).hexdigest()


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""
