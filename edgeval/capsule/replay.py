"""A capsule's run done again with the model and the data, and where it first goes another way."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from edgeval import dataset
from edgeval.capsule import stages
from edgeval.capsule.pack import MANIFEST
from edgeval.capsule.sealed import Capsule, Finding
from edgeval.errors import DataError
from edgeval.modelfolder import manifest
from edgeval.run import steps
from edgeval.runcard import differences, prepare, root_of
from edgeval.runspec import Spec
from edgeval.seeing import Work
from edgeval.types import Record

# Another version or device is no difference by itself; what comes of it is. Nor is why an engine
# was chosen: the replay names it.
_CIRCUMSTANCE = ("versions.", "model.engine_version", "model.engine_why", "model.placement")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """What to replay with. ``data`` None: what the benchmark carries."""

    model: str
    data: Path | None = None
    transcript: str | None = None
    exact: bool = False


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What a replay found. ``loose``: questions whose logits are close, not the same bits."""

    findings: list[Finding] = dataclasses.field(default_factory=list)
    notes: list[str] = dataclasses.field(default_factory=list)
    replayed: int = 0
    loose: int = 0


def replay(capsule: Capsule, sources: Sources) -> Outcome:
    """Ask every question again. Files are compared first, then every stage of every question.

    Raises DataError, ManifestError or EngineError where there is nothing to replay with.
    """
    outcome = Outcome()
    spec = _spec(capsule, sources)
    outcome.findings += _model_files(capsule, manifest.find(spec.model))
    if outcome.findings:
        return outcome  # Whatever came of another model would say nothing about this run.
    outcome.findings += _data_files(capsule, root_of(spec))
    try:
        work, card = prepare(spec)
    except DataError as error:
        if not outcome.findings:
            raise
        outcome.notes.append(str(error))
        return outcome
    try:
        for key, was, now in differences(capsule.card, card):
            if key.startswith(_CIRCUMSTANCE):
                outcome.notes.append(f"{key} was {was}, is {now}")
            elif not key.startswith("data."):  # Told question by question.
                outcome.findings.append(Finding(where=key, said=f"was {was}, is {now}"))
        _answers(capsule, work, outcome, exact=sources.exact)
    finally:
        work.model.close()
    return outcome


def _spec(capsule: Capsule, sources: Sources) -> Spec:
    """What was run, here: no path out of a capsule is read or written."""
    then = Spec.from_card(capsule.card)
    if then.data is not None and sources.data is None:
        raise DataError("the run was on data of its own; name the folder with --data")
    if then.transcript is not None and sources.transcript is None:
        raise DataError("the run read transcripts; name their folder with --transcript")
    return dataclasses.replace(
        then,
        model=sources.model,
        engine=str(capsule.card["identity"]["model"].get("engine", then.engine)),
        data=sources.data,
        transcript=sources.transcript,
        trace=None,
        speech_model=None,
        cache=None,
        keep_going=True,
    )


def _model_files(capsule: Capsule, folder: Path) -> Iterator[Finding]:
    """Files of the model that are not those of the run."""
    for name, digest in capsule.model_files.items():
        yield from _compared("model", folder, name, digest)
    sealed = capsule.members.get(MANIFEST)
    if sealed is not None:
        path = folder / MANIFEST
        if not path.is_file() or path.read_bytes() != sealed:
            yield Finding(where="model", said=f"{MANIFEST} is not the one of the run")


def _data_files(capsule: Capsule, root: Path) -> Iterator[Finding]:
    """Files of the data, videos apart, that are not those of the run."""
    for name, digest in capsule.files.items():
        yield from _compared("data", root, name, digest)


def _compared(where: str, root: Path, name: str, digest: str) -> Iterator[Finding]:
    try:
        path = dataset.inside(root, name)
        found = dataset.sha256(path)
    except DataError as error:
        yield Finding(where=where, said=str(error))
        return
    if found != digest:
        said = f"{name} is not the file of the run: sha256 was {digest[:16]}, is {found[:16]}"
        yield Finding(where=where, said=said)


def _answers(capsule: Capsule, work: Work, outcome: Outcome, *, exact: bool) -> None:
    left = {record.question.id: record for record in capsule.records}
    for step in steps(work):
        then = left.pop(step.record.question.id, None)
        outcome.replayed += 1
        if then is None:
            outcome.findings.append(_finding(step.record, "question", "was not asked then"))
        elif found := stages.first_difference(then, step.record, exact=exact):
            outcome.findings.append(_finding(then, *found))
        elif not stages.same_bits(then, step.record):
            outcome.loose += 1
    bare = sum(one.stages is None and one.failure is None for one in capsule.records)
    if bare:
        outcome.notes.append(f"{bare} records keep no stages: frames and pixels are not compared")
    for record in left.values():
        outcome.findings.append(_finding(record, "question", "is not in the data any more"))


def _finding(record: Record, stage: str, said: str) -> Finding:
    return Finding(where=stage, said=said, question=record.question.id)
