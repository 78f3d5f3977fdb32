"""Prompts go to the decoder in pieces: the same bits, and never S * S numbers at once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edgeval import view
from edgeval.engines import Floats, Ints
from edgeval.model import open_model
from edgeval.view import Inputs


class Recorder:
    """A context that remembers the pieces it got."""

    def __init__(self) -> None:
        self.embeds: list[Floats] = []
        self.places: list[Ints | None] = []
        self.deep: list[Floats | None] = []

    def extend(
        self, embeds: Floats, *, places: Ints | None = None, deep: Floats | None = None
    ) -> Floats:
        self.embeds.append(embeds)
        self.places.append(places)
        self.deep.append(deep)
        return embeds[-1]


@pytest.mark.parametrize(
    ("n_tokens", "skip", "pieces"),
    [
        (5, 0, [5]),
        (1, 0, [1]),
        (1024, 0, [1024]),
        (1025, 0, [1025]),
        (1026, 0, [1024, 2]),
        (3000, 0, [1024, 1024, 952]),
        (3000, 1999, [1001]),
        (3000, 1000, [1024, 976]),
    ],
)
def test_no_piece_but_an_only_one_is_a_single_token(n_tokens, skip, pieces):
    context = Recorder()
    embeds = np.arange(n_tokens, dtype=np.float32)[:, None]
    Inputs(embeds=embeds).append_to(context, skip=skip)  # type: ignore[arg-type]
    assert [len(piece) for piece in context.embeds] == pieces


def test_places_and_deep_features_go_with_their_tokens():
    context = Recorder()
    numbers = np.arange(1500)
    deep = np.zeros((1, 1500, 1), np.float32)
    deep[:, 1400] = 7
    inputs = Inputs(
        embeds=numbers[:, None].astype(np.float32), places=np.stack([numbers] * 3), deep=deep
    )
    inputs.append_to(context, skip=10)  # type: ignore[arg-type]
    starts = [int(piece[0, 0]) for piece in context.places if piece is not None]
    found = [None if piece is None else int(piece.argmax()) for piece in context.deep]
    assert (starts, found) == ([10, 1034], [None, 1400 - 1034])


def test_pieces_change_no_bit(tiny: Path, monkeypatch: pytest.MonkeyPatch):
    model = open_model(tiny, engine="cpu", precision=None, threads=1)
    ids = np.random.default_rng(2).integers(0, 900, 300).tolist()
    inputs = Inputs(embeds=np.array(model._graphs.embed(ids), np.float32))
    whole = inputs.append_to(model._graphs.start(len(ids))).copy()
    monkeypatch.setattr(view, "PIECE", 64)
    pieces = inputs.append_to(model._graphs.start(len(ids)))
    np.testing.assert_array_equal(pieces, whole)
