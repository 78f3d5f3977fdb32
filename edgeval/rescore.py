"""Score a run again from its records, without model, data or video."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgeval import benchmarks, report
from edgeval.benchmarks.base import Benchmark
from edgeval.errors import RunFolderError
from edgeval.figures import Report
from edgeval.run import report_of
from edgeval.runfolder import model_name
from edgeval.runfolder.journal import Journal
from edgeval.types import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Rescored:
    """A run under today's rules. ``records`` have today's scores; those on disk keep theirs."""

    benchmark: Benchmark
    records: tuple[Record, ...]
    report: Report
    model_name: str


def rescore(folder: Path) -> Rescored:
    """Put today's rules over the saved answers and write the final files anew.

    Raises RunFolderError when there is nothing to score.
    """
    with Journal.resume(folder) as journal:
        if not journal.records:
            raise RunFolderError(f"{folder}: got no answered question; go on with --resume first")
        card: Mapping[str, Any] = journal.card
        benchmark = benchmarks.load(str(card["identity"]["benchmark"]))
        records = [_scored(record, benchmark) for record in journal.records]
        again = report_of(benchmark, records)
        report.write(folder, card=card, benchmark=benchmark, records=records, report=again)
        return Rescored(
            benchmark=benchmark,
            records=tuple(records),
            report=again,
            model_name=model_name(card),
        )


def _scored(record: Record, benchmark: Benchmark) -> Record:
    if record.generation is None:
        return record
    scores = benchmark.score(record.question, record.answer)
    return dataclasses.replace(record, scores={one.rule: one for one in scores})
