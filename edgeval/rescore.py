"""Score a run again from its records, without model, data or video."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from edgeval import benchmarks, report
from edgeval.benchmarks.base import Benchmark
from edgeval.errors import RunFolderError
from edgeval.run import report_of
from edgeval.runfolder import model_name
from edgeval.runfolder.journal import Journal
from edgeval.types import Record, Report


def rescore(folder: Path) -> tuple[Report, str]:
    """Put today's rules over the saved answers and write the final files anew.

    Returns the report and the model's name. The records stay as they were written. Raises
    RunFolderError when there is nothing to score.
    """
    with Journal.resume(folder) as journal:
        if not journal.records:
            raise RunFolderError(f"{folder}: got no answered question; go on with --resume first")
        card: Mapping[str, Any] = journal.card
        benchmark = benchmarks.load(str(card["identity"]["benchmark"]))
        records = [_scored(record, benchmark) for record in journal.records]
        again = report_of(benchmark, records)
        report.write(folder, card=card, benchmark=benchmark, records=records, report=again)
        return again, model_name(card)


def _scored(record: Record, benchmark: Benchmark) -> Record:
    if record.generation is None:
        return record
    scores = benchmark.score(record.question, record.answer)
    return dataclasses.replace(record, scores={one.rule: one for one in scores})
