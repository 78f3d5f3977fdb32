"""``edgeval selftest``: does this engine, on this machine, answer as the model's maker saw it?"""

from __future__ import annotations

import json
import platform
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timezone
from pathlib import Path

import click

from edgeval import __version__
from edgeval.device import cpu
from edgeval.errors import ArgumentError, Interrupted, ManifestError
from edgeval.model import Model, open_model
from edgeval.modelfolder import manifest
from edgeval.selftest import FILE
from edgeval.selftest.asking import ask_again, keep
from edgeval.selftest.compare import STAGES, Verdict
from edgeval.selftest.reference import Kept, Reference, read, write
from edgeval.tables import aligned

DIFFERS = 1
SHOWN = 5


@click.command("selftest")
@click.option("--model", default="tiny", show_default=True, help="Model name or folder.")
@click.option("--engine", default="cpu", show_default=True, help="cpu, cuda, trt[-inplace], auto.")
@click.option("--precision", help="Which of the model's precisions; its first by default.")
@click.option("--threads", type=click.IntRange(min=1), help="Engine threads; all cores by default.")
@click.option("--against", type=click.Path(path_type=Path), help=f"Record; the model's {FILE}.")
@click.option("--record", is_flag=True, help="Write the record instead, every precision.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def command(  # noqa: PLR0913 - click hands every option over by name
    model: str,
    engine: str,
    precision: str | None,
    threads: int | None,
    against: Path | None,
    *,
    record: bool,
    as_json: bool,
) -> int:
    """Ask fixed questions about embedded clips and compare every stage with a recorded answer.

    Frames, pixels and prompts are held to the bit; image features and the logits of every token to
    the tolerance of the precision; tokens, answers and scores must be the same, unless the two best
    tokens were as good as each other. Exit code 0 when all of it holds, 1 when something differs:
    the first stage that does is named. --record makes the record, on a machine that you trust.
    """
    folder = manifest.find(model)
    path = folder / FILE if against is None else against
    if record:
        names = (precision,) if precision else tuple(manifest.load(folder).variants)
        kept = {name: _recorded(_opened(folder, engine, name, threads)) for name in names}
        try:
            write(path, {**(dict(read(path)) if precision and path.exists() else {}), **kept})
        except Interrupted as error:
            raise ArgumentError(
                f"{path}: the record cannot be written ({error.__cause__}); name another place "
                "with --against"
            ) from error
        n = sum(len(one.answers) for one in kept.values())
        click.echo(f"recorded   {n} answers in {', '.join(kept)}, in {path}")
        return 0
    reference = read(path)
    opened = _opened(folder, engine, precision, threads)
    try:
        name = str(opened.card()["precision"])
        kept_here = _of(reference, name, path)
        verdicts = list(ask_again(opened, kept_here))
    finally:
        opened.close()
    differing = [verdict for verdict in verdicts if verdict.stage]
    if as_json:
        row = {"model": dict(opened.card()), "made": dict(kept_here.made)}
        click.echo(json.dumps({**row, "questions": [asdict(one) for one in verdicts]}, indent=1))
    else:
        _say(opened, kept_here, verdicts)
    return DIFFERS if differing else 0


def _opened(folder: Path, engine: str, precision: str | None, threads: int | None) -> Model:
    return open_model(folder, engine=engine, precision=precision, threads=threads)


def _recorded(model: Model) -> Kept:
    try:
        return keep(
            model,
            {
                "edgeval": __version__,
                "cpu": cpu.read().model,
                "machine": platform.machine(),
                "on": datetime.now(timezone.utc).date().isoformat(),
            },
        )
    finally:
        model.close()


def _of(reference: Reference, precision: str, path: Path) -> Kept:
    if precision not in reference:
        raise ManifestError(
            f"{path}: got records of {', '.join(reference)}; wants one of {precision}, made with "
            f"'edgeval selftest --record --precision {precision}'"
        )
    return reference[precision]


def _say(model: Model, kept: Kept, verdicts: Sequence[Verdict]) -> None:
    """How many questions each stage was the same for, how far off, and the first that differ."""
    card, made = model.card(), kept.made
    click.echo(f"model      {card['name']} {card['precision']} on {card['engine_version']}")
    told = (made.get(key, "?") for key in ("engine", "cpu", "machine", "on"))
    click.echo(f"recorded   {', '.join(told)}")
    click.echo(aligned([["stage", "same", "differs", "off by", "allowed"], *_rows(kept, verdicts)]))
    ties = sum(verdict.tie for verdict in verdicts)
    if ties:
        click.echo(f"note: {ties} answers part where two tokens were as good as each other")
    differing = [verdict for verdict in verdicts if verdict.stage]
    if not differing:
        click.echo(f"passed: {len(verdicts)} questions, every stage as recorded")
        return
    first = min(differing, key=lambda verdict: STAGES.index(verdict.stage))
    click.echo(f"FAILED: {len(differing)} of {len(verdicts)}; the first stage is {first.stage}")
    for verdict in differing[:SHOWN]:
        click.echo(f"  {verdict.stage}: {verdict.question}: {verdict.said}")
    if len(differing) > SHOWN:
        click.echo(f"  and {len(differing) - SHOWN} more")


def _rows(kept: Kept, verdicts: Sequence[Verdict]) -> list[list[str]]:
    """One row a stage; a question counts up to the first stage in which it differs."""
    differing = Counter(verdict.stage for verdict in verdicts)
    left, rows = len(verdicts), []
    offs = {
        "features": (max((v.features_off for v in verdicts), default=0), kept.tolerance.features),
        "logits": (max((v.logits_off for v in verdicts), default=0), kept.tolerance.logits),
    }
    for stage in STAGES:
        left -= differing[stage]
        off = [f"{number:.3g}" for number in offs[stage]] if stage in offs else ["", ""]
        rows.append([stage, str(left), str(differing[stage]), *off])
    return rows
