"""The engine "cpu": onnxruntime on the CPU. Graphs are told by their port names and types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from edgeval.engines import Array, Context, Floats, GraphFiles, Graphs
from edgeval.engines.ort.cache import BufferContext, Decoder, GrowingContext
from edgeval.engines.ort.embedding import Embedding
from edgeval.engines.ort.session import Session, version


def open_graphs(files: GraphFiles) -> Graphs:
    """Open the three graphs; EngineError when onnxruntime is missing or doubled or refuses one."""
    return OrtGraphs(files)


class OrtGraphs:
    """Graphs on onnxruntime's CPU provider."""

    def __init__(self, files: GraphFiles) -> None:
        self.version = version()
        self._vision = Session(files.vision, files.threads)
        self._embedding = Embedding(files.embed, files.threads)
        self._decoder = Decoder(files.decoder, self._embedding, files.threads)

    def see(self, feeds: Mapping[str, Array]) -> Mapping[str, Floats]:
        """See Graphs."""
        found = zip(self._vision.outputs, self._vision.run(feeds), strict=True)
        outputs = {name: np.asarray(value, np.float32) for name, value in found}
        # Published graphs have other names for their first output.
        first = next(iter(outputs.values()))
        return {**outputs, "image_features": first.reshape(-1, first.shape[-1])}

    def embed(self, token_ids: Sequence[int]) -> Floats:
        """See Graphs."""
        return self._embedding.rows(token_ids)

    def start(self, capacity: int) -> Context:
        """See Graphs."""
        if self._decoder.shares_buffer:
            return BufferContext(self._decoder, capacity)
        return GrowingContext(self._decoder)

    def close(self) -> None:
        """See Graphs. Sessions are freed with their last reference."""
        del self._vision, self._embedding, self._decoder
