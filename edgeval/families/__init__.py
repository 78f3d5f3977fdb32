"""Model families: one module each, holding one FAMILY, opened by name."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata

from edgeval.errors import ManifestError, UnknownName
from edgeval.modelfolder import Manifest
from edgeval.processor import LMMS_EVAL, NATIVE, Processor, Setup

FAMILIES = {
    "internvl": "edgeval.families.internvl",
    "llava_onevision": "edgeval.families.llava_onevision",
    "qwen2_vl": "edgeval.families.qwen2_vl",
    "qwen3_vl": "edgeval.families.qwen3_vl",
    "qwen2_5_vl": "edgeval.families.qwen2_5_vl",
    "smolvlm": "edgeval.families.smolvlm",
}
ENTRY_POINTS = "edgeval.families"


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """One model family: opens the processor of a model folder.

    ``protocols``: whose ways it knows, its own first. ``open`` raises ManifestError for what it
    cannot read.
    """

    name: str
    open: Callable[[Manifest, Setup], Processor]
    protocols: tuple[str, ...] = (NATIVE, LMMS_EVAL)

    def opened(self, manifest: Manifest, setup: Setup) -> Processor:
        """The processor under a protocol. Raises UnknownName for one that the family lacks."""
        if setup.protocol not in self.protocols:
            raise UnknownName(f"protocol of family {self.name}", setup.protocol, self.protocols)
        return self.open(manifest, setup)


def names() -> tuple[str, ...]:
    """Known families, third parties' entry points included."""
    return tuple(sorted(_modules()))


def _modules() -> dict[str, str]:
    found = {point.name: point.value for point in metadata.entry_points(group=ENTRY_POINTS)}
    return found | FAMILIES


def load(name: str) -> Family:
    """A family by name; UnknownName when there is none."""
    known = _modules()
    if name not in known:
        raise UnknownName("family", name, known)
    family = getattr(importlib.import_module(known[name]), "FAMILY", None)
    if not isinstance(family, Family):
        raise ManifestError(f"family {name}: {known[name]} holds no FAMILY of type Family")
    return family
