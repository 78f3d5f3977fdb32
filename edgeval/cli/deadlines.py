"""``--deadline``, as ``run`` and ``score`` have it, and the table it asks for."""

from __future__ import annotations

from collections.abc import Sequence

import click

from edgeval import tables
from edgeval.analyses import deadline
from edgeval.benchmarks.base import Benchmark
from edgeval.cli.finite import FiniteRange
from edgeval.types import Record

deadline_option = click.option(
    "--deadline",
    "deadlines",
    type=FiniteRange(min=0, min_open=True),
    multiple=True,
    help="Seconds after which an answer is wrong; may be repeated. Shows the whole curve.",
)


def deadline_table(benchmark: Benchmark, records: Sequence[Record], wanted: Sequence[float]) -> str:
    """Every deadline under the leading rule, over the benchmark's main setting where it was run."""
    asked = [record for record in records if record.setting == benchmark.settings[0]]
    figures = deadline.curve(asked or records, benchmark.rules[0], wanted)
    return f"\nWith a deadline\n\n{tables.deadline_table(figures)}"
