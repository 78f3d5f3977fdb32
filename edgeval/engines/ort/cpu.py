"""The engine "cpu": onnxruntime's CPU provider."""

from __future__ import annotations

from edgeval.engines import GraphFiles, Graphs
from edgeval.engines.ort.graphs import OrtGraphs
from edgeval.engines.ort.place import BOTH, Place, version


def place(threads: int | None = None, *, lean: bool = False) -> Place:
    """The CPU, with as many threads."""
    return Place(
        engine="cpu",
        provider="CPUExecutionProvider",
        memory="cpu",
        packages=BOTH,
        get="pip install 'edgeval[cpu]'",
        threads=threads,
        lean=lean,
    )


def check(_files: GraphFiles) -> str:
    """See ``edgeval.engines.Engine``."""
    return version(place())


def open_graphs(files: GraphFiles) -> Graphs:
    """See ``edgeval.engines.Engine``."""
    return OrtGraphs(files, place(files.threads, lean=files.lean))
