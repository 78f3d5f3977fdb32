"""``edgeval bench``: what one clip and its questions cost on this machine, stage by stage."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import click

from edgeval.cli.sharing import tell_unshared
from edgeval.media.probe import probe
from edgeval.model import Model, open_model
from edgeval.modelfolder import manifest
from edgeval.tables import aligned
from edgeval.types import Ask, Decoding, Frames, Timing
from edgeval.view import View
from edgeval.workload import Workload, decoded, workload

T = TypeVar("T")
QUESTIONS = (3, 18)


@click.command("bench")
@click.option("--model", default="tiny", show_default=True, help="Model name or folder.")
@click.option("--engine", default="cpu", show_default=True, help="cpu, cuda, trt[-inplace], auto.")
@click.option("--precision", help="Which of the model's precisions; its first by default.")
@click.option("--threads", type=click.IntRange(min=1), help="Engine threads; all cores by default.")
@click.option("--video", type=click.Path(path_type=Path), help="Clip to use; embedded by default.")
@click.option("--repeat", type=click.IntRange(min=1), default=5, show_default=True)
@click.option("--new-tokens", type=click.IntRange(min=1), default=32, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def command(  # noqa: PLR0913 - click hands every option over by name
    model: str,
    engine: str,
    precision: str | None,
    threads: int | None,
    video: Path | None,
    repeat: int,
    new_tokens: int,
    *,
    as_json: bool,
) -> None:
    """Measure one clip: index, decode, vision, prefill and tokens, medians over repeats.

    The last rows add those medians up to what a question costs when the clip is seen once for 3 or
    18 questions, and when it is seen anew for each.
    """
    folder = manifest.find(model)
    opened = open_model(folder, engine=engine, precision=precision, threads=threads)
    tell_unshared(opened)
    try:
        work = workload(opened, video, new_tokens)
        rows = _measure(opened, work, repeat)
    finally:
        opened.close()
    if as_json:
        click.echo(json.dumps(rows, indent=1))
        return
    table = [
        ["stage", "median", "unit"],
        *([name, f"{value:.4g}", unit] for name, value, unit in rows),
    ]
    click.echo(f"{work.video.name}, model {model}, engine {engine}, {repeat} repeats")
    click.echo(aligned(table))


def _measure(model: Model, work: Workload, repeat: int) -> list[tuple[str, float, str]]:
    probe_s, _ = _timed(lambda: probe(work.video), repeat)
    decode_s, seen = _timed(lambda: decoded(model, work), repeat)
    timings, n_prompt = _answers(model, seen, work.ask, repeat)
    n_frames = len(work.plan.indices)
    steps = [step for timing in timings for step in timing.step_s]
    medians = {
        name: statistics.median(getattr(timing, name) for timing in timings)
        for name in ("preprocess_s", "vision_s", "prefix_s", "prefill_s")
    }
    step_s = statistics.median(steps)
    clip_s = decode_s + sum(medians[name] for name in ("preprocess_s", "vision_s", "prefix_s"))
    question_s = medians["prefill_s"] + step_s * work.ask.max_new_tokens
    rows = [
        ("index the file", 1e3 * probe_s, "ms"),
        ("decode and shrink", 1e3 * decode_s / n_frames, "ms a frame"),
        ("pixels to tensor", 1e3 * medians["preprocess_s"] / n_frames, "ms a frame"),
        ("vision", 1e3 * medians["vision_s"] / n_frames, "ms a frame"),
        ("prefill of the clip", 1e3 * medians["prefix_s"], "ms"),
        ("prefill of a question", 1e3 * medians["prefill_s"], "ms"),
        ("tokens", 1 / step_s, "a second"),
        ("prompt", float(n_prompt), "tokens"),
    ]
    for n in QUESTIONS:
        rows.append((f"a question, clip seen once for {n}", clip_s / n + question_s, "s"))
    rows.append(("a question, clip seen anew", clip_s + question_s, "s"))
    return rows


def _timed(work: Callable[[], T], repeat: int) -> tuple[float, T]:
    """Median seconds and the last result."""
    spent = []
    for _ in range(repeat):
        began = time.perf_counter()
        result = work()
        spent.append(time.perf_counter() - began)
    return statistics.median(spent), result


def _answers(model: Model, seen: Frames, ask: Ask, repeat: int) -> tuple[Sequence[Timing], int]:
    """Timings of ``repeat`` answers, each with the clip seen anew, and the prompt's tokens."""
    timings = []
    n_prompt = 0
    for _ in range(repeat):
        view: View = model.see(seen)
        prompt = model.prompt(view, ask)
        n_prompt = len(prompt.token_ids)
        generation = model.answer(view, prompt, Decoding(), max_new_tokens=ask.max_new_tokens)
        timings.append(generation.timing)
    return timings, n_prompt
