"""Either way of the cache: prefill, steps, forks and growth give what the cpu engine gives."""

from __future__ import annotations

import gc

import numpy as np
import pytest

from edgeval.engines import GraphFiles, open_graphs
from edgeval.engines.trt import decoder as decoders
from edgeval.engines.trt import profiles
from edgeval.engines.trt.decoder import RowsContext
from edgeval.engines.trt.profiles import DECODE, PREFILL
from edgeval.engines.trt.ways import IN_PLACE, ROWS, WAYS, Way
from edgeval.errors import ArgumentError, EngineError

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


def beginning(way: Way, on_host, cpu):
    """Contexts of one decoder over host memory."""
    decoder, memory, runners = on_host(way)

    def begin(capacity: int = 64) -> RowsContext:
        return RowsContext(decoder, lambda token: cpu.embed((token,)), capacity)

    begin.memory, begin.runners = memory, runners
    return begin


@pytest.fixture(params=WAYS)
def start(request, on_host, cpu):
    """With the cache kept in either way."""
    if request.param == IN_PLACE.engine:
        request.getfixturevalue("tensor_scatter")
    return beginning(WAYS[request.param], on_host, cpu)


@pytest.fixture
def in_rows(on_host, cpu):
    return beginning(ROWS, on_host, cpu)


@pytest.fixture
def in_place(on_host, cpu, tensor_scatter):
    return beginning(IN_PLACE, on_host, cpu)


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


def test_the_first_run_has_an_empty_past_and_a_step_the_decode_profile(in_rows, cpu):
    context = in_rows()
    context.extend(cpu.embed(TOKENS))
    context.step(7)
    (first, shapes), (second, stepped) = in_rows.runners[0].runs
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


def test_rows_that_are_not_aligned_are_copied_and_they_alone(in_rows, cpu, monkeypatch):
    monkeypatch.setattr("edgeval.engines.trt.cache.ALIGNED", 4096)
    context = in_rows()
    context.extend(cpu.embed(TOKENS))
    before = in_rows.memory.copied_bytes
    close(context.step(7), wanted(cpu, *TOKENS, 7))
    caches = context._decoder.caches
    row_bytes = sum(4 * cache.heads * cache.width for cache in caches)
    assert in_rows.memory.copied_bytes - before == row_bytes


def test_in_place_every_step_has_the_same_shapes_and_addresses(in_place, cpu):
    """Which is what a graph that was recorded once holds."""
    context = in_place()
    context.extend(cpu.embed(TOKENS[:4]))
    for token in TOKENS[4:]:
        context.step(token)
    _, *steps = in_place.runners[0].runs
    assert {profile for profile, _ in steps} == {DECODE}
    assert all(shapes == steps[0][1] for _, shapes in steps)
    assert steps[0][1]["past_key_values.0.key"] == (1, 4, profiles.LEAST_CONTEXT, 32)
    assert (in_place.memory.n_recorded, in_place.memory.n_replayed) == (1, len(TOKENS) - 5)


def test_forks_in_the_same_memory_are_replayed_with_the_same_graph(in_place, cpu):
    parent = in_place()
    parent.extend(cpu.embed(TOKENS[:6]))
    for tail in ((8, 9, 10), (1, 2, 3)):
        fork = parent.fork()
        fork.extend(cpu.embed(tail))
        for n in range(1, 4):
            close(fork.step(n), wanted(cpu, *TOKENS[:6], *tail, *range(1, n + 1)))
    assert (in_place.memory.n_recorded, in_place.memory.n_replayed) == (1, 5)


def test_contexts_in_turns_are_run_as_they_are(in_place, cpu):
    """Each has memory of its own: recording one for every step would cost more than it gives."""
    one, other = in_place(), in_place()
    for context in (one, other):
        context.extend(cpu.embed(TOKENS[:6]))
    for n in range(1, 4):
        close(one.step(n), wanted(cpu, *TOKENS[:6], *range(1, n + 1)))
        close(other.step(9 - n), wanted(cpu, *TOKENS[:6], *range(8, 8 - n, -1)))
    assert in_place.memory.n_recorded == 0


def test_a_step_that_cannot_be_recorded_is_run_as_it_is(in_place, cpu, monkeypatch, caplog):
    def refused(_work):
        raise EngineError("engine trt: cudaStreamEndCapture failed: cudaErrorStreamCapture")

    monkeypatch.setattr(in_place.memory, "recorded", refused)
    context = in_place()
    context.extend(cpu.embed(TOKENS[:4]))
    for n, token in enumerate(TOKENS[4:], start=5):
        close(context.step(token), wanted(cpu, *TOKENS[:n]))
    assert caplog.text.count("decode steps are not replayed") == 1


def test_a_graph_goes_back_with_its_engine(in_place, cpu):
    context = in_place()
    context.extend(cpu.embed(TOKENS[:4]))
    for _ in range(3):
        context.step(5)
    assert len(in_place.memory.graphs) == 1
    context._decoder.close()
    assert in_place.memory.graphs == {}


def test_a_longer_context_takes_what_others_hold_along(in_place, cpu, monkeypatch):
    """An engine's context is the length of every cache that it works on."""
    monkeypatch.setattr(profiles, "LEAST_CONTEXT", 8)
    short = in_place(capacity=8)
    short.extend(cpu.embed(TOKENS[:5]))
    long = in_place(capacity=20)
    close(long.extend(cpu.embed(TOKENS * 2)), wanted(cpu, *TOKENS * 2))
    close(short.step(TOKENS[5]), wanted(cpu, *TOKENS[:6]))
    assert len(in_place.runners) == 2
