"""``edgeval compare``: two runs on the same questions, score by score and cost by cost."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import click

from edgeval.comparison import CROSSINGS, Comparison, compared, cost_rows, opened
from edgeval.errors import ArgumentError
from edgeval.tables import aligned


@click.command("compare")
@click.argument("a", metavar="RUN_A", type=click.Path(path_type=Path))
@click.argument("b", metavar="RUN_B", type=click.Path(path_type=Path))
@click.option(
    "--across",
    multiple=True,
    type=click.Choice(CROSSINGS),
    help="Compare costs although this differs; may be repeated.",
)
@click.option("--no-costs", is_flag=True, help="Compare scores only.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of tables.")
def command(a: Path, b: Path, across: tuple[str, ...], *, no_costs: bool, as_json: bool) -> None:
    """Compare RUN_B with RUN_A: every headline's difference with its interval, and what each cost.

    Runs of other questions or rules are refused. Costs under another power mode, on another device
    or engine, or with other --batch-questions are refused too (exit code 2, after the scores)
    unless --across says so.
    """
    found = compared(opened(a), opened(b))
    apart = {} if no_costs else {w: v for w, v in found.crossed.items() if w not in across}
    rows = [] if no_costs or apart else cost_rows(found.a, found.b)
    if as_json:
        click.echo(json.dumps(_plain(found, rows), indent=1, ensure_ascii=False))
    else:
        click.echo("\n\n".join(_tables(found, rows)))
    if apart:
        told = "; ".join(f"{what} {one} against {two}" for what, (one, two) in apart.items())
        flags = " ".join(f"--across {what}" for what in apart)
        raise ArgumentError(
            f"their costs are not compared: got {told}; pass {flags} if that is what you compare, "
            "or --no-costs"
        )


def _tables(found: Comparison, rows: list[tuple[str, float, float]]) -> Iterator[str]:
    a, b = found.a, found.b
    yield f"A: {a.folder} ({a.name})\nB: {b.folder} ({b.name})"
    table = [["percent", "rule", "A", "B", "B - A [95 % interval]", "n"]]
    for one in found.differences:
        name, rule, group = one.key
        shares = ("-" if value is None else f"{value:.2f}" for value in (one.a, one.b))
        bounds = "" if one.low is None else f" [{one.low:+.2f}, {one.high:+.2f}]"
        between = "-" if one.value is None else f"{one.value:+.2f}{bounds}"
        what = f"{name}, {group}" if group else name
        table.append([what, rule, *shares, between, str(one.n)])
    yield aligned(table)
    if rows:
        costs = [["cost", "A", "B", "B / A"]]
        for cost, left, right in rows:
            ratio = f"{right / left:.3f}" if left else "-"
            costs.append([cost, f"{left:.4g}", f"{right:.4g}", ratio])
        yield aligned(costs)
    lines = [f"{key}: A {left}, B {right}" for key, left, right in found.changed]
    lines += [f"{what}: A {left}, B {right}" for what, (left, right) in found.crossed.items()]
    yield "\n".join(f"- {line}" for line in (*lines, *found.notes))


def _plain(found: Comparison, rows: list[tuple[str, float, float]]) -> dict[str, object]:
    return {
        "a": str(found.a.folder),
        "b": str(found.b.folder),
        "differences": [{**asdict(one), "value": one.value} for one in found.differences],
        "costs": [{"cost": cost, "a": one, "b": two} for cost, one, two in rows],
        "changed": [{"key": key, "a": one, "b": two} for key, one, two in found.changed],
        "crossed": {what: {"a": one, "b": two} for what, (one, two) in found.crossed.items()},
        "notes": list(found.notes),
    }
