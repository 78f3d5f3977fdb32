"""Eighteen questions on one clip: decoded, seen and prefilled once, or for each; off by default.

The carried model on the largest real film, 16 frames, 4 tokens an answer. What is saved is the
clip's share: the longer it takes to decode and see, the nearer the ratio comes to the number of
questions.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from edgeval import frames
from edgeval.media.decode import decode
from edgeval.media.probe import probe
from edgeval.model import Model, open_model
from edgeval.modelfolder import manifest
from edgeval.types import Ask, Decoding, FrameRule
from edgeval.view import View

N_QUESTIONS, N_FRAMES, N_TOKENS, TIMES = 18, 16, 4, 10
ASKS = tuple(
    f"Question {k}: what does the person on the left hold at moment number {k}? (A) a cup (B) a "
    "book (C) a phone (D) nothing. Answer with the letter."
    for k in range(N_QUESTIONS)
)


def answers(model: Model, clip: Path, *, share: bool) -> list[tuple[int, ...]]:
    """Token ids of every answer."""

    def seen() -> View:
        plan = frames.plan(probe(clip), FrameRule(how="linspace_floor", n=N_FRAMES))
        return model.see(decode(plan, shrink=model.shrinker(plan), workers=1))

    view, given = seen(), []
    for at, text in enumerate(ASKS):
        if at and not share:
            view = seen()
        prompt = model.prompt(view, Ask(text=text, max_new_tokens=N_TOKENS))
        given.append(tuple(model.answer(view, prompt, Decoding(), N_TOKENS).token_ids))
    return given


def test_eighteen_questions_of_one_clip(
    at_least: Callable[[str, float, float], None], benchmark: BenchmarkFixture, shared: Path
) -> None:
    if not benchmark.enabled:
        pytest.skip("a benchmark: --benchmark-enable")
    clips = sorted((shared / "videos" / "real").glob("*.mp4"))
    clip = max(clips, key=lambda path: path.stat().st_size)
    spent: dict[bool, list[float]] = {True: [], False: []}
    given = {}

    def turn() -> None:
        for share, seconds in spent.items():
            folder = manifest.find("tiny")
            model = open_model(folder, engine="cpu", precision=None, threads=1, share=share)
            start = time.process_time()
            given[share] = answers(model, clip, share=share)
            seconds.append(time.process_time() - start)
            model.close()

    benchmark.pedantic(turn, rounds=3)
    assert given[True] == given[False]
    benchmark.extra_info |= {"clip": clip.name, "shared_s": min(spent[True])}
    at_least(
        "18 questions on a clip: nothing shared / shared, CPU seconds",
        min(spent[False]) / min(spent[True]),
        TIMES,
    )
