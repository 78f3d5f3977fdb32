"""Graphs that tell their phases are the same graphs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from edgeval.engines import Array, Context, Floats, Graphs, Ints
from edgeval.engines.told import told


class Toy:
    """A context and graphs in one; logits say what was called."""

    version = "toy 1"

    def __init__(self) -> None:
        self.length = 0
        self.closed = False

    def see(self, feeds: Mapping[str, Array]) -> Mapping[str, Floats]:
        return {"image_features": np.asarray(feeds["x"], np.float32)}

    def embed(self, token_ids: Sequence[int]) -> Floats:
        return np.asarray([token_ids], np.float32)

    def start(self, capacity: int) -> Context:
        self.length = capacity
        return self

    def extend(
        self, embeds: Floats, *, places: Ints | None = None, deep: Floats | None = None
    ) -> Floats:
        return np.asarray([len(embeds), places is None, deep is None], np.float32)

    def step(self, token_id: int) -> Floats:
        return np.asarray([token_id], np.float32)

    def fork(self) -> Context:
        return Toy()

    def close(self) -> None:
        self.closed = True


def test_each_phase_is_told_as_it_begins_and_steps_once() -> None:
    heard: list[str] = []
    graphs: Graphs = told(Toy(), heard.append)
    graphs.see({"x": np.ones(2)})
    context = graphs.start(4)
    context.extend(graphs.embed([1, 2]))
    for token in (5, 6, 7):
        context.step(token)
    assert heard == ["vision", "prefill", "prefill", "prefill", "step"]


def test_a_fork_tells_its_own_steps() -> None:
    heard: list[str] = []
    context = told(Toy(), heard.append).start(4)
    context.step(1)
    fork = context.fork()
    fork.step(1)
    fork.step(1)
    fork.extend(np.zeros((1, 1), np.float32))
    fork.step(1)
    assert heard == ["prefill", "step", "step", "prefill", "step"]


def test_what_goes_in_and_out_is_unchanged() -> None:
    toy = Toy()
    graphs = told(toy, lambda _: None)
    context = graphs.start(9)
    assert graphs.version == "toy 1"
    assert context.length == 9
    assert graphs.see({"x": np.arange(3)})["image_features"].tolist() == [0, 1, 2]
    assert graphs.embed([3, 4]).tolist() == [[3, 4]]
    embeds = np.zeros((2, 1), np.float32)
    assert context.extend(embeds, places=np.zeros((1, 2), np.int64)).tolist() == [2, 0, 1]
    assert context.extend(embeds, deep=np.zeros((1, 2, 1), np.float32)).tolist() == [2, 1, 0]
    assert context.step(42).tolist() == [42]
    graphs.close()
    assert toy.closed
