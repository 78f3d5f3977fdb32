"""The token loop: when it stops, what it keeps, and how it draws."""

from __future__ import annotations

import numpy as np
import pytest

from edgeval.generate import Ending, generate, sample
from edgeval.types import Decoding

LETTERS = "abcdefgh"
EOS = 7


class Script:
    """Logits that make greedy decoding say a fixed line of tokens."""

    def __init__(self, line: list[int]) -> None:
        self.line = line
        self.given: list[int] = []

    def first(self) -> np.ndarray:
        return one_hot(self.line[0])

    def step(self, token_id: int) -> np.ndarray:
        self.given.append(token_id)
        return one_hot(self.line[len(self.given)])


class Noise:
    """Logits that do not depend on anything, so that only the draw decides."""

    logits = np.array([2.0, 1.0, 0.0, -1.0, -2.0, -3.0, -4.0, -30.0], np.float32)

    def step(self, token_id: int) -> np.ndarray:
        return self.logits


def one_hot(token: int) -> np.ndarray:
    return np.where(np.arange(8) == token, 5.0, 0.0).astype(np.float32)


def ending(**changes) -> Ending:
    values = {
        "eos_ids": frozenset({EOS}),
        "max_new_tokens": 5,
        "decode": lambda ids: "".join(LETTERS[i] for i in ids),
        **changes,
    }
    return Ending(**values)


def test_an_end_token_stops_and_is_not_kept():
    script = Script([0, 1, EOS])
    tokens = generate(script, script.first(), Decoding(), ending())
    assert (tokens.ids, tokens.text, tokens.stop) == ((0, 1), "ab", "eos")


def test_the_limit_stops_without_one_step_too_many():
    script = Script([0, 1, 2, 3, 4])
    tokens = generate(script, script.first(), Decoding(), ending(max_new_tokens=3))
    assert (tokens.ids, tokens.stop, script.given) == ((0, 1, 2), "length", [0, 1])


def test_a_stop_text_across_tokens_is_cut_off():
    script = Script([0, 1, 2, 3, EOS])
    tokens = generate(script, script.first(), Decoding(stop=("cd", "x")), ending())
    assert (tokens.text, tokens.ids, tokens.stop) == ("ab", (0, 1, 2, 3), "stop_text")


def test_every_step_is_timed():
    script = Script([0, 1, 2, EOS])
    assert len(generate(script, script.first(), Decoding(), ending()).step_s) == 3


def test_the_lowest_id_wins_a_tie():
    script = Script([0, EOS])
    tie = np.zeros(8, np.float32)
    assert generate(script, tie, Decoding(), ending(max_new_tokens=1)).ids == (0,)


def drawn(seed: int, prompt: tuple[int, ...] = (1, 2)) -> tuple[int, ...]:
    decoding = Decoding(temperature=1.0, seed=seed)
    end = ending(max_new_tokens=40, prompt_ids=prompt)
    return generate(Noise(), Noise.logits, decoding, end).ids


def test_the_same_seed_and_prompt_draw_the_same():
    assert drawn(3) == drawn(3)


def test_another_seed_draws_otherwise():
    assert drawn(3) != drawn(4)


def test_another_prompt_draws_otherwise():
    assert drawn(3, (1, 2)) != drawn(3, (1, 3))


def frequencies(decoding: Decoding, n: int = 4000) -> np.ndarray:
    generator = np.random.Generator(np.random.Philox(1))
    draws = [sample(Noise.logits, decoding, generator) for _ in range(n)]
    return np.bincount(draws, minlength=8) / n


def test_draws_follow_the_softmax_of_the_temperature():
    scaled = np.exp(Noise.logits.astype(float) / 2.0)
    expected = scaled / scaled.sum()
    # 4000 draws: four standard errors of the largest share.
    assert np.abs(frequencies(Decoding(temperature=2.0)) - expected).max() < 0.032


def test_top_k_draws_only_from_the_k_best():
    assert np.flatnonzero(frequencies(Decoding(temperature=5.0, top_k=2))).tolist() == [0, 1]


def test_top_p_keeps_the_smallest_set_that_reaches_it():
    shares = np.exp(Noise.logits.astype(float))
    shares /= shares.sum()  # 0.63, 0.23, 0.09, ...
    decoding = Decoding(temperature=1.0, top_p=float(shares[0]) + 0.01)
    assert np.flatnonzero(frequencies(decoding)).tolist() == [0, 1]


def test_a_repetition_penalty_turns_from_what_was_said():
    logits = np.array([1.0, 0.9, 0, 0, 0, 0, 0, -9.0], np.float32)
    end = ending(max_new_tokens=1, prompt_ids=(0,), repetition_penalty=1.5)
    assert generate(Noise(), logits, Decoding(), end).ids == (1,)


@pytest.mark.parametrize("line", [[EOS], [EOS, 1]])
def test_an_empty_answer_is_an_answer(line):
    script = Script(line)
    assert generate(script, script.first(), Decoding(), ending()).text == ""
