"""``edgeval list``: what there is to name on the command line."""

from __future__ import annotations

from collections import Counter

import click

from edgeval import benchmarks, engines, families
from edgeval.analyses import prompting
from edgeval.benchmarks.base import Benchmark
from edgeval.errors import UnknownName
from edgeval.modelfolder import manifest
from edgeval.runspec import RULES
from edgeval.tables import aligned

KINDS = ("benchmarks", "engines", "families", "models", "rules", "promptings")


@click.command("list")
@click.argument("what", required=False)
def command(what: str | None) -> None:
    """List benchmarks, engines, families, models and frame rules, or all about one benchmark.

    WHAT is one of those words or a benchmark's name.
    """
    names = {
        "benchmarks": benchmarks.names(),
        "engines": engines.names(),
        "families": families.names(),
        "models": manifest.names(),
        "rules": RULES,
        "promptings": prompting.names(),
    }
    if what is None:
        for kind in KINDS:
            click.echo(f"{kind}: {', '.join(names[kind])}")
    elif what in names:
        for name in names[what]:
            click.echo(name)
    elif what in names["benchmarks"]:
        _describe(benchmarks.load(what))
    else:
        raise UnknownName("kind or benchmark", what, (*KINDS, *names["benchmarks"]))


def _describe(benchmark: Benchmark) -> None:
    click.echo(f"{benchmark.name}: {benchmark.title}")
    click.echo(f"source: {benchmark.source}")
    click.echo(f"licence: {benchmark.licence}")
    click.echo(f"rules: {', '.join(benchmark.rules)} (the first leads)")
    defaults = ", ".join(benchmark.default_settings)
    click.echo(f"settings: {', '.join(benchmark.settings)} (plain run: {defaults})")
    click.echo(f"tasks: {', '.join(benchmark.tasks)}")
    if benchmark.published:
        click.echo(f"published: {benchmark.published}")
    if benchmark.embedded is not None:
        clips = list(benchmark.clips(benchmark.embedded, benchmark.default_settings, ()))
        counts = Counter(question.task for clip in clips for question in clip.questions)
        videos = len({clip.video for clip in clips})
        shown = ", ".join(f"{task} {n}" for task, n in counts.items())
        click.echo(f"embedded: {videos} videos; questions: {shown}")
    if benchmark.references:
        keys = list(dict.fromkeys(key for row in benchmark.references for key in row.values))
        rows = [["reference (percent)", *keys, "source"]]
        for row in benchmark.references:
            cells = [f"{row.values[key]:.2f}" if key in row.values else "-" for key in keys]
            rows.append([row.name, *cells, row.source])
        click.echo(aligned(rows))
