"""A model folder as values: which files, which precisions, what was promised about them."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from edgeval.errors import UnknownName
from edgeval.modelfolder.text import read_json

GRAPHS = ("vision_encoder", "embed_tokens", "decoder_model_merged")
ROLES = (
    "config",
    "generation",
    "processor",
    "preprocessor",
    "video_preprocessor",
    "tokenizer",
    "tokenizer_config",
    "template",
    "card",
)
REQUIRED_ROLES = ("config", "tokenizer")
# As coarse as times of change are on any file system in use.
COARSE_NS = 2 * 10**9

Plain = str | int | float | bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFile:
    """A file of the model.

    Absolute path and the sha256 promised for it ("" where nothing was promised).
    """

    path: Path
    sha256: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One precision of the model.

    ``flavour``: plain (standard operators) or ort (onnxruntime's own).

    ``proof``: what the exporter measured against torch.
    """

    precision: str
    flavour: str
    graphs: Mapping[str, ModelFile]
    proof: Mapping[str, Plain] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """A model folder.

    ``image`` and ``video``: the family's constants, empty when the checkpoint's files hold them.

    ``declared``: read from a manifest.toml, so every file has a promised hash.
    """

    folder: Path
    name: str
    family: str
    source: str
    licence: str
    default: str
    files: Mapping[str, ModelFile]
    image: Mapping[str, object]
    video: Mapping[str, object]
    variants: Mapping[str, Variant]
    declared: bool

    def variant(self, precision: str | None) -> Variant:
        """The graphs of a precision, the default one for None.

        UnknownName when the folder has no such.
        """
        name = precision or self.default
        if name not in self.variants:
            raise UnknownName(f"precision of model {self.name}", name, self.variants)
        return self.variants[name]

    def all_files(self) -> Iterator[ModelFile]:
        """Every file the manifest names."""
        yield from self.files.values()
        for variant in self.variants.values():
            yield from variant.graphs.values()

    def read(self, role: str) -> dict[str, object]:
        """The JSON object of a file, {} when the model has no such file."""
        return read_json(self.files[role].path) if role in self.files else {}


def sha256(path: Path) -> str:
    """Hex sha256 of a file; one that is known to be the same since is not read a second time.

    The same: device, inode, size, and the times of the last change of its contents and of its
    entry, in nanoseconds, of which no program can set the latter back. A file that changed within
    the last two seconds is read every time, since a second change could have the same times.
    """
    found = path.stat()
    changed_ns = (found.st_mtime_ns, found.st_ctime_ns)
    if time.time_ns() - max(changed_ns) < COARSE_NS:
        return read_sha256(path)
    return _known(os.path.realpath(path), found.st_dev, found.st_ino, found.st_size, *changed_ns)


@lru_cache(maxsize=256)
def _known(path: str, *_same: int) -> str:
    return read_sha256(Path(path))


def read_sha256(path: Path) -> str:
    """Hex sha256 of a file, read now."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
