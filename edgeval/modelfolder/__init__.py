"""A model folder as values: which files, which precisions, what was promised about them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
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
    """Hex sha256 of a file."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
