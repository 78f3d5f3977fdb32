"""The three graphs on onnxruntime, told by their port names and types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

import numpy as np

from edgeval.engines import Array, Context, Floats, GraphFiles
from edgeval.engines.ort.cache import BufferContext, Decoder, GrowingContext
from edgeval.engines.ort.embedding import Embedding
from edgeval.engines.ort.place import Place, version
from edgeval.engines.ort.rows import BufferRows, check_rows, prove_rows
from edgeval.engines.ort.session import Session
from edgeval.generate import Rows


class OrtGraphs:
    """See Graphs; opened at a place.

    A lean place has the vision graph in memory only while it looks, and the decoder once it is
    needed: of two graphs of gigabytes, one at a time.
    """

    def __init__(self, files: GraphFiles, place: Place) -> None:
        self.version = version(place)
        self._files, self._place = files, place
        self._proved = 1
        if not place.lean:
            # Now, so that one that cannot be opened is told now.
            _ = self._vision, self._decoder

    @cached_property
    def _vision(self) -> Session:
        return Session(self._files.vision, self._place)

    @cached_property
    def _embedding(self) -> Embedding:
        return Embedding(self._files.embed, self._place)

    @cached_property
    def _decoder(self) -> Decoder:
        return Decoder(self._files.decoder, self._embedding, self._place)

    @property
    def placement(self) -> Mapping[str, str]:
        """See Graphs."""
        return {
            "vision": self._vision.placement,
            "embedding": self._embedding.placement,
            "decoder": self._decoder.session.placement,
        }

    def see(self, feeds: Mapping[str, Array]) -> Mapping[str, Floats]:
        """See Graphs."""
        found = zip(self._vision.outputs, self._vision.run(feeds), strict=True)
        outputs = {name: np.asarray(value, np.float32) for name, value in found}
        # Published graphs have other names for their first output.
        first = next(iter(outputs.values()))
        if self._place.lean:
            del self._vision
        return {**outputs, "image_features": first.reshape(-1, first.shape[-1])}

    def embed(self, token_ids: Sequence[int]) -> Floats:
        """See Graphs."""
        return self._embedding.rows(token_ids)

    def start(self, capacity: int) -> Context:
        """See Graphs."""
        if self._decoder.shares_buffer:
            return BufferContext(self._decoder, capacity)
        return GrowingContext(self._decoder)

    def rows(self, n: int) -> Rows[Context]:
        """See Batching. The first time it is proved."""
        check_rows(self._decoder)
        if n > self._proved:
            prove_rows(self._decoder, n)
            self._proved = n
        return BufferRows(self._decoder, n)

    def close(self) -> None:
        """See Graphs. Sessions are freed with their last reference."""
        for part in ("_vision", "_embedding", "_decoder"):
            vars(self).pop(part, None)
