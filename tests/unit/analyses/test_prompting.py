"""Ways to ask, with a scripted speaker: what is asked, what is sampled, what is scored."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from edgeval.analyses import prompting
from edgeval.errors import UnknownName
from edgeval.types import Ask, Decoding, Generation, Timing

ASK = Ask(text="Which?\nA. x\nB. y", max_new_tokens=16, prefill="Best option:(")


class Speaker:
    """Says the given words one after the other and remembers what it was asked."""

    def __init__(self, words: Sequence[str]) -> None:
        self.words = list(words)
        self.asks: list[Ask] = []
        self.decodings: list[Decoding] = []

    def __call__(self, ask: Ask, decoding: Decoding) -> Generation:
        self.asks.append(ask)
        self.decodings.append(decoding)
        return Generation(text=self.words.pop(0), token_ids=(1,), stop="eos", timing=Timing())


def letter(text: str) -> str:
    return text if text in ("A", "B", "C") else ""


def asked(way: str, words: Sequence[str]) -> tuple[prompting.Outcome, Speaker]:
    speaker = Speaker(words)
    outcome = prompting.ask_by(way, ASK, Decoding(seed=7), speaker, letter)
    assert not speaker.words
    return outcome, speaker


def test_direct_asks_once_as_the_benchmark_does() -> None:
    outcome, speaker = asked("direct", ["B"])
    assert speaker.asks == [ASK]
    assert (outcome.text, outcome.turns, outcome.note) == ("B", (), "")


def test_step_by_step_asks_for_the_answer_in_a_second_turn() -> None:
    outcome, speaker = asked("cot", ["It moves left.", "B"])
    first, second = speaker.asks
    assert first.text == f"{ASK.text}\nLet's think step by step."
    assert [turn.text for turn in second.history] == [first.text, "It moves left."]
    assert second.max_new_tokens == ASK.max_new_tokens
    assert outcome.text == "B"
    assert [turn.role for turn in outcome.turns] == ["user", "assistant"]


def test_self_consistency_takes_the_majority_of_seeded_samples() -> None:
    outcome, speaker = asked("self-consistency", ["A", "B", "?", "B", "C"])
    assert outcome.text == "B"
    assert outcome.note == ""
    assert [decoding.seed for decoding in speaker.decodings] == [7, 8, 9, 10, 11]
    assert {(d.temperature, d.top_k) for d in speaker.decodings} == {(0.7, 40)}


def test_a_tie_is_named_and_the_first_said_stands() -> None:
    outcome, _ = asked("self-consistency", ["?", "C", "A", "A", "C"])
    assert outcome.text == "C"
    assert outcome.note == "tie of C, A; the first said stands"


def test_unreadable_samples_are_still_an_answer() -> None:
    outcome, _ = asked("self-consistency", ["?"] * 5)
    assert outcome.text == "?"


def test_tree_of_thoughts_follows_the_elected_plan() -> None:
    words = ["look", "count", "guess", "2", "Plan 2", "3", "A", "B", "B"]
    outcome, speaker = asked("tree-of-thoughts", words)
    assert outcome.text == "B"
    assert "1. look\n2. count\n3. guess" in speaker.asks[3].text
    assert all("count" in ask.text and "look" not in ask.text for ask in speaker.asks[6:])


def test_tags_give_what_is_scored() -> None:
    outcome, _ = asked("think-answer", ["<think>x</think> <answer> B\n</answer>"])
    assert outcome.text == "B"
    outcome, _ = asked("think-answer", ["B, I think"])
    assert outcome.text == "B, I think"
    assert "no <answer> tags" in outcome.note


def test_a_users_temperature_is_kept() -> None:
    speaker = Speaker(["A"] * 5)
    decoding = Decoding(temperature=1.0, seed=1)
    prompting.ask_by("self-consistency", ASK, decoding, speaker, letter)
    assert {d.temperature for d in speaker.decodings} == {1.0}
    assert len({d.seed for d in speaker.decodings}) == 5


def test_an_unknown_way_is_named() -> None:
    with pytest.raises(UnknownName, match="did you mean cot"):
        prompting.check("cott")
