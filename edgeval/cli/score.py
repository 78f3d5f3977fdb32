"""``edgeval score``: answers from a file, or those of a finished run, under every rule."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from edgeval import benchmarks, tally
from edgeval.benchmarks.base import Benchmark
from edgeval.cli.deadlines import deadline_option, deadline_table
from edgeval.errors import ArgumentError, DataError, Interrupted, RunFolderError
from edgeval.rescore import rescore
from edgeval.runfolder import read_card, write_atomically
from edgeval.tables import aligned, main_table
from edgeval.types import Question, Record, Score


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    """One line of IN.jsonl, read."""

    uid: object
    question: Question
    response: str


@click.command("score")
@click.argument("what", nargs=-1, required=True, metavar="BENCHMARK IN.jsonl | RUNDIR")
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="OUT.jsonl")
@deadline_option
def command(what: tuple[str, ...], output: Path | None, deadlines: tuple[float, ...]) -> int:
    """Score answers without a model.

    With BENCHMARK IN.jsonl -o OUT.jsonl, IN has one {"uid", "doc", "response"} a line, doc being
    the dataset's row with what it lacks added (Video-MMMU: "track"), and OUT gets one
    {"uid", "scores"} a line. With RUNDIR, a finished run is scored again and its report rewritten.
    """
    if len(what) == 1 and output is None:
        again = rescore(Path(what[0]))
        click.echo(main_table(again.report, again.model_name))
        if deadlines:
            click.echo(deadline_table(again.benchmark, again.records, deadlines))
        if "finished" not in read_card(Path(what[0])):
            raise Interrupted(
                f"{what[0]}: these are the answers so far of a run that has not finished; go on "
                f"with 'edgeval run --resume {what[0]}'"
            )
        return 0
    if len(what) != 2 or output is None:
        raise click.UsageError("give BENCHMARK IN.jsonl -o OUT.jsonl, or RUNDIR alone")
    if deadlines:
        raise click.UsageError("--deadline needs a RUNDIR: IN.jsonl has no times")
    benchmark = benchmarks.load(what[0])
    if output.is_file() and Path(what[1]).is_file() and output.samefile(what[1]):
        raise ArgumentError(f"{output}: is where the answers are; choose another file with -o")
    lines = list(_read(Path(what[1]), benchmark))
    if not lines:
        raise DataError(f"{what[1]}: holds no answer; wants uid, doc and response a line")
    scored = [(line, benchmark.score(line.question, line.response)) for line in lines]
    _write(output, scored)
    click.echo(aligned(_summary(benchmark, scored)))
    # No rule that gave a single number is no score.
    return 0 if any(one.value is not None for _, scores in scored for one in scores) else 1


def _read(path: Path, benchmark: Benchmark) -> Iterator[_Line]:
    seen: set[str] = set()
    try:
        with path.open(encoding="utf-8-sig") as stream:
            for number, text in enumerate(stream, 1):
                if text.strip():
                    try:
                        line = _line(text, benchmark)
                    except DataError as error:
                        raise DataError(f"{path}, line {number}: {error}") from error
                    uid = json.dumps(line.uid)
                    if uid in seen:
                        raise DataError(f"{path}, line {number}: got the uid {uid} a second time")
                    seen.add(uid)
                    yield line
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: is not UTF-8 text; convert it first") from error


def _line(text: str, benchmark: Benchmark) -> _Line:
    try:
        row = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DataError(f"is not JSON ({error}); wants uid, doc and response") from error
    if not isinstance(row, dict):
        raise DataError(f"got {type(row).__name__}; wants an object with uid, doc and response")
    uid, doc, response = row.get("uid"), row.get("doc"), row.get("response")
    if not isinstance(uid, (str, int)):
        raise DataError(f"got {type(uid).__name__} for 'uid'; wants text or a whole number")
    if not isinstance(doc, dict):
        raise DataError(f"got {type(doc).__name__} for 'doc'; wants the dataset's row")
    if not isinstance(response, str):
        raise DataError(f"got {type(response).__name__} for 'response'; wants text")
    return _Line(uid=uid, question=benchmark.question(doc), response=response)


def _write(output: Path, scored: Sequence[tuple[_Line, Sequence[Score]]]) -> None:
    lines = [
        json.dumps({"uid": line.uid, "scores": {score.rule: _plain(score) for score in scores}})
        for line, scores in scored
    ]
    try:
        write_atomically(output, "".join(line + "\n" for line in lines))
    except Interrupted as error:
        raise RunFolderError(
            f"{output}: cannot be written ({_why(error)}); choose another place with -o"
        ) from error


def _why(error: Interrupted) -> str:
    cause = error.__cause__
    return str(cause.strerror if isinstance(cause, OSError) else cause)


def _plain(score: Score) -> dict[str, object]:
    return {"value": score.value, "parsed": score.parsed, "status": score.status}


def _summary(
    benchmark: Benchmark, scored: Sequence[tuple[_Line, Sequence[Score]]]
) -> list[list[str]]:
    """Rows of the table, header first: each task under each rule, then all of them."""
    records = [
        Record(question=line.question, setting="", scores={score.rule: score for score in scores})
        for line, scores in scored
    ]
    tasks = list(dict.fromkeys(record.question.task for record in records))
    rows = [["task", "rule", "accuracy", "n", "excluded", "unparsed", "judge"]]
    for task in (*tasks, "all") if len(tasks) > 1 else tasks:
        asked = [record for record in records if task in ("all", record.question.task)]
        for rule in benchmark.rules:
            cells = tally.cells(asked, rule)
            mean = tally.mean(cells)
            figure = tally.figure(("accuracy", rule, task), cells, value=mean)
            rows.append(
                [
                    task,
                    rule,
                    "-" if mean is None else f"{100 * mean:.2f}",
                    str(figure.n),
                    str(figure.n_excluded),
                    str(figure.n_unparsed),
                    str(figure.n_needs_judge),
                ]
            )
    return rows
