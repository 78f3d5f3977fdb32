"""From what a user asked for to the work to do, and the run card that says what that was."""

from __future__ import annotations

import dataclasses
import hashlib
import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from importlib import metadata
from pathlib import Path
from typing import Any

from edgeval import __version__, benchmarks, manifest, prompting, variants
from edgeval.benchmarks.base import Benchmark
from edgeval.device import cpu
from edgeval.errors import ArgumentError, DataError, RunFolderError, UnknownName
from edgeval.model import open_model
from edgeval.processor import NATIVE, Setup
from edgeval.run import Work, check_videos
from edgeval.runfolder import dumps
from edgeval.types import Clip, Decoding, FrameRule, How, Order

CARD_SCHEMA = 1
SPREAD: tuple[How, ...] = ("linspace_floor", "linspace_round", "segment_midpoints")
COUNTED: tuple[How, ...] = (*SPREAD, "segment_centres", "nested")
NUMBERED: tuple[How, ...] = (*COUNTED, "fps_linspace")
RULES: tuple[How, ...] = (*COUNTED, "stride", "fps", "smolvlm")


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameChoice:
    """What the user said about frames; None leaves the family's own rule as it is."""

    rule: str | None = None
    n: int | None = None
    fps: float | None = None
    order: Order | None = None
    seed: int = 0

    def applied_to(self, native: FrameRule) -> FrameRule:
        """The family's rule with the user's words put over it.

        Raises ArgumentError, UnknownName.
        """
        if self.rule is not None and self.rule not in RULES:
            raise UnknownName("frame rule", self.rule, RULES)
        rule = native
        if self.rule is not None:
            how = next(name for name in RULES if name == self.rule)
            n = self.n or native.n or native.max_n
            fps = self.fps or native.fps
            rule = FrameRule(how=how, n=n if how in COUNTED else None, fps=fps, max_n=n)
        elif self.n is not None and native.how in NUMBERED:
            rule = dataclasses.replace(native, n=self.n, source="user")
        elif self.n is not None:
            rule = dataclasses.replace(native, max_n=self.n, source="user")
        if self.fps is not None:
            if rule.how not in ("fps", "smolvlm", "fps_linspace"):
                raise ArgumentError(
                    f"--fps: got rule {rule.how!r}, which counts frames; use --frames"
                )
            rule = dataclasses.replace(rule, fps=self.fps, source="user")
        if self.order is not None:
            rule = dataclasses.replace(rule, order=self.order, seed=self.seed)
        return rule


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """One run as asked for. ``data`` None is the benchmark's embedded default.

    Empty tuples are defaults.
    """

    benchmark: str
    model: str
    engine: str = "cpu"
    precision: str | None = None
    data: Path | None = None
    settings: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()
    limit: int | None = None
    variants: tuple[str, ...] = ()
    protocol: str = NATIVE
    max_pixels: int | None = None
    frames: FrameChoice = dataclasses.field(default_factory=FrameChoice)
    decoding: Decoding = dataclasses.field(default_factory=Decoding)
    prompting: str = prompting.DIRECT
    threads: int | None = None
    share: bool = True
    keep_going: bool = False
    trace: Path | None = None

    def to_json(self) -> dict[str, object]:
        """Plain JSON values, from which ``from_json`` makes an equal spec."""
        row = dataclasses.asdict(self)
        for name in ("data", "trace"):
            path: Path | None = getattr(self, name)
            row[name] = None if path is None else str(path.resolve())
        return row

    @classmethod
    def from_card(cls, card: Mapping[str, Any]) -> Spec:
        """The spec of a run card. Raises RunFolderError where it has none."""
        found = card.get("invocation")
        if not isinstance(found, Mapping):
            raise RunFolderError("run.json: got no invocation; start a new run")
        return cls.from_json(found)

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> Spec:
        """The spec a run card holds. Raises RunFolderError where it holds none."""
        try:
            fields = dict(row)
            decoding = dict(fields.pop("decoding"))
            decoding["stop"] = tuple(decoding["stop"])
            return cls(
                frames=FrameChoice(**fields.pop("frames")),
                decoding=Decoding(**decoding),
                data=_path(fields.pop("data")),
                trace=_path(fields.pop("trace")),
                settings=tuple(fields.pop("settings")),
                tasks=tuple(fields.pop("tasks")),
                variants=tuple(fields.pop("variants")),
                **fields,
            )
        except (KeyError, TypeError) as error:
            raise RunFolderError(f"run.json: got no invocation to go on with ({error})") from error


def _path(text: str | None) -> Path | None:
    return None if text is None else Path(text)


def prepare(spec: Spec) -> tuple[Work, dict[str, object]]:
    """Everything a run needs, checked in the order that fails cheapest first, and its card.

    Raises UnknownName for names, DataError for data and videos, ManifestError and EngineError for
    the model.
    """
    benchmark = benchmarks.load(spec.benchmark)
    way = prompting.check(spec.prompting)
    folder = manifest.find(spec.model)
    root = _root(benchmark, spec)
    clips = _clips(benchmark, root, spec)
    if not spec.keep_going and (wrong := check_videos(clips)):
        shown = "; ".join(wrong[:3]) + ("; ..." if len(wrong) > 3 else "")
        raise DataError(
            f"{len(wrong)} of {_n_videos(clips)} videos cannot be read: {shown}; "
            f"see 'edgeval data check {benchmark.name} --data {root}' or pass --keep-going"
        )
    model = open_model(
        folder,
        engine=spec.engine,
        precision=spec.precision,
        threads=spec.threads,
        share=spec.share,
        setup=Setup(protocol=spec.protocol, max_pixels=spec.max_pixels),
    )
    rule = spec.frames.applied_to(model.frame_rule())
    work = Work(
        benchmark=benchmark,
        root=root,
        clips=clips,
        model=model,
        rule=rule,
        decoding=spec.decoding,
        prompting=way,
    )
    return work, card(spec, work)


def card(spec: Spec, work: Work) -> dict[str, object]:
    """The run card: ``identity`` must be the same for a resume, the rest is circumstance."""
    processor = cpu.read()
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
            "share_prefix": spec.share,
            "versions": _versions(),
        },
        "invocation": spec.to_json(),
        "device": {
            "cpu": processor.model,
            "n_cores": processor.n_usable,
            "features": list(processor.features),
            "machine": platform.machine(),
            "system": platform.platform(),
            "python": platform.python_version(),
        },
        "started": datetime.now(timezone.utc).isoformat(timespec="seconds"),
    }


def same_run(then: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Raise RunFolderError, naming the first difference, unless both cards are of the same run."""
    left, right = _flat(then["identity"]), _flat(now["identity"])
    for key in sorted({*left, *right}):
        if left.get(key) != right.get(key):
            raise RunFolderError(
                f"cannot resume: {key} was {left.get(key)}, is now {right.get(key)}; start a new "
                f"run"
            )


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
    return tuple(variants.spread(clips, spec.variants))


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
