"""Contexts that take a token each in one call: every bit is that of one context at a time."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from edgeval.engines import Context, Floats, GraphFiles, Graphs, open_graphs, rows_of
from edgeval.engines.ort.cache import Decoder
from edgeval.engines.ort.embedding import Embedding
from edgeval.engines.ort.place import Place
from edgeval.engines.ort.rows import BufferRows, check_rows, prove_rows
from edgeval.engines.told import told
from edgeval.errors import EngineError
from edgeval.generate import Alone

RNG = np.random.default_rng(3)
PREFIX = RNG.integers(8, 1000, 60)
QUESTIONS = [RNG.integers(8, 1000, n) for n in (17, 40, 5, 2, 9, 31, 24)]
Opener = Callable[[str], Graphs]


@pytest.fixture(scope="module")
def opened(tiny: Path, request: pytest.FixtureRequest) -> Iterator[Opener]:
    """Graphs by a precision: fp32 and q4 have one buffer, plain has not."""
    kept: dict[str, Graphs] = {}

    def opener(precision: str) -> Graphs:
        if precision not in kept:
            onnx = tiny / "onnx"
            decoder = onnx / f"decoder_model_merged{'_q4' if precision == 'q4' else ''}.onnx"
            if precision == "fp32":
                decoder = request.getfixturevalue("spread_out")
            kept[precision] = open_graphs(
                "cpu",
                GraphFiles(
                    vision=onnx / "vision_encoder.onnx",
                    embed=onnx / "embed_tokens.onnx",
                    decoder=decoder,
                    threads=1,
                ),
            )
        return kept[precision]

    yield opener
    for graphs in kept.values():
        graphs.close()


@pytest.fixture(params=["fp32", "q4"])
def graphs(opened: Opener, request: pytest.FixtureRequest) -> Graphs:
    return opened(request.param)


def prefix_of(graphs: Graphs, capacity: int = 600) -> Context:
    prefix = graphs.start(capacity)
    prefix.extend(graphs.embed(PREFIX))
    return prefix


def said_alone(graphs: Graphs, lengths: Sequence[int]) -> list[list[bytes]]:
    """The logits behind each question and behind each token of its answer."""
    prefix, found = prefix_of(graphs), []
    for question, length in zip(QUESTIONS, lengths, strict=False):
        context = prefix.fork()
        logits = [context.extend(graphs.embed(question)).copy()]
        for _ in range(length):
            logits.append(context.step(int(logits[-1].argmax())).copy())
        found.append([one.tobytes() for one in logits])
    return found


def said_together(
    graphs: Graphs, lengths: Sequence[int], most: int, capacity: int = 600
) -> list[list[bytes]]:
    """The same, the next question as soon as there is a row for it."""
    prefix, rows = prefix_of(graphs, capacity), rows_of(graphs, most)
    found: list[list[Floats]] = [[] for _ in lengths]
    waiting, live = list(range(len(lengths)))[::-1], list[int]()
    while waiting or live:
        while waiting and len(live) < most:
            which = waiting.pop()
            context = prefix.fork()
            found[which].append(context.extend(graphs.embed(QUESTIONS[which])).copy())
            if lengths[which]:
                rows.add(context)
                live.append(which)
        if live:
            tokens = [int(found[which][-1].argmax()) for which in live]
            for which, logits in zip(live, rows.step(tokens), strict=True):
                found[which].append(logits.copy())
        for row in reversed(range(len(live))):
            if len(found[live[row]]) > lengths[live[row]]:
                rows.drop(row)
                live[row] = live[-1]
                live.pop()
    return [[one.tobytes() for one in logits] for logits in found]


@pytest.mark.parametrize("seed", range(4))
def test_answers_of_any_lengths_have_the_bits_of_one_at_a_time(graphs: Graphs, seed: int) -> None:
    rng = np.random.default_rng(seed)
    lengths = [int(n) for n in rng.integers(0, 14, len(QUESTIONS))]
    most = int(rng.integers(2, len(QUESTIONS) + 1))
    assert said_together(graphs, lengths, most) == said_alone(graphs, lengths)


def test_rows_outgrow_their_room(graphs: Graphs) -> None:
    lengths = [30, 90, 3]
    assert said_together(graphs, lengths, 3, capacity=64) == said_alone(graphs, lengths)


@pytest.mark.parametrize("capacity", [62, 100], ids=["outgrown", "roomy"])
def test_rows_keep_clips_apart(graphs: Graphs, capacity: int) -> None:
    """A row that began with one clip's tokens begins with another's next."""
    clips = (PREFIX, PREFIX[::-1])
    prefixes = [graphs.start(capacity) for _ in clips]
    for prefix, tokens in zip(prefixes, clips, strict=True):
        prefix.extend(graphs.embed(tokens))
    rows, alone = rows_of(graphs, 3), list[Context]()
    for at, question in enumerate(QUESTIONS):
        joined = prefixes[at // 2 % 2].fork()
        joined.extend(graphs.embed(question))
        rows.add(joined)
        alone.append(graphs.start(200))
        alone[-1].extend(graphs.embed(clips[at // 2 % 2]))
        alone[-1].extend(graphs.embed(question))
        wanted = [context.step(9).tobytes() for context in alone]
        assert [logits.tobytes() for logits in rows.step([9] * len(alone))] == wanted
        if len(alone) == 3:
            rows.drop(at % 2)
            alone[at % 2] = alone[-1]
            alone.pop()


def test_contexts_that_share_nothing_step_together_too(graphs: Graphs) -> None:
    rows, wanted = rows_of(graphs, 2), []
    for question in QUESTIONS[:2]:
        context = graphs.start(8)
        context.extend(graphs.embed(question))
        wanted.append(context.step(9).tobytes())
        again = graphs.start(8)
        again.extend(graphs.embed(question))
        rows.add(again)
    assert [logits.tobytes() for logits in rows.step([9, 9])] == wanted


def test_one_row_is_any_engines(opened: Opener) -> None:
    assert isinstance(rows_of(opened("plain"), 1), Alone)


def test_a_cache_that_grows_by_copies_is_not_batched(opened: Opener) -> None:
    with pytest.raises(EngineError, match=r"no GroupQueryAttention.*--flavour ort"):
        rows_of(opened("plain"), 2)


def test_graphs_that_are_listened_to_are_batched_as_they_are(opened: Opener) -> None:
    heard: list[str] = []
    graphs = told(told(opened("q4"), lambda _: None), heard.append)
    assert said_together(graphs, [4, 2], 2) == said_alone(opened("q4"), [4, 2])
    # The prefix and two questions, each with its embeddings; four steps, of which two are shared.
    assert heard[-6:] == ["prefill", "prefill", *["step"] * 4]


class Older:
    """An engine that has no rows."""

    version = "toy 1"


def test_an_engine_without_rows_says_so() -> None:
    with pytest.raises(EngineError, match="toy 1 answers one question at a time"):
        rows_of(Older(), 2)


@pytest.fixture(scope="module")
def decoder(tiny: Path) -> Decoder:
    place = Place(
        engine="cpu",
        provider="CPUExecutionProvider",
        memory="cpu",
        packages=("onnxruntime",),
        get="",
        threads=1,
    )
    table = Embedding(tiny / "onnx/embed_tokens.onnx", place)
    return Decoder(tiny / "onnx/decoder_model_merged_q4.onnx", table, place)


def test_a_device_is_not_batched_before_it_was_seen_to_be_right(
    decoder: Decoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = dataclasses.replace(decoder.session.place, engine="cuda", memory="cuda")
    monkeypatch.setattr(decoder.session, "place", elsewhere)
    with pytest.raises(EngineError, match="engine cuda was never seen"):
        check_rows(decoder)


@pytest.mark.parametrize("left", [4, 2])
def test_other_bits_in_any_number_of_rows_are_found(
    decoder: Decoder, monkeypatch: pytest.MonkeyPatch, left: int
) -> None:
    prove_rows(decoder, 4)
    step = BufferRows.step

    def other(self: BufferRows, token_ids: Sequence[int]) -> Sequence[Floats]:
        logits = step(self, token_ids)
        if len(token_ids) == left:
            logits[-1][7] = np.nextafter(logits[-1][7], np.float32(9))
        return logits

    monkeypatch.setattr(BufferRows, "step", other)
    with pytest.raises(EngineError, match=f"with {left} questions at a time"):
        prove_rows(decoder, 4)
