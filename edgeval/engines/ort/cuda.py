"""The engine "cuda": onnxruntime's CUDA provider, and nothing else's.

Asked for CUDA alone, onnxruntime goes on with its CPU provider when a library or the device is
missing, and says so in a log line only. So the driver is asked first, the provider of every session
afterwards, and each operator's place last (``edgeval.engines.ort.session``).
"""

from __future__ import annotations

from edgeval import cudadriver
from edgeval.engines import GraphFiles, Graphs
from edgeval.engines.ort.graphs import OrtGraphs
from edgeval.engines.ort.place import Place, version

NAME = "cuda"


def place(threads: int | None = None) -> Place:
    """The first GPU. float32 stays float32: TF32 would round every product to 10 bits."""
    return Place(
        engine=NAME,
        provider="CUDAExecutionProvider",
        memory=NAME,
        packages=("onnxruntime-gpu",),
        get="pip install 'edgeval[cuda]' ('edgeval[cuda12]' for a driver of CUDA 12)",
        options={"device_id": "0", "use_tf32": "0", "arena_extend_strategy": "kSameAsRequested"},
        threads=threads,
    )


def check(_files: GraphFiles) -> str:
    """See ``edgeval.engines.Engine``."""
    device = cudadriver.probe(NAME).devices[0]
    found = version(place())
    return f"{found} on {device.name} (sm_{device.sm})"


def open_graphs(files: GraphFiles) -> Graphs:
    """See ``edgeval.engines.Engine``."""
    check(files)
    return OrtGraphs(files, place(files.threads))
