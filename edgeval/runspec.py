"""What a user asked for: one run as a value, to JSON and back."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from typing import Any

from edgeval.analyses import prompting
from edgeval.analyses.transcripts import AUTO
from edgeval.errors import ArgumentError, RunFolderError, UnknownName
from edgeval.processor import NATIVE
from edgeval.types import Decoding, FrameRule, How, Order

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

    Empty tuples are defaults. ``transcript`` is a path, or AUTO for ``speech_model``
    to listen and ``cache`` to keep what it heard.
    ``deadlines`` in seconds are for the report alone. ``batch_questions``: see seeing.Work.
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
    batch_questions: int = 1
    keep_going: bool = False
    trace: Path | None = None
    transcript: str | None = None
    speech_model: Path | None = None
    cache: Path | None = None
    deadlines: tuple[float, ...] = ()
    device_card: bool = True

    def to_json(self) -> dict[str, object]:
        """Plain JSON values, from which ``from_json`` makes an equal spec."""
        row = dataclasses.asdict(self)
        for name in ("data", "trace", "speech_model", "cache"):
            path: Path | None = getattr(self, name)
            row[name] = None if path is None else str(path.resolve())
        if self.transcript not in (None, AUTO):
            row["transcript"] = str(Path(self.transcript).resolve())
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
            spec = cls(
                frames=FrameChoice(**fields.pop("frames")),
                decoding=Decoding(**decoding),
                data=_path(fields.pop("data")),
                trace=_path(fields.pop("trace")),
                speech_model=_path(fields.pop("speech_model", None)),
                cache=_path(fields.pop("cache", None)),
                settings=tuple(fields.pop("settings")),
                tasks=tuple(fields.pop("tasks")),
                variants=tuple(fields.pop("variants")),
                deadlines=tuple(fields.pop("deadlines", ())),
                **fields,
            )
        except (KeyError, TypeError) as error:
            raise RunFolderError(f"run.json: got no invocation to go on with ({error})") from error
        spec.check_kinds()
        return spec

    def check_kinds(self) -> None:
        """Raise RunFolderError where a run card edited by hand holds values of another type."""
        kinds: Mapping[str, tuple[type, ...]] = {
            **dict.fromkeys(("benchmark", "model", "engine", "protocol", "prompting"), (str,)),
            **dict.fromkeys(("precision", "transcript"), (str, type(None))),
            **dict.fromkeys(("limit", "max_pixels", "threads", "frames.n"), (int, type(None))),
            **dict.fromkeys(("share", "keep_going", "device_card"), (bool,)),
            **dict.fromkeys(("frames.rule", "frames.order"), (str, type(None))),
            **dict.fromkeys(("frames.seed", "decoding.seed", "decoding.top_k"), (int,)),
            "batch_questions": (int,),
            "frames.fps": (int, float, type(None)),
            "decoding.max_new_tokens": (int, type(None)),
        }
        for name, kind in kinds.items():
            got = attrgetter(name)(self)
            if not isinstance(got, kind):
                raise RunFolderError(
                    f"run.json: got {got!r} for {name} of the invocation; restore the card"
                )
        texts = (*self.settings, *self.tasks, *self.variants, *self.decoding.stop)
        if not all(isinstance(text, str) for text in texts):
            raise RunFolderError(f"run.json: got {texts!r} in the invocation; wants texts")


def _path(text: str | None) -> Path | None:
    return None if text is None else Path(text)
