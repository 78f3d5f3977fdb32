"""Memory by arithmetic: more never takes less, and buffers are those that the engine makes."""

from __future__ import annotations

import dataclasses
import weakref

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeval.engines.ort import cache
from edgeval.footprint.sizes import Bite, Load, Shape, Tower, footprint

small = st.integers(1, 64)
tokens = st.integers(1, 6000)
towers = st.builds(Tower, heads=small, hidden=small, inner=small)
shapes = st.builds(
    Shape,
    weights=st.integers(0, 1 << 30),
    decoder=towers,
    vision=towers,
    patch=st.just(14),
    layers=small,
    kv_heads=small,
    width=small,
    number=st.sampled_from([2, 4]),
    shared=st.booleans(),
)
loads = st.builds(
    Load,
    frames=small,
    picture=tokens,
    frame=tokens,
    bite=st.builds(
        Bite, nbytes=tokens, images=small, height=small, width=small, patched=st.booleans()
    ),
    features=tokens,
    prefix=tokens,
    question=st.integers(1, 3000),
    new=st.integers(1, 6000),
    room=st.integers(1, 1024),
    piece=st.integers(2, 2048),
    workers=small,
)
# A longer prefix or question may need one copy less of a shared buffer, a larger room too.
EVEN = ("frames", "picture", "frame", "features", "new", "piece", "workers")
GROWING = (*EVEN, "prefix", "question")


@given(shape=shapes, load=loads, more=st.integers(1, 3000))
@pytest.mark.parametrize("name", GROWING)
def test_more_never_takes_less(name: str, shape: Shape, load: Load, more: int) -> None:
    if name not in EVEN:
        shape = dataclasses.replace(shape, shared=False)
    if name == "piece":  # Smaller ones may make a question grow the buffer twice.
        load = dataclasses.replace(load, question=min(load.question, load.piece))
    larger = dataclasses.replace(load, **{name: getattr(load, name) + more})
    assert footprint(shape, larger).clip >= footprint(shape, load).clip


@given(shape=shapes, load=loads, more=st.integers(1, 64))
@pytest.mark.parametrize("name", ["weights", "layers", "kv_heads", "width", "number"])
def test_a_larger_model_never_takes_less(name: str, shape: Shape, load: Load, more: int) -> None:
    larger = dataclasses.replace(shape, **{name: getattr(shape, name) + more})
    assert footprint(larger, load).peak >= footprint(shape, load).peak


@given(shape=shapes, load=loads)
def test_all_that_is_read_is_counted_with_a_whole_piece_of_rows(shape: Shape, load: Load) -> None:
    """The least that reading takes, whatever the answer: written down a second time."""
    load = dataclasses.replace(load, question=min(load.question, load.piece))
    prompt, tower = load.prefix + load.question, shape.decoder
    rows = min(load.piece, prompt)
    call = 2 * prompt * tower.hidden * 4 + rows * 4 * (6 * tower.hidden + 3 * tower.inner)
    if shape.shared:
        room = load.prefix + load.room
        kept = room if load.question <= load.room else room + prompt + prompt // 4
    else:
        kept = 2 * prompt
        call += 4 * tower.heads * prompt * shape.width * 4
        call += rows * prompt * (3 * tower.heads * 4 + 5)
    found = footprint(shape, load)
    assert found.cache + found.decoder >= kept * shape.token + call


class Counting:
    """Stands for Buffers: counts tokens of all that are alive."""

    alive = most = 0

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.writer: object = None
        Counting.alive += capacity
        Counting.most = max(Counting.most, Counting.alive)

    def __del__(self) -> None:
        Counting.alive -= self.capacity

    def copied(self, _length: int, capacity: int) -> Counting:
        return Counting(capacity)


@given(load=loads)
def test_buffers_are_those_that_the_engine_makes(load: Load) -> None:
    """The real context claims room for a prefix, a question's pieces and an answer."""
    Counting.alive = Counting.most = 0
    prefix = cache.BufferContext.__new__(cache.BufferContext)
    prefix._overtaken, prefix.length, prefix._place = False, load.prefix, load.prefix
    prefix._decoder = None
    prefix._buffers = Counting(load.prefix + load.room)
    prefix._buffers.writer = weakref.ref(prefix)
    context = prefix.fork()
    for end in (*range(load.prefix + load.piece, load.prompt - 1, load.piece), load.prompt):
        context._claim(end)
        context.length = end
    for end in range(load.prompt + 1, load.whole + 1):
        context._claim(end)
    shape = Shape(
        weights=0,
        decoder=Tower(heads=1, hidden=0, inner=0),
        vision=Tower(heads=1, hidden=0, inner=0),
        patch=1,
        layers=1,
        kv_heads=1,
        width=1,
        number=4,
        shared=True,
    )
    assert footprint(shape, load).cache == Counting.most * shape.token
    del context, prefix
    assert Counting.alive == 0


def test_positions_of_the_ends_are_those_of_the_reader() -> None:
    """Where a prompt is cut into pieces, by the reader itself."""
    from edgeval.view import PIECE, Inputs

    seen: list[int] = []

    class Listening:
        def extend(self, embeds: np.ndarray, **_: object) -> np.ndarray:
            seen.append(len(embeds))
            return np.zeros(1, np.float32)

    for n_tokens, skip in ((3000, 10), (PIECE + 11, 10), (PIECE + 12, 10), (5, 2)):
        seen.clear()
        Inputs(embeds=np.zeros((n_tokens, 1), np.float32)).append_to(Listening(), skip=skip)
        ends = [*range(skip + PIECE, n_tokens - 1, PIECE), n_tokens]
        assert [skip + sum(seen[: i + 1]) for i in range(len(seen))] == ends
