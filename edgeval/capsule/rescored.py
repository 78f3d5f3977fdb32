"""The scores and figures of a capsule made again from its answers: no model, no data, no video."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict

from edgeval import benchmarks
from edgeval.capsule.pack import RESULTS
from edgeval.capsule.sealed import Capsule, Finding
from edgeval.errors import EdgevalError
from edgeval.run import report_of
from edgeval.runfolder import dumps


def differences(capsule: Capsule) -> Iterator[Finding]:
    """Every score, and every figure of the report, that is not the same to the bit.

    Raises UnknownName for a benchmark that is not here.
    """
    benchmark = benchmarks.load(str(capsule.card["identity"]["benchmark"]))
    for record in capsule.records:
        if record.generation is None:
            continue
        again = {one.rule: one for one in benchmark.score(record.question, record.answer)}
        for rule in dict.fromkeys((*record.scores, *again)):
            was, now = record.scores.get(rule), again.get(rule)
            if was != now:
                sealed, scored = was and was.value, now and now.value
                said = f"rule {rule}: {sealed} was sealed, the answer scores {scored}"
                yield Finding(where="scores", said=said, question=record.question.id)
    try:
        report = report_of(benchmark, capsule.records)
    except (EdgevalError, KeyError, ValueError, TypeError) as error:
        yield Finding(where=RESULTS, said=f"no report can be made of these records ({error!r})")
        return
    now = json.loads(dumps(asdict(report)))
    if capsule.report == now:
        return
    figures = [dumps(figure) for figure in capsule.report["figures"]]
    new = [figure for figure in now["figures"] if dumps(figure) not in figures]
    said = "the report is another now"
    if new:
        group = new[0]["group"] or "all"
        said = f"{new[0]['name']}, rule {new[0]['rule']}, {group}: is {new[0]['value']} now"
    yield Finding(where=RESULTS, said=said)
