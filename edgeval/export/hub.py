"""A checkpoint by its id on the Hugging Face hub: the only place that goes to the network.

Safetensors, configs and tokenizers only: a pickle is never downloaded, and no code.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgeval.errors import EngineError, ManifestError

ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9_][\w.-]*")
WANTED = (
    *("*.safetensors", "*.safetensors.index.json", "config.json", "generation_config.json"),
    *("processor_config.json", "preprocessor_config.json", "video_preprocessor_config.json"),
    *("tokenizer.json", "tokenizer_config.json", "chat_template.jinja", "chat_template.json"),
    "README.md",
)
# Of other runtimes, beside the checkpoint itself.
UNWANTED = ("*/*",)
PACKAGE = "huggingface_hub"

Download = Callable[..., str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A checkpoint on this machine.

    ``source``: its folder's name, or id@commit of the hub. ``licence``: as its card names it,
    "unknown" where it does not.
    """

    folder: Path
    source: str
    licence: str


def find(
    checkpoint: str, *, revision: str | None = None, download: Download | None = None
) -> Found:
    """A local folder, or a hub id downloaded (or found in the hub's cache, where one is offline).

    ``download``: snapshot_download of huggingface_hub. ManifestError for no such folder, an id that
    the hub does not have or keeps behind a gate, a revision it does not have, no connection.
    """
    folder = Path(checkpoint).expanduser()
    if folder.is_dir():
        if revision is not None:
            raise ManifestError(
                f"checkpoint {checkpoint}: is a folder, and --revision is for a hub id; leave it "
                "out"
            )
        return Found(folder=folder, source=folder.resolve().name, licence=_licence(folder))
    if not ID.fullmatch(checkpoint):
        raise ManifestError(
            f"checkpoint {checkpoint}: no such folder; wants a Hugging Face checkpoint folder or a "
            "hub id like HuggingFaceTB/SmolVLM2-256M-Video-Instruct"
        )
    folder = _downloaded(checkpoint, revision, download)
    if not any(folder.glob("*.safetensors")):
        raise ManifestError(
            f"hub id {checkpoint}: no safetensors among its files (or in the cache, when offline); "
            "pickled weights are never downloaded"
        )
    # The cache names a snapshot's folder by its commit.
    return Found(folder=folder, source=f"{checkpoint}@{folder.name}", licence=_licence(folder))


def _downloaded(checkpoint: str, revision: str | None, download: Download | None) -> Path:
    try:
        errors = importlib.import_module(f"{PACKAGE}.errors")
        fetch = download or importlib.import_module(PACKAGE).snapshot_download
    except ImportError as error:
        raise EngineError(f"hub id {checkpoint}: {error}; run pip install {PACKAGE}") from error
    try:
        return Path(
            fetch(
                checkpoint,
                revision=revision,
                allow_patterns=list(WANTED),
                ignore_patterns=list(UNWANTED),
            )
        )
    except (errors.HFValidationError, OSError) as error:
        raise ManifestError(
            f"hub id {checkpoint}{f' at {revision}' if revision else ''}: {_reason(error, errors)}"
        ) from error


def _reason(error: Exception, errors: Any) -> str:
    """One sentence. A gate is also an unknown id, and no entry in the cache a missing file."""
    known = (
        (
            errors.GatedRepoError,
            "is gated; accept its terms on the hub and log in with `hf auth login`",
        ),
        (
            errors.RevisionNotFoundError,
            "the hub has no such revision; give a branch, tag or commit",
        ),
        (
            errors.RepositoryNotFoundError,
            "the hub has no such model for you; check the id, or log in with `hf auth login` where "
            "it is private",
        ),
        (errors.HFValidationError, "is not an id of the hub, which are owner/name"),
        (
            (errors.LocalEntryNotFoundError, errors.OfflineModeIsEnabled, ConnectionError),
            "the hub cannot be reached and the cache does not have it; go online, or give a folder",
        ),
    )
    for kind, sentence in known:
        if isinstance(error, kind):
            return sentence
    lines = str(error).strip().splitlines()
    return f"cannot be downloaded ({lines[0] if lines else type(error).__name__})"


def _licence(folder: Path) -> str:
    """What the model card's header says, in the hub's words."""
    card = folder / "README.md"
    if not card.is_file():
        return "unknown"
    parts = card.read_text("utf-8", errors="replace")[:100_000].split("---", 2)
    if len(parts) < 3 or parts[0].strip():
        return "unknown"
    found = re.search(r"^license: *[\"']?([\w.+-]+)", parts[1], re.MULTILINE)
    return found.group(1) if found else "unknown"
