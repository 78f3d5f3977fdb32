"""Rows behind rows: prefill, steps, forks and growth give what the cpu engine gives."""

from __future__ import annotations

import gc

import numpy as np
import pytest

from edgeval.engines import GraphFiles, open_graphs
from edgeval.engines.trt import decoder as decoders
from edgeval.engines.trt import profiles
from edgeval.engines.trt.decoder import RowsContext
from edgeval.engines.trt.profiles import DECODE, PREFILL
from edgeval.errors import ArgumentError

TOKENS = (17, 41, 5, 99, 12, 64, 3, 250, 31, 8)


@pytest.fixture(scope="module")
def cpu(tiny):
    onnx = tiny / "onnx"
    graphs = open_graphs(
        "cpu",
        GraphFiles(
            vision=onnx / "vision_encoder.onnx",
            embed=onnx / "embed_tokens.onnx",
            decoder=onnx / "decoder_model_merged.onnx",
            threads=1,
        ),
    )
    yield graphs
    graphs.close()


@pytest.fixture
def start(on_host, cpu):
    """Contexts of one decoder over host memory."""
    decoder, memory, runners = on_host()

    def begin(capacity: int = 64) -> RowsContext:
        return RowsContext(decoder, lambda token: cpu.embed((token,)), capacity)

    begin.memory, begin.runners = memory, runners
    return begin


def wanted(cpu, *tokens: int) -> np.ndarray:
    """Logits after all the tokens, computed anew by the cpu engine."""
    return cpu.start(64).extend(cpu.embed(tokens)).copy()


def close(got: np.ndarray, want: np.ndarray) -> None:
    np.testing.assert_allclose(got, want, atol=2e-5 * np.abs(want).max(), rtol=0)


def test_prefill_equals_the_cpu_engine(start, cpu):
    close(start().extend(cpu.embed(TOKENS)), wanted(cpu, *TOKENS))


def test_steps_equal_a_full_recompute(start, cpu):
    context = start()
    context.extend(cpu.embed(TOKENS[:4]))
    for n, token in enumerate(TOKENS[4:], start=5):
        close(context.step(token), wanted(cpu, *TOKENS[:n]))


def test_the_first_run_has_an_empty_past_and_a_step_the_decode_profile(start, cpu):
    context = start()
    context.extend(cpu.embed(TOKENS))
    context.step(7)
    (first, shapes), (second, stepped) = start.runners[0].runs
    assert (first, shapes["past_rows.0.key"][1]) == (PREFILL, 0)
    assert (second, stepped["past_rows.0.key"][1]) == (DECODE, len(TOKENS))


def test_a_step_copies_nothing_when_rows_are_aligned(start, cpu):
    context = start()
    context.extend(cpu.embed(TOKENS))
    context.step(7)
    assert start.memory.copied_bytes == 0


def test_pieces_of_a_long_prompt_are_of_one_size(start, cpu, monkeypatch):
    monkeypatch.setattr(decoders, "MAX_PREFILL", 4)
    close(start().extend(cpu.embed(TOKENS)), wanted(cpu, *TOKENS))
    sizes = [shapes["inputs_embeds"][1] for _, shapes in start.runners[0].runs]
    assert sizes == [4, 4, 2]


def test_forks_go_on_from_the_same_place(start, cpu):
    parent = start()
    parent.extend(cpu.embed(TOKENS[:6]))
    for tail in (TOKENS[6:], (1, 2, 3)):
        close(parent.fork().extend(cpu.embed(tail)), wanted(cpu, *TOKENS[:6], *tail))


def test_a_parent_goes_on_while_its_fork_lives(start, cpu):
    parent = start()
    parent.extend(cpu.embed(TOKENS[:6]))
    fork = parent.fork()
    fork.extend(cpu.embed((9, 9)))
    close(parent.step(4), wanted(cpu, *TOKENS[:6], 4))
    close(fork.step(5), wanted(cpu, *TOKENS[:6], 9, 9, 5))


def test_an_earlier_fork_is_refused(start, cpu):
    parent = start()
    parent.extend(cpu.embed(TOKENS))
    earlier, _latest = parent.fork(), parent.fork()
    with pytest.raises(ArgumentError, match="later fork"):
        earlier.step(1)


def test_a_longer_context_opens_a_longer_engine_and_keeps_its_rows(start, cpu, monkeypatch):
    monkeypatch.setattr(profiles, "LEAST_CONTEXT", 8)
    context = start(capacity=8)
    context.extend(cpu.embed(TOKENS[:8]))
    close(context.step(TOKENS[8]), wanted(cpu, *TOKENS[:9]))
    assert len(start.runners) == 2


def test_rows_go_back_when_no_context_stands_on_them(start, cpu):
    context = start()
    context.extend(cpu.embed(TOKENS))
    held = len(start.memory.pieces)
    fork = context.fork()
    del context
    gc.collect()
    assert len(start.memory.pieces) == held
    del fork
    assert len(start.memory.pieces) < held


def test_rows_outlive_the_engine_they_were_made_by(start, cpu):
    context = start()
    context.extend(cpu.embed(TOKENS[:6]))
    context._decoder.close()
    close(context.extend(cpu.embed(TOKENS[6:])), wanted(cpu, *TOKENS))
    assert len(start.runners) == 2


def test_given_positions_are_used_and_counted_on_from(start, cpu):
    places = np.array([[3, 4, 5, 9, 9, 9, 9, 9, 9, 20]])
    ours, theirs = start(), cpu.start(64)
    close(
        ours.extend(cpu.embed(TOKENS), places=places),
        theirs.extend(cpu.embed(TOKENS), places=places).copy(),
    )
    close(ours.step(5), theirs.step(5).copy())


def test_rows_that_are_not_aligned_are_copied_and_they_alone(start, cpu, monkeypatch):
    monkeypatch.setattr("edgeval.engines.trt.cache.ALIGNED", 4096)
    context = start()
    context.extend(cpu.embed(TOKENS))
    before = start.memory.copied_bytes
    close(context.step(7), wanted(cpu, *TOKENS, 7))
    caches = context._decoder.caches
    row_bytes = sum(4 * cache.heads * cache.width for cache in caches)
    assert start.memory.copied_bytes - before == row_bytes
