"""``edgeval run``: a benchmark on a model, from clip to score, resumable."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from types import FrameType
from typing import Any

import click

from edgeval import report as reports
from edgeval.analyses import variants
from edgeval.cli.deadlines import deadline_option, deadline_table
from edgeval.cli.ears import ears
from edgeval.cli.progress import Progress
from edgeval.cli.watching import Together, monitor
from edgeval.costs.words import TITLE, section
from edgeval.device.monitor import Monitor
from edgeval.errors import ArgumentError, Interrupted
from edgeval.finished import completed
from edgeval.run import execute
from edgeval.runcard import prepare, same_run
from edgeval.runfolder import model_name, read_card
from edgeval.runfolder.journal import Journal, claim, refuse_taken
from edgeval.runspec import FrameChoice, Spec
from edgeval.seeing import Work
from edgeval.tables import comparison_tables, main_table
from edgeval.trace import Trace
from edgeval.types import Decoding, Record, Report

DEFAULT_MODEL = "tiny"
SEED = click.IntRange(0, 2**64 - 1)


@click.command("run")
@click.argument("benchmark", required=False)
@click.option("--model", default=DEFAULT_MODEL, show_default=True, help="Model name or folder.")
@click.option("--engine", default="cpu", show_default=True, help="cpu, cuda, trt, or auto.")
@click.option("--precision", help="Which of the model's precisions; its first by default.")
@click.option(
    "--data", type=click.Path(path_type=Path), help="Dataset folder; embedded by default."
)
@click.option("--setting", "settings", multiple=True, help="Setting to run; may be repeated.")
@click.option("--task", "tasks", multiple=True, help="Task to run; may be repeated.")
@click.option("--limit", type=click.IntRange(min=1), help="First N questions of every task.")
@click.option(
    "--protocol",
    default="native",
    show_default=True,
    help="Whose frames, pixels and prompt: native (the model's authors') or lmms-eval.",
)
@click.option("--frames", "budgets", help="At most N frames a clip; N,M,... runs each budget.")
@click.option("--ablate", help="Also ask so changed: blind,single,shuffle,reverse,wrong-video.")
@deadline_option
@click.option("--transcript", help="Also ask with a transcript: a folder or file, or auto.")
@click.option("--speech-model", type=click.Path(path_type=Path), help="Whisper folder for auto.")
@click.option("--cache", type=click.Path(path_type=Path), help="Where auto keeps transcripts.")
@click.option("--fps", type=click.FloatRange(min=0, min_open=True), help="Frames a second.")
@click.option("--max-pixels", type=click.IntRange(min=1), help="Largest picture, in pixels.")
@click.option("--rule", help="Frame rule; the family's own by default.")
@click.option("--order", type=click.Choice(["forward", "reverse", "shuffle"]), help="Frame order.")
@click.option("--seed", type=SEED, default=0, show_default=True, help="For sampling and shuffling.")
@click.option("--temperature", type=float, default=0.0, show_default=True, help="0 is greedy.")
@click.option("--top-p", type=float, default=1.0, show_default=True)
@click.option("--top-k", type=int, default=0, show_default=True, help="0 is all tokens.")
@click.option("--prompting", default="direct", show_default=True, help="How to ask.")
@click.option("--max-new-tokens", type=int, help="Longest answer; the benchmark's by default.")
@click.option("--stop", multiple=True, help="Text that ends an answer; may be repeated.")
@click.option(
    "--threads", type=click.IntRange(1, 1024), help="Engine threads; all cores by default."
)
@click.option("--no-share", is_flag=True, help="Prefill the clip anew for every question.")
@click.option("--keep-going", is_flag=True, help="Run although videos are missing or damaged.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Run folder to make.")
@click.option("--resume", type=click.Path(path_type=Path), help="Run folder to go on with.")
@click.option("--no-device-card", is_flag=True, help="Do not watch power, clocks and memory.")
@click.option("--trace", type=click.Path(path_type=Path), help="Write every noun of every answer.")
@click.option(
    "--progress",
    type=click.Choice(["auto", "rich", "plain", "none"]),
    default="auto",
    show_default=True,
    help="How to show progress on stderr.",
)
@click.pass_context
def command(ctx: click.Context, /, **_: object) -> int:
    """Run BENCHMARK on a model and score every answer under every rule.

    Without --model and --data it runs what the package carries. The result table goes to stdout,
    everything else into the run folder.
    """
    chosen = ctx.params
    if chosen["resume"] is not None:
        _only_resume(ctx)
        return _resume(chosen["resume"], chosen["progress"])
    if chosen["benchmark"] is None:
        raise click.UsageError("got no BENCHMARK; see 'edgeval list benchmarks'", ctx)
    spec = _spec(chosen)
    if chosen["output"] is not None:
        refuse_taken(chosen["output"])  # Before a model is loaded; Journal.create makes sure.
    with monitor(spec) as watcher:
        work, card = prepare(spec, ears(spec))
        folder = chosen["output"] or claim(Path("runs"), _name(spec))
        with Journal.create(folder, card) as journal:
            return _execute(work, journal, spec, (chosen["progress"], watcher))


def _only_resume(ctx: click.Context) -> None:
    said = [
        name
        for name in ctx.params
        if name not in ("resume", "progress")
        and ctx.get_parameter_source(name) == click.core.ParameterSource.COMMANDLINE
    ]
    if said:
        raise ArgumentError(
            f"--resume: got {', '.join(sorted(said))} too; a resumed run takes "
            "everything from its run card"
        )


def _spec(chosen: Mapping[str, Any]) -> Spec:
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
        keep_going=chosen["keep_going"],
        trace=chosen["trace"],
        device_card=not chosen["no_device_card"],
        deadlines=chosen["deadlines"],
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


def _name(spec: Spec) -> str:
    stamp = datetime.now(timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    return f"{spec.benchmark}-{Path(spec.model).resolve().name}-{stamp}"


def _resume(folder: Path, progress: str) -> int:
    spec = Spec.from_card(read_card(folder))
    with monitor(spec) as watcher:
        work, card = prepare(spec, ears(spec))
        with Journal.resume(folder) as journal:
            same_run(journal.card, card)
            if journal.torn_bytes:
                click.echo(
                    f"edgeval: {folder}: {journal.torn_bytes} bytes after the last whole record "
                    "were torn or damaged; their questions are asked again",
                    err=True,
                )
            return _execute(work, journal, spec, (progress, watcher))


def _execute(work: Work, journal: Journal, spec: Spec, seen_by: tuple[str, Monitor]) -> int:
    """``seen_by``: how progress is shown, and what watches the hardware."""
    how, watcher = seen_by
    trace = None if spec.trace is None else Trace(spec.trace, journal.records)
    work.model.tell(watcher.entered)
    began = time.monotonic()
    try:
        with _terminable(), Progress(how, work.benchmark.rules[0], trace) as progress:
            watcher.start(journal.folder, journal.card)
            report = execute(work, journal, Together(progress, watcher))
    except KeyboardInterrupt:
        click.echo(_go_on(journal), err=True)
        raise
    finally:
        watcher.stop()
        work.model.close()
        if trace is not None:
            trace.close()
    card = completed(journal, time.monotonic() - began)
    reports.write(
        journal.folder,
        card=card,
        benchmark=work.benchmark,
        records=journal.records,
        report=report,
    )
    journal.complete(card)
    _print(report, journal)
    if spec.deadlines:
        click.echo(deadline_table(work.benchmark, journal.records, spec.deadlines))
    click.echo(f"\n{TITLE}\n\n{section(card['costs'])}")
    return _exit_code(journal.records, report, keep_going=spec.keep_going)


def _go_on(journal: Journal) -> str:
    return (
        f"edgeval: interrupted; {len(journal.records)} answers are safe, go on with "
        f"'edgeval run --resume {journal.folder}'"
    )


@contextmanager
def _terminable() -> Iterator[None]:
    """SIGTERM ends the run in order, as a scheduler would want it."""

    def stop(_signum: int, _frame: FrameType | None) -> None:
        raise Interrupted(
            "got SIGTERM; every answer so far is safe, go on with 'edgeval run --resume'"
        )

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _print(report: Report, journal: Journal) -> None:
    click.echo(main_table(report, model_name(journal.card)))
    for title, table in comparison_tables(report).items():
        click.echo(f"\n{title}\n\n{table}")
    if report.comparisons:
        spent = reports.seconds_a_question(journal.records)
        told = ", ".join(f"{name or 'as it is'} {seconds:.3g}" for name, seconds in spent.items())
        click.echo(f"\n- seconds a question, the clip's cost shared: {told}")
    click.echo(f"edgeval: run folder {journal.folder}", err=True)


def _exit_code(records: list[Record], report: Report, *, keep_going: bool) -> int:
    """0 complete; 3 when a video failed; 1 when other samples failed or there is no number."""
    failed = [record for record in records if record.failure is not None]
    if failed:
        first = failed[0]
        why = first.failure.message if first.failure else ""
        click.echo(
            f"edgeval: {len(failed)} of {len(records)} questions failed (they count as 0); first: "
            f"{first.question.id}: {why}",
            err=True,
        )
        video = any(record.failure and record.failure.kind == "video" for record in failed)
        return 3 if video and not keep_going else 1
    has_number = any(figure.value is not None for figure in report.figures)
    return 0 if has_number else 1
