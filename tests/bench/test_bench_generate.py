"""What Python costs in the token loop, and what sharing the clip saves; off by default.

The decoder has the shape of SmolLM2-135M (30 layers of 576, 9 heads on 3, 49,280 words) with random
weights. Target: at most 5 % of the time inside onnxruntime is spent outside it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from edgeval.engines import GraphFiles, Graphs, open_graphs
from edgeval.engines.ort.session import Session
from edgeval.generate import Ending, Tokens, generate
from edgeval.types import Decoding

NAMES = {"plain": "plain-fp32", "ort": "ort-q4"}
N_PREFIX, N_QUESTION, N_TOKENS = 512, 60, 32
MOST_OUTSIDE = 0.05


def opened(folder: Path, flavour: str) -> Graphs:
    onnx = folder / NAMES[flavour]
    return open_graphs(
        "cpu",
        GraphFiles(
            vision=onnx / "vision_encoder.onnx",
            embed=onnx / "embed_tokens.onnx",
            decoder=onnx / "decoder_model_merged.onnx",
            threads=1,
        ),
    )


@dataclass
class Inside:
    """Seconds of this thread inside onnxruntime."""

    thread_s: float = 0.0


@pytest.fixture
def inside(monkeypatch: pytest.MonkeyPatch) -> Inside:
    spent, run = Inside(), Session.run_bound

    def timed(self: Session, binding: object) -> None:
        start = time.thread_time()
        run(self, binding)
        spent.thread_s += time.thread_time() - start

    monkeypatch.setattr(Session, "run_bound", timed)
    return spent


@pytest.mark.benchmark(group="token loop, 135M shape, 512 tokens before")
@pytest.mark.parametrize("flavour", ["plain", "ort"])
def test_the_loop_costs_little_beside_the_engine(
    at_least: Callable[[str, float, float], None],
    benchmark: BenchmarkFixture,
    shape135m: Path,
    inside: Inside,
    flavour: str,
) -> None:
    graphs = opened(shape135m, flavour)
    rng = np.random.default_rng(0)
    prompt = rng.standard_normal((N_PREFIX, 576)).astype(np.float32) * 0.3
    context = graphs.start(N_PREFIX + 2 * N_TOKENS)
    first = context.extend(prompt).copy()
    ending = Ending(eos_ids=frozenset(), max_new_tokens=N_TOKENS, decode=str)

    def loop() -> tuple[float, float, Tokens]:
        inside.thread_s = 0.0
        start = time.thread_time()
        tokens = generate(context.fork(), first, Decoding(), ending)
        total_s = time.thread_time() - start
        return total_s - inside.thread_s, inside.thread_s, tokens

    loop()
    outside_s, inside_s, tokens = benchmark.pedantic(loop, rounds=3)
    benchmark.extra_info["outside_share"] = round(outside_s / inside_s, 4)
    benchmark.extra_info["ms_per_token"] = round(1e3 * float(np.median(tokens.step_s)), 3)
    at_least("time inside onnxruntime / time outside", inside_s / outside_s, 1 / MOST_OUTSIDE)


@pytest.mark.benchmark(group="one question behind 512 tokens of clip, 135M shape, q4")
@pytest.mark.parametrize("share", [True, False], ids=["shared", "unshared"])
def test_a_question_with_and_without_the_shared_prefix(
    benchmark: BenchmarkFixture, shape135m: Path, share: bool
) -> None:
    graphs = opened(shape135m, "ort")
    rng = np.random.default_rng(0)
    embeds = rng.standard_normal((N_PREFIX + N_QUESTION, 576)).astype(np.float32) * 0.3
    prefix = graphs.start(len(embeds) + 8)
    prefix.extend(embeds[:N_PREFIX])

    def ask() -> None:
        if share:
            prefix.fork().extend(embeds[N_PREFIX:])
        else:
            graphs.start(len(embeds) + 8).extend(embeds)

    benchmark.pedantic(ask, rounds=5, warmup_rounds=1)
