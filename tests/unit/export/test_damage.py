"""Damage of fewer bits: nothing where nothing was taken, and what it is where something was."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from edgeval.chat.tokenizer import Tokenizer
from edgeval.engines import GraphFiles, Graphs, open_graphs
from edgeval.errors import ManifestError

pytest.importorskip("torch")

from edgeval.export import damage


@pytest.fixture(scope="module")
def opened(tiny: Path) -> Callable[[str], Graphs]:
    """The carried model in a precision."""

    def opener(suffix: str) -> Graphs:
        onnx = tiny / "onnx"
        return open_graphs(
            "cpu",
            GraphFiles(
                vision=onnx / "vision_encoder.onnx",
                embed=onnx / "embed_tokens.onnx",
                decoder=onnx / f"decoder_model_merged{suffix}.onnx",
                threads=1,
            ),
        )

    return opener


@pytest.fixture(scope="module")
def ids(tiny: Path) -> tuple[int, ...]:
    return damage.text_ids(Tokenizer(tiny / "tokenizer.json"), 1032)


@pytest.fixture(scope="module")
def wanted(opened, ids) -> damage.Reading:
    """What the full-precision graphs read."""
    return damage.read(opened(""), ids, said=(20, 30, 40, 50))


def test_the_text_is_long_enough(ids):
    assert len(ids) == damage.N_READ


def test_the_same_graphs_have_no_damage(opened, ids, wanted):
    choices = wanted.choices.copy()
    got = damage.compare(damage.read(opened(""), ids, wanted.said), wanted)
    assert (got.agreement, got.parted) == (1.0, 4)
    assert got.perplexity == got.reference
    assert np.array_equal(choices, wanted.choices)


def test_fewer_bits_have_some(opened, ids, wanted):
    got = damage.compare(damage.read(opened("_q4"), ids, wanted.said), wanted)
    assert 0.5 < got.agreement < 1
    assert got.perplexity != got.reference
    assert got.table()["argmax_agreement"] == float(f"{got.agreement:.4g}")


def test_prompts_in_one_call_are_as_good_where_pieces_are(opened, ids, wanted):
    got = damage.read_prompts(opened(""), ids, wanted)
    assert (got.n, got.agreement) == (31, 1.0)
    assert got.perplexity == pytest.approx(got.reference, rel=1e-5)


def test_prompts_of_fewer_bits_are_worse_and_told(opened, ids, wanted):
    got = damage.read_prompts(opened("_q4"), ids, wanted)
    assert got.agreement < 1
    assert got.table()["prompt_perplexity"] != got.table()["prompt_perplexity_fp32"]


def test_greedy_text_parts_at_the_first_other_choice():
    wanted = damage.Reading(nats=np.ones(2), choices=np.arange(6), said=(2, 3, 4, 5))
    got = damage.Reading(nats=np.ones(2), choices=np.array([0, 9, 2, 3, 9, 5]), said=(2, 3, 4, 5))
    assert damage.compare(got, wanted) == damage.Damage(
        n_tokens=2, perplexity=np.e, reference=np.e, agreement=0.5, parted=2
    )


def test_nats_are_those_of_a_softmax():
    logits = np.array([1000, 999, -50], np.float32)
    wanted = damage.Reading(nats=np.zeros(1), choices=np.zeros(1, np.int64), said=())
    assert wanted.perplexity == 1
    assert damage._nats(logits, 1) == pytest.approx(1.3132616875)


def test_a_tokenizer_of_another_model_is_told(tiny):
    with pytest.raises(ManifestError, match="of another model"):
        damage.text_ids(Tokenizer(tiny / "tokenizer.json"), 100)
