"""The engine "trt-inplace": as "trt", with the cache in place and decode steps as a CUDA graph."""

from __future__ import annotations

from edgeval.engines import GraphFiles, Graphs
from edgeval.engines.trt import checked, opened
from edgeval.engines.trt.ways import IN_PLACE


def check(files: GraphFiles) -> str:
    """What would run the graphs; EngineError as in "trt", and without TensorScatter."""
    return checked(files, IN_PLACE)


def open_graphs(files: GraphFiles) -> Graphs:
    """Open the three graphs; EngineError as in ``check``."""
    return opened(files, IN_PLACE)
