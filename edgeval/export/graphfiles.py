"""Traced graphs as files in a precision, and what of them stayed in float32."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from torch import nn

from edgeval.export import half, late, quantise, trace
from edgeval.export.product import Settings
from edgeval.export.ranges import Ranges
from edgeval.modelfolder import ModelFile, Plain, sha256

if TYPE_CHECKING:
    from edgeval.export.folder import Precision
    from edgeval.export.graphspec import Flavour, GraphSpec

SUFFIX: Mapping[Precision, str] = {"fp32": "", "fp16": "_fp16", "int8": "_int8", "q4": "_q4"}
DYNAMIC = "_dynamic"


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """What graphs are made into. ``ranges``: seen in torch; ``names``: of the layers there."""

    precision: Precision
    flavour: Flavour
    settings: Settings
    ranges: Ranges
    names: Mapping[nn.Module, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """Files by role, and what the manifest says of how they were made."""

    files: dict[str, ModelFile]
    told: dict[str, Plain]


def write(folder: Path, specs: Iterable[GraphSpec], form: Form) -> Written:
    """Trace and write graphs one after the other."""
    files: dict[str, ModelFile] = {}
    operators: set[str] = set()
    for spec in specs:
        traced = trace.trace(spec, form.names)
        # The table of embeddings is looked up row by row: nothing to gain from fewer bits.
        plain = spec.name == "embed_tokens" and form.precision != "fp16"
        suffix = (
            "" if plain else SUFFIX[form.precision] + (DYNAMIC if form.settings.dynamic else "")
        )
        if form.precision == "fp16":
            halved = half.halve(traced, form.ranges.kept())
            traced = halved.traced
            operators |= halved.operators
        elif not plain:
            traced = quantise.quantise(
                traced,
                precision=_bits(form.precision, spec.name),
                flavour=form.flavour,
                settings=form.settings,
            )
        paths = late.save(traced, folder / f"{spec.name}{suffix}.onnx")
        for role, path in zip((spec.name, f"{spec.name}_data"), paths, strict=False):
            files[role] = ModelFile(path=path, sha256=sha256(path))
    return Written(files=files, told=_told(form, operators))


def _told(form: Form, operators: set[str]) -> dict[str, Plain]:
    if form.precision == "fp16":
        return _kept(form.ranges, operators)
    if form.settings.dynamic:
        return {"activations": "dynamic"}
    blocked = form.precision == "q4" or (form.precision == "int8" and form.flavour == "ort")
    told: dict[str, Plain] = {"block_size": form.settings.block} if blocked else {}
    if blocked and form.flavour == "ort":
        told["accuracy_level"] = form.settings.accuracy
    if form.precision == "q4":
        told["head_bits"] = form.settings.head
    return told


def _bits(precision: Precision, name: str) -> Literal["fp32", "int8", "q4"]:
    """Few of the bits are in the vision tower, and all of the picture goes through it."""
    if precision == "q4" and name == "vision_encoder":
        return "int8"
    return "fp32" if precision == "fp16" else precision


def _kept(ranges: Ranges, operators: set[str]) -> dict[str, Plain]:
    kept = ranges.kept()
    return {
        "fp32_operators": ", ".join(sorted(operators)),
        "fp32_layers": ", ".join(sorted(kept.layers)),
        "fp32_scores": kept.scores,
        "largest": float(f"{max(ranges.layers.values()):.3g}"),
        "largest_score": float(f"{ranges.score:.3g}"),
    }
