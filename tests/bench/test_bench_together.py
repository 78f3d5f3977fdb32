"""What answering the questions of a clip together saves, copies counted; off by default.

A clip of 512 tokens, 18 questions of 20 to 89 tokens behind it, the 135M shape with random weights,
one thread. Tokens and first logits of both ways are compared on the way.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from edgeval.engines import Context, GraphFiles, Graphs, open_graphs, rows_of
from edgeval.generate import Ending, Saying, Tokens, saying, together
from edgeval.types import Decoding

N_PREFIX, N_QUESTIONS = 512, 18
# Tokens of the longest answer: a letter and its end, a number, a reason.
ANSWERS = (2, 8, 28)


def opened(folder: Path) -> Graphs:
    return open_graphs(
        "cpu",
        GraphFiles(
            vision=folder / "vision_encoder.onnx",
            embed=folder / "embed_tokens.onnx",
            decoder=folder / "decoder_model_merged.onnx",
            threads=1,
        ),
    )


def said(
    graphs: Graphs, prefix: Context, asked: Sequence[tuple[np.ndarray, int]], most: int
) -> tuple[list[tuple[int, ...]], float]:
    """The answers, and the seconds of this thread that they took."""

    def one(question: np.ndarray, longest: int) -> Saying[Context, Tokens]:
        context = prefix.fork()
        first = context.extend(graphs.embed(question))
        ending = Ending(eos_ids=frozenset(), max_new_tokens=longest, decode=str)
        return (yield from saying(context, first, Decoding(), ending))

    rows = rows_of(graphs, most)
    start = time.thread_time()
    found = [tokens.ids for tokens in together((one(*x) for x in asked), rows, most)]
    return found, time.thread_time() - start


@pytest.mark.benchmark(group="18 questions behind 512 tokens of clip, 135M shape")
@pytest.mark.parametrize("longest", ANSWERS)
@pytest.mark.parametrize("most", [3, 8])
@pytest.mark.parametrize("precision", ["ort-fp32", "ort-q4"])
def test_questions_together(
    benchmark: BenchmarkFixture, shape135m: Path, precision: str, most: int, longest: int
) -> None:
    graphs = opened(shape135m / precision)
    rng = np.random.default_rng(0)
    asked = [
        (rng.integers(10, 49000, int(n)), int(rng.integers(1, longest + 1)))
        for n in rng.integers(20, 90, N_QUESTIONS)
    ]
    prefix = graphs.start(N_PREFIX + 512)
    prefix.extend(graphs.embed(rng.integers(10, 49000, N_PREFIX).tolist()))
    alone, alone_s = said(graphs, prefix, asked, 1)
    (batch, batch_s) = benchmark.pedantic(lambda: said(graphs, prefix, asked, most), rounds=3)
    assert batch == alone
    benchmark.extra_info["times_alone"] = round(alone_s / batch_s, 3)
