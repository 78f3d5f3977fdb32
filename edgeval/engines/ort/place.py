"""Where onnxruntime runs graphs, and what of it is installed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import metadata

from edgeval.errors import EngineError

BOTH = ("onnxruntime", "onnxruntime-gpu")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A provider of onnxruntime. ``memory``: its name of the memory that the cache lies in.

    ``packages``: those that have the provider, ``get`` how to install one. ``options``: the
    provider's own. ``threads`` None is every core this process may use. ``lean``: see GraphFiles.
    """

    engine: str
    provider: str
    memory: str
    packages: tuple[str, ...]
    get: str
    options: Mapping[str, str] = field(default_factory=dict)
    threads: int | None = None
    lean: bool = False

    @property
    def is_host(self) -> bool:
        """Whether arrays of numpy are in its memory."""
        return self.memory == "cpu"


def version(place: Place) -> str:
    """Package and version; EngineError when onnxruntime is missing or installed twice."""
    found = {}
    for package in BOTH:
        try:
            found[package] = f"{package} {metadata.version(package)}"
        except metadata.PackageNotFoundError:
            continue
    if len(found) > 1:
        raise EngineError(
            f"engine {place.engine}: got both {' and '.join(found.values())}, which overwrite each "
            "other; uninstall both, then install the one you want"
        )
    for package in place.packages:
        if package in found:
            return found[package]
    got = f"got {', '.join(found.values())}" if found else "onnxruntime is not installed"
    raise EngineError(f"engine {place.engine}: {got}; run {place.get}")
