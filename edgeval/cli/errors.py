"""``edgeval errors``: a sheet of wrong answers to fill by hand, and the tally of filled sheets."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from edgeval import benchmarks
from edgeval.analyses.contactsheet import contact_sheet
from edgeval.analyses.erroranalysis import EXPLAIN, categories, sample_wrong, tally, write_sheet
from edgeval.cli.ears import ears
from edgeval.cli.torn import say_torn
from edgeval.errors import ArgumentError, RunFolderError, UnknownName
from edgeval.png import write_png
from edgeval.run import say_after
from edgeval.runcard import prepare, root_of
from edgeval.runfolder import read_card, read_records
from edgeval.runspec import Spec
from edgeval.tables import aligned
from edgeval.types import Record

SHEET = "sheet.csv"


@click.command("errors")
@click.argument("run", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Folder for the sheet.")
@click.option("--n", type=click.IntRange(min=1), default=100, show_default=True)
@click.option("--seed", type=int, default=0, show_default=True, help="Which ones are drawn.")
@click.option("--rule", help="Wrong under which rule; the benchmark's first by default.")
@click.option("--no-explain", is_flag=True, help="Do not ask the model to explain itself.")
@click.option("--tally", "filled", type=click.Path(path_type=Path), help="Filled sheet to count.")
def command(  # noqa: PLR0913 - click hands every option over by name
    run: Path,
    output: Path | None,
    n: int,
    seed: int,
    rule: str | None,
    filled: Path | None,
    *,
    no_explain: bool,
) -> int:
    """Sample wrong answers of RUN onto a sheet, or count a filled one.

    The sheet (sheet.csv) has the question, a picture of the frames, the answer, and what the model
    says when it is asked to explain it. Write causes into its last column, several separated by
    ";", and count them with --tally.
    """
    card = read_card(run)
    spec = Spec.from_card(card)
    if filled is not None:
        return _count(filled, categories(spec.benchmark))
    if output is None:
        raise click.UsageError("give -o FOLDER for the sheet, or --tally SHEET to count one")
    tail = read_records(run, card)
    say_torn(run, tail)
    known = benchmarks.load(spec.benchmark).rules
    leading = rule or known[0]
    if leading not in known:
        raise UnknownName("rule", leading, known)
    wrong = sample_wrong(tail.records, leading, n, seed)
    if not wrong:
        raise RunFolderError(f"{run}: got no wrong answer under rule {leading!r}; nothing to do")
    sheet = output / SHEET
    if sheet.exists():
        raise ArgumentError(
            f"{sheet}: is there already, perhaps filled; choose another folder with -o"
        )
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ArgumentError(
            f"{output}: cannot be made ({error.strerror}); choose another folder with -o"
        ) from error
    pictures = _draw(wrong, root_of(spec), output)
    explanations = {} if no_explain else _explain(spec, wrong)
    write_sheet(sheet, wrong, explanations=explanations, pictures=pictures)
    click.echo(f"{len(wrong)} wrong answers under rule {leading}: {sheet}")
    click.echo(f"causes: {'; '.join(categories(spec.benchmark))}")
    return 0


def _draw(wrong: Sequence[Record], root: Path, folder: Path) -> dict[str, str]:
    """Question id to the name of its picture."""
    pictures = {}
    for i, record in enumerate(wrong, start=1):
        if record.video:
            pictures[record.question.id] = f"{i:03d}.png"
            picture = contact_sheet(root / record.video, record.frame_indices)
            write_png(folder / f"{i:03d}.png", picture)
    return pictures


def _explain(spec: Spec, wrong: Sequence[Record]) -> dict[str, str]:
    """Question id to what the model says when asked why."""
    work, _ = prepare(spec, ears(spec))
    try:
        answers = {record.question.id: record.answer for record in wrong}
        return dict(say_after(work, answers, EXPLAIN))
    finally:
        work.model.close()


def _count(filled: Path, known: Sequence[str]) -> int:
    """The table; 1 where nothing is filled in."""
    counted = tally(filled, known)
    rows = [["cause", "errors", "share"]]
    for cause, errors in counted.shares.items():
        share = f"{100 * errors / counted.n_filled:.1f} %" if counted.n_filled else "-"
        rows.append([cause, f"{errors:.2f}", share])
    click.echo(aligned(rows))
    click.echo(f"n = {counted.n_filled} errors with a cause, {counted.n_empty} without one")
    return 0 if counted.n_filled else 1
