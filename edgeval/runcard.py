"""From what a user asked for to the work to do, and the run card that says what that was."""

from __future__ import annotations

import dataclasses
import hashlib
import platform
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timezone
from importlib import metadata
from pathlib import Path
from typing import Any

from edgeval import __version__, benchmarks
from edgeval.analyses import prompting, transcripts, variants
from edgeval.analyses.transcripts import Transcripts
from edgeval.analyses.transcripts.heard import Ears
from edgeval.benchmarks.base import Benchmark
from edgeval.device import cpu, memory, packages
from edgeval.errors import ArgumentError, DataError, RunFolderError, UnknownName
from edgeval.footprint import fitting
from edgeval.model import open_model
from edgeval.modelfolder import manifest
from edgeval.processor import Setup
from edgeval.runfolder import CARD_SCHEMA, dumps
from edgeval.runspec import Spec
from edgeval.seeing import Work, check_videos
from edgeval.types import Clip


def prepare(spec: Spec, ears: Ears | None = None) -> tuple[Work, dict[str, object]]:
    """Everything a run needs, checked in the order that fails cheapest first, and its card.

    ``ears`` are for transcripts that are to be heard. Raises UnknownName for names, DataError for
    data and videos, ManifestError and EngineError for the models, MemoryLimitError for a clip that
    will not fit.
    """
    benchmark = benchmarks.load(spec.benchmark)
    way = prompting.check(spec.prompting)
    _check_transcript(benchmark, spec)
    _check_batch(spec)
    folder = manifest.find(spec.model)
    root = _root(benchmark, spec)
    clips = _clips(benchmark, root, spec)
    if not spec.keep_going and (wrong := check_videos(clips)):
        shown = "; ".join(wrong[:3]) + ("; ..." if len(wrong) > 3 else "")
        raise DataError(
            f"{len(wrong)} of {_n_videos(clips)} videos cannot be read: {shown}; "
            f"see 'edgeval data check {benchmark.name} --data {root}' or pass --keep-going"
        )
    told = _transcripts(clips, spec, ears)
    clips = tuple(variants.spread(clips, spec.variants, None if told is None else told.texts))
    model = open_model(
        folder,
        engine=spec.engine,
        precision=spec.precision,
        threads=spec.threads,
        share=spec.share,
        setup=Setup(protocol=spec.protocol, max_pixels=spec.max_pixels),
    )
    if spec.batch_questions > 1:
        most = max(len(clip.questions) for clip in clips)
        model.rows(max(2, min(spec.batch_questions, most)))  # Or the sentence why not.
    rule = spec.frames.applied_to(model.frame_rule())
    work = Work(
        benchmark=benchmark.under(spec.protocol, str(model.card()["family"])),
        root=root,
        clips=clips,
        model=model,
        rule=rule,
        decoding=spec.decoding,
        prompting=way,
        batch_questions=spec.batch_questions,
    )
    if model.card()["engine"] == "cpu":
        fitting.check(work, manifest.load(folder), spec.precision)
    return work, card(spec, work, told)


def card(spec: Spec, work: Work, told: Transcripts | None = None) -> dict[str, object]:
    """The run card: ``identity`` must be the same for a resume, the rest is circumstance."""
    processor = cpu.read()
    heard = {} if told is None else {"transcript": dict(told.card)}
    n = spec.batch_questions
    return {
        "schema": CARD_SCHEMA,
        "identity": {
            "benchmark": work.benchmark.name,
            "rules": list(work.benchmark.rules),
            "settings": sorted({clip.setting for clip in work.clips}),
            "variants": list(spec.variants),
            "data": _data_card(work.clips),
            "model": dict(work.model.card()),
            "frame_rule": dataclasses.asdict(work.rule),
            "decoding": dataclasses.asdict(work.decoding),
            "prompting": work.prompting,
            "share_prefix": work.model.reading.prefix,
            **heard,
            **({"batch_questions": n} if n > 1 else {}),
            "versions": _versions(),
        },
        "invocation": spec.to_json(),
        "device": {
            "cpu": processor.model,
            "n_cores": processor.n_usable,
            "features": list(processor.features),
            "large_pages_mib": memory.in_large_pages() >> 20,
            "machine": platform.machine(),
            "system": platform.platform(),
            "python": platform.python_version(),
        },
        "packages": packages.installed(),
        "started": datetime.now(timezone.utc).isoformat(timespec="seconds"),
    }


def same_run(then: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Raise RunFolderError, naming the first difference, unless both cards are of the same run."""
    for key, was, found in differences(then, now):
        raise RunFolderError(f"cannot resume: {key} was {was}, is now {found}; start a new run")


def differences(
    then: Mapping[str, Any], now: Mapping[str, Any]
) -> Iterator[tuple[str, str | None, str | None]]:
    """Key and both values of everything in which the identities of two run cards differ."""
    left, right = _flat(then["identity"]), _flat(now["identity"])
    for key in sorted({*left, *right}):
        if left.get(key) != right.get(key):
            yield key, left.get(key), right.get(key)


def _flat(value: object, prefix: str = "") -> dict[str, str]:
    if isinstance(value, Mapping):
        out: dict[str, str] = {}
        for key, inner in value.items():
            out |= _flat(inner, f"{prefix}.{key}" if prefix else str(key))
        return out
    return {prefix: dumps(value)}


def root_of(spec: Spec) -> Path:
    """The data folder of a spec."""
    return _root(benchmarks.load(spec.benchmark), spec)


def _root(benchmark: Benchmark, spec: Spec) -> Path:
    if spec.data is None:
        if benchmark.embedded is None or not benchmark.embedded.is_dir():
            raise DataError(
                f"{benchmark.name}: carries no data of its own; name a folder with --data"
            )
        return benchmark.embedded
    if not spec.data.is_dir():
        raise DataError(
            f"--data {spec.data}: got no such folder; wants the {benchmark.title} folder"
        )
    return spec.data.resolve()


def _clips(benchmark: Benchmark, root: Path, spec: Spec) -> tuple[Clip, ...]:
    for kind, asked, known in (
        ("setting", spec.settings, benchmark.settings),
        ("task", spec.tasks, benchmark.tasks),
    ):
        for name in asked:
            if name not in known:
                raise UnknownName(f"{benchmark.name} {kind}", name, known)
    settings = spec.settings or benchmark.default_settings
    clips = tuple(_limited(benchmark.clips(root, settings, spec.tasks), spec.limit))
    if not clips:
        raise DataError(f"{root}: got no question for {', '.join(settings)}; wants at least one")
    return clips


def _check_transcript(benchmark: Benchmark, spec: Spec) -> None:
    """Raise ArgumentError where a transcript has no place."""
    transcripts.check(spec.transcript, spec.speech_model, spec.cache)
    if spec.transcript is None:
        return
    if variants.TRANSCRIPT not in benchmark.settings:
        raise ArgumentError(
            f"--transcript: {benchmark.name} has no setting with a transcript; leave the option out"
        )
    settings = spec.settings or benchmark.default_settings
    if variants.WATCHED not in settings or variants.TRANSCRIPT in settings:
        raise ArgumentError(
            f"--transcript: got the settings {', '.join(settings)}; wants {variants.WATCHED!r} "
            f"among them and not {variants.TRANSCRIPT!r}, which it adds itself"
        )


def _check_batch(spec: Spec) -> None:
    """Raise ArgumentError for what answering together takes away."""
    if spec.batch_questions > 1 and not spec.share:
        raise ArgumentError(
            "--batch-questions: got --no-share too; questions are answered together behind the "
            "clip that they share, so leave one of the two out"
        )
    if spec.batch_questions > 1 and spec.deadlines:
        raise ArgumentError(
            "--batch-questions: got --deadline too; how long an answer is waited for is known only "
            "when it is generated alone, so leave one of the two out"
        )


def _transcripts(clips: Sequence[Clip], spec: Spec, ears: Ears | None) -> Transcripts | None:
    """What is said in the clips that are watched; None where nobody asked."""
    if spec.transcript is None:
        return None
    watched = [clip for clip in clips if clip.setting == variants.WATCHED]
    if not watched:
        raise ArgumentError("--transcript: got no question about a video; ask a task that has some")
    source = transcripts.source_of(spec.transcript, spec.speech_model, ears)
    return transcripts.gather(source, watched)


def _limited(clips: Iterable[Clip], limit: int | None) -> Sequence[Clip]:
    """The first ``limit`` questions of every task, as lmms-eval's --limit counts."""
    if limit is None:
        return tuple(clips)
    taken: dict[str, int] = {}
    kept = []
    for clip in clips:
        questions = []
        for question in clip.questions:
            if taken.get(question.task, 0) < limit:
                taken[question.task] = taken.get(question.task, 0) + 1
                questions.append(question)
        if questions:
            kept.append(dataclasses.replace(clip, questions=tuple(questions)))
    return kept


def _n_videos(clips: Sequence[Clip]) -> int:
    return len({clip.video for clip in clips if clip.video is not None})


def _data_card(clips: Sequence[Clip]) -> dict[str, object]:
    digest = hashlib.sha256()
    n_questions = 0
    for clip in clips:
        for question in clip.questions:
            n_questions += 1
            row = [clip.id, clip.setting, dataclasses.asdict(question), clip.transcript]
            digest.update(dumps(row).encode() + b"\n")
    return {
        "n_clips": len(clips),
        "n_videos": _n_videos(clips),
        "n_questions": n_questions,
        "questions_sha256": digest.hexdigest(),
    }


def _versions() -> dict[str, str]:
    names = ("av", "jinja2", "numpy", "tokenizers")
    return {"edgeval": __version__, **{name: metadata.version(name) for name in names}}
