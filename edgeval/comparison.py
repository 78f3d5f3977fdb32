"""Two run folders side by side: whether they may be compared, how they differ, what each cost.

Scores may be compared where the questions and the rules are the same; costs where the device, its
power mode, the engine and how many questions were answered together are the same too, or where the
user crosses them knowingly.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgeval import benchmarks, runcard
from edgeval.analyses.paired import Difference, differences
from edgeval.errors import RunFolderError
from edgeval.run import report_of
from edgeval.runfolder import model_name, read_card, read_records
from edgeval.types import Record

POWER_MODE, DEVICE, ENGINE, BATCH = "power-mode", "device", "engine", "batch-questions"
CROSSINGS = (POWER_MODE, DEVICE, ENGINE, BATCH)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run folder, read. ``records``: the true askings, not those of a variant."""

    folder: Path
    card: Mapping[str, Any]
    records: Mapping[str, Record]

    @property
    def name(self) -> str:
        """Model and precision, as a table names a run."""
        model = self.card["identity"]["model"]
        return f"{model_name(self.card)} {model.get('precision', '')}".strip()

    @property
    def costs(self) -> Mapping[str, Any]:
        """What it cost; empty before it has finished."""
        costs: Mapping[str, Any] = self.card.get("costs", {})
        return costs


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two runs on the same questions.

    ``changed``: what their run cards say differently, (key, a, b); ``crossed``: of CROSSINGS, what
    keeps their costs apart, with both values; ``notes``: what was left out.
    """

    a: Run
    b: Run
    differences: tuple[Difference, ...]
    changed: tuple[tuple[str, str, str], ...]
    crossed: Mapping[str, tuple[str, str]]
    notes: tuple[str, ...]


def opened(folder: Path) -> Run:
    """A run folder as it stands. Raises RunFolderError where there is nothing in it to compare."""
    card: Mapping[str, Any] = read_card(folder)
    records = {r.question.id: r for r in read_records(folder, card).records if not r.variant}
    if not records:
        raise RunFolderError(f"{folder}: got no answered question; go on with --resume first")
    return Run(folder=folder, card=card, records=records)


def compared(a: Run, b: Run) -> Comparison:
    """Both runs over the questions that both have answered.

    Raises RunFolderError where the questions or the rules are not the same.
    """
    _require_same(a, b)
    common = [name for name in a.records if name in b.records]
    if not common:
        raise RunFolderError(
            f"{a.folder} and {b.folder}: got no question that both answered; resume them first"
        )
    benchmark = benchmarks.load(str(a.card["identity"]["benchmark"]))
    found = differences(
        lambda records: report_of(benchmark, records),
        [a.records[name] for name in common],
        [b.records[name] for name in common],
    )
    return Comparison(
        a=a,
        b=b,
        differences=found,
        changed=tuple(_changed(a, b)),
        crossed=_crossed(a, b),
        notes=tuple(_notes((a, b), len(common))),
    )


def _require_same(a: Run, b: Run) -> None:
    for what, keys in (
        ("benchmark", ("benchmark",)),
        ("rules", ("rules",)),
        ("questions", ("data", "questions_sha256")),
    ):
        got = []
        for run in (a, b):
            value: Any = run.card["identity"]
            for key in keys:
                value = value.get(key) if isinstance(value, Mapping) else None
            got.append(value)
        if got[0] != got[1]:
            raise RunFolderError(
                f"cannot compare: got {what} {got[0]} in {a.folder} and {got[1]} in {b.folder}; "
                f"wants two runs with the same {what}"
            )


def _changed(a: Run, b: Run) -> Iterator[tuple[str, str, str]]:
    """What differs, hashes left out: they are of files that other keys name."""
    for key, left, right in runcard.differences(a.card, b.card):
        if "sha256" not in key:
            yield key, left or "-", right or "-"
    threads = [str(run.card.get("invocation", {}).get("threads") or "all") for run in (a, b)]
    if threads[0] != threads[1]:
        yield "threads", threads[0], threads[1]


def _crossed(a: Run, b: Run) -> dict[str, tuple[str, str]]:
    told = {
        POWER_MODE: tuple(_of_sources(run, "power_mode") for run in (a, b)),
        DEVICE: tuple(_of_sources(run, "name") or _processor(run) for run in (a, b)),
        ENGINE: tuple(str(run.card["identity"]["model"].get("engine", "")) for run in (a, b)),
        BATCH: tuple(str(run.card["identity"].get("batch_questions", 1)) for run in (a, b)),
    }
    return {what: (one, two) for what, (one, two) in told.items() if one != two}


def _of_sources(run: Run, key: str) -> str:
    """Of everything that was watched, in every session."""
    sessions: Sequence[Mapping[str, Any]] = run.costs.get("sessions", ())
    values = (source[key] or "unknown" for one in sessions for source in one["sources"])
    return ", ".join(dict.fromkeys(values))


def _processor(run: Run) -> str:
    return str(run.card.get("device", {}).get("cpu", ""))


def _notes(runs: Sequence[Run], n_common: int) -> Iterator[str]:
    for run in runs:
        if left := len(run.records) - n_common:
            yield f"{left} questions of {run.folder} have no answer in the other run: left out"
        if not run.costs:
            yield f"{run.folder} tells no costs: it has not finished, or an older version ran it"
        elif not run.costs["sessions"]:
            yield f"{run.folder} was not watched: its costs are times only"
    if all("unknown" in _of_sources(run, "power_mode") for run in runs):
        yield "the power mode of neither run is known: whether it was the same cannot be checked"
    yield (
        "differences are paired over the same questions; 95 % intervals by leaving whole videos "
        "out, each headline by itself"
    )


def cost_rows(a: Run, b: Run) -> list[tuple[str, float, float]]:
    """What, a and b, of every cost that both tell. Joules only of meters that cover the same."""
    left, right = (dict(_costs(run.costs)) for run in (a, b))
    return [(what, left[what], right[what]) for what in left if what in right]


def _costs(costs: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    if not costs:
        return
    for what, times in costs["first_token_s"].items():
        for q in (50, 90, 99):
            yield f"first token, {what}, p{q} [ms]", 1000 * times[f"p{q}_s"]
    for name, stage in costs["stages"].items():
        yield f"{name}, a {stage['per']}, p50 [ms]", 1000 * stage["p50_s"]
    for name, rate in costs["a_second"].items():
        yield f"{name} a second", rate
    for one in costs["energy"]:
        where = f"{one['source']}, {one['covers']}"
        for key in ("joules_a_question", "joules_a_correct_answer", "watts", "idle_watts"):
            if one[key] is not None:
                yield f"{key.replace('_', ' ')} ({where})", one[key]
    for kind, phases in costs["peak_bytes"].items():
        yield f"peak memory, {kind} [MiB]", max(phases.values()) / (1 << 20)
