"""The embedding table: read straight from the file where the graph is one lookup."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from edgeval.engines import Floats
from edgeval.engines.ort.place import Place
from edgeval.engines.ort.session import Session
from edgeval.errors import ManifestError
from edgeval.modelfolder import onnxfile


class Embedding:
    """Rows by token id. The table is mapped, not loaded: only rows in use take memory."""

    def __init__(self, path: Path, place: Place) -> None:
        self._path = path
        table = onnxfile.lookup_table(path)
        # A plain view of the map is faster to index than the map.
        self._table = None if table is None else np.asarray(table)
        self._session = Session(path, place) if table is None else None

    def rows(self, token_ids: Sequence[int]) -> Floats:
        """float32 [S, hidden]."""
        ids = np.asarray(token_ids, np.int64)
        if self._table is not None:
            try:
                return np.asarray(self._table[ids], np.float32)
            except IndexError as error:
                raise ManifestError(
                    f"graph {self._path}: has {len(self._table)} embeddings, none for token "
                    f"{ids.max()}; the tokenizer is of another model"
                ) from error
        assert self._session is not None  # one of the two is there
        return np.asarray(self._session.run({"input_ids": ids[None]})[0][0], np.float32)

    @property
    def placement(self) -> str:
        """Where it is looked up."""
        return "a table on the host" if self._session is None else self._session.placement
