"""Answers generated together, of any lengths and so many at a time, are those of each alone."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from edgeval.generate import Alone, Ending, Logits, Saying, alone, saying, together
from edgeval.types import Decoding

EOS, VOCABULARY = 0, 7


class Toy:
    """A context whose logits depend on every token before, and on nothing else."""

    def __init__(self, prompt: tuple[int, ...]) -> None:
        self.tokens = prompt

    def logits(self) -> Logits:
        digest = hashlib.sha256(bytes(self.tokens)).digest()
        return np.frombuffer(digest[:VOCABULARY], np.uint8).astype(np.float32) / 32

    def step(self, token_id: int) -> Logits:
        self.tokens += (token_id,)
        return self.logits()


class ToyRows:
    """Rows that write all logits into one array, as an engine does, and count themselves."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.held: list[Toy] = []
        self.array = np.zeros((most, VOCABULARY), np.float32)
        self.sizes: list[int] = []

    def add(self, context: Toy) -> None:
        self.held.append(Toy(context.tokens))
        context.tokens = (255,)
        assert len(self.held) <= self.most

    def step(self, token_ids: Sequence[int]) -> Sequence[Logits]:
        assert len(token_ids) == len(self.held)
        self.sizes.append(len(token_ids))
        for row, (toy, token) in enumerate(zip(self.held, token_ids, strict=True)):
            self.array[row] = toy.step(token)
        return self.array

    def drop(self, row: int) -> None:
        self.held[row] = self.held[-1]
        self.held.pop()


Turns = Sequence[tuple[int, int]]
Said = list[tuple[tuple[int, ...], str]]

turns = st.lists(st.tuples(st.integers(1, 200), st.integers(1, 12)), min_size=0, max_size=3)
questions = st.lists(turns, max_size=9)
decodings = st.sampled_from(
    [Decoding(), Decoding(temperature=1.5, seed=4), Decoding(stop=("cc", "f"))]
)


def question(asked: Turns, decoding: Decoding, penalty: float) -> Saying[Toy, Said]:
    """Some turns, one after the other: the tokens of each and why it ended."""
    said: Said = []
    for start, longest in asked:
        context = Toy((start,))
        ending = Ending(
            eos_ids=frozenset({EOS}),
            max_new_tokens=longest,
            decode=lambda ids: "".join("abcdefg"[i] for i in ids),
            repetition_penalty=penalty,
            prompt_ids=(start % VOCABULARY,),
        )
        tokens = yield from saying(context, context.logits(), decoding, ending)
        assert len(tokens.step_s) == len(tokens.ids) - (tokens.stop != "eos")
        said.append((tokens.ids, tokens.stop))
    return said


@given(
    asked=questions,
    decoding=decodings,
    penalty=st.sampled_from([1.0, 1.3]),
    most=st.integers(1, 5),
)
def test_together_is_each_alone(
    asked: Sequence[Turns], decoding: Decoding, penalty: float, most: int
) -> None:
    wanted = [alone(question(turns, decoding, penalty)) for turns in asked]
    begun: list[int] = []

    def all_of_them() -> Iterator[Saying[Toy, Said]]:
        for place, turns in enumerate(asked):
            begun.append(place)
            yield question(turns, decoding, penalty)

    rows = Alone[Toy]() if most == 1 else ToyRows(most)
    got: list[Said] = []
    for said in together(all_of_them(), rows, most):
        got.append(said)
        # What is not handed over yet is at most so much work to lose.
        assert len(begun) - len(got) < 2 * most
    assert got == wanted


@given(lengths=st.lists(st.integers(2, 30), min_size=2, max_size=8), most=st.integers(2, 4))
def test_every_step_has_as_many_rows_as_there_are_answers_under_way(
    lengths: Sequence[int], most: int
) -> None:
    def counting(length: int) -> Saying[Toy, int]:
        for n in range(length - 1):
            yield toy, n
        return length

    toy = Toy((1,))
    rows = ToyRows(most)
    assert list(together(map(counting, lengths), rows, most)) == list(lengths)
    assert rows.held == []
    assert sum(rows.sizes) == sum(lengths) - len(lengths)
    assert max(rows.sizes) == min(most, len(lengths))
