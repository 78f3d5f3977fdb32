"""``edgeval run``: a benchmark on a model, from clip to score, resumable."""

from __future__ import annotations

import dataclasses
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from types import FrameType
from typing import Any

import click

from edgeval import report as reports
from edgeval.cli.asked import spec_of, spec_options
from edgeval.cli.deadlines import deadline_option, deadline_table
from edgeval.cli.ears import ears
from edgeval.cli.progress import Progress
from edgeval.cli.sharing import tell_unshared
from edgeval.cli.watching import Together, monitor
from edgeval.costs.words import TITLE, section
from edgeval.device.monitor import Monitor
from edgeval.engines.told import told
from edgeval.errors import ArgumentError, Interrupted
from edgeval.figures import Report
from edgeval.finished import completed
from edgeval.run import execute
from edgeval.runcard import prepare, same_run
from edgeval.runfolder import model_name, read_card
from edgeval.runfolder.journal import Journal, claim, refuse_taken
from edgeval.runspec import Spec
from edgeval.seeing import Work
from edgeval.tables import comparison_tables, main_table
from edgeval.trace import Trace
from edgeval.types import Record


@click.command("run")
@click.argument("benchmark", required=False)
@spec_options
@deadline_option
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
        raise click.UsageError("got no BENCHMARK; 'edgeval list benchmarks' names them", ctx)
    spec = dataclasses.replace(
        spec_of(chosen),
        trace=chosen["trace"],
        device_card=not chosen["no_device_card"],
        deadlines=chosen["deadlines"],
    )
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
    if spec.share:
        tell_unshared(work.model)
    before = len(journal.records)
    trace = None if spec.trace is None else Trace(spec.trace, journal.records)
    work.model.through(lambda graphs: told(graphs, watcher.entered))
    began = time.monotonic()
    try:
        with _terminable(journal.folder), Progress(how, work.benchmark.rules[0], trace) as progress:
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
    card: dict[str, Any] = journal.card
    if "finished" not in card or len(journal.records) > before:
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
def _terminable(folder: Path) -> Iterator[None]:
    """SIGTERM ends the run in order, as a scheduler would want it."""

    def stop(_signum: int, _frame: FrameType | None) -> None:
        raise Interrupted(
            f"got SIGTERM; every answer so far is safe, go on with 'edgeval run --resume {folder}'"
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
