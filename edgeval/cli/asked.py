"""What a run is asked for on the command line: the options of ``run`` and ``plan``, as a Spec."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import click

from edgeval.analyses import variants
from edgeval.errors import ArgumentError
from edgeval.runspec import FrameChoice, Spec
from edgeval.types import Decoding

F = TypeVar("F", bound=Callable[..., object])

DEFAULT_MODEL = "tiny"
SEED = click.IntRange(0, 2**64 - 1)

Option = Callable[[Any], Any]
_OPTIONS: tuple[Option, ...] = (
    click.option("--model", default=DEFAULT_MODEL, show_default=True, help="Model name or folder."),
    click.option(
        "--engine", default="cpu", show_default=True, help="cpu, cuda, trt[-inplace], auto."
    ),
    click.option("--precision", help="Which of the model's precisions; its first by default."),
    click.option(
        "--data", type=click.Path(path_type=Path), help="Dataset folder; embedded by default."
    ),
    click.option("--setting", "settings", multiple=True, help="Setting to run; may be repeated."),
    click.option("--task", "tasks", multiple=True, help="Task to run; may be repeated."),
    click.option("--limit", type=click.IntRange(min=1), help="First N questions of every task."),
    click.option(
        "--protocol",
        default="native",
        show_default=True,
        help="Whose frames, pixels and prompt: native (the model's authors') or lmms-eval.",
    ),
    click.option("--frames", "budgets", help="At most N frames a clip; N,M,... runs each budget."),
    click.option("--ablate", help="Also ask so changed: blind,single,shuffle,reverse,wrong-video."),
    click.option("--transcript", help="Also ask with a transcript: a folder or file, or auto."),
    click.option(
        "--speech-model", type=click.Path(path_type=Path), help="Whisper folder for auto."
    ),
    click.option("--cache", type=click.Path(path_type=Path), help="Where auto keeps transcripts."),
    click.option("--fps", type=click.FloatRange(min=0, min_open=True), help="Frames a second."),
    click.option("--max-pixels", type=click.IntRange(min=1), help="Largest picture, in pixels."),
    click.option("--rule", help="Frame rule; the family's own by default."),
    click.option(
        "--order", type=click.Choice(["forward", "reverse", "shuffle"]), help="Frame order."
    ),
    click.option(
        "--seed", type=SEED, default=0, show_default=True, help="For sampling and shuffling."
    ),
    click.option("--temperature", type=float, default=0.0, show_default=True, help="0 is greedy."),
    click.option("--top-p", type=float, default=1.0, show_default=True),
    click.option("--top-k", type=int, default=0, show_default=True, help="0 is all tokens."),
    click.option("--prompting", default="direct", show_default=True, help="How to ask."),
    click.option("--max-new-tokens", type=int, help="Longest answer; the benchmark's by default."),
    click.option("--stop", multiple=True, help="Text that ends an answer; may be repeated."),
    click.option(
        "--threads", type=click.IntRange(1, 1024), help="Engine threads; all cores by default."
    ),
    click.option("--no-share", is_flag=True, help="Prefill the clip anew for every question."),
    click.option(
        "--batch-questions",
        type=click.IntRange(1, 256),
        default=1,
        show_default=True,
        help="Questions of a clip to answer together: same answers, sooner if long, no latencies.",
    ),
    click.option("--keep-going", is_flag=True, help="Run although videos are missing or damaged."),
)


def spec_options(command: F) -> F:
    """Give a command every option that decides what is asked of whom, and how."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def spec_of(chosen: Mapping[str, Any]) -> Spec:
    """The spec of a command's parameters. Raises ArgumentError, UnknownName."""
    counts = _counts(chosen["budgets"])
    ablations = variants.check([name for name in (chosen["ablate"] or "").split(",") if name])
    return Spec(
        benchmark=chosen["benchmark"],
        model=chosen["model"],
        engine=chosen["engine"],
        precision=chosen["precision"],
        data=chosen["data"],
        settings=chosen["settings"],
        tasks=chosen["tasks"],
        limit=chosen["limit"],
        protocol=chosen["protocol"],
        max_pixels=chosen["max_pixels"],
        variants=(*ablations, *(variants.budgets(counts) if len(counts) > 1 else ())),
        frames=FrameChoice(
            rule=chosen["rule"],
            n=counts[0] if len(counts) == 1 else None,
            fps=chosen["fps"],
            order=chosen["order"],
            seed=chosen["seed"],
        ),
        decoding=Decoding(
            temperature=chosen["temperature"],
            top_p=chosen["top_p"],
            top_k=chosen["top_k"],
            seed=chosen["seed"],
            max_new_tokens=chosen["max_new_tokens"],
            stop=chosen["stop"],
        ),
        prompting=chosen["prompting"],
        transcript=chosen["transcript"],
        speech_model=chosen["speech_model"],
        cache=chosen["cache"],
        threads=chosen["threads"],
        share=not chosen["no_share"],
        batch_questions=chosen["batch_questions"],
        keep_going=chosen["keep_going"],
    )


def _counts(text: str | None) -> tuple[int, ...]:
    try:
        counts = tuple(int(part) for part in text.split(",")) if text else ()
    except ValueError:
        raise ArgumentError(
            f"--frames: got {text!r}; wants a number, or several as 1,2,4"
        ) from None
    if any(count < 1 for count in counts):
        raise ArgumentError(f"--frames: got {text!r}; wants 1 or more")
    return counts
