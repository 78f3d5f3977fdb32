"""The fixed questions, asked of an open model: what is kept, and what comes of asking again."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from edgeval import benchmarks
from edgeval.benchmarks.base import Benchmark
from edgeval.engines import Graphs
from edgeval.errors import DataError, ManifestError
from edgeval.model import Model
from edgeval.run import steps
from edgeval.seeing import Work
from edgeval.selftest.compare import Verdict, compared
from edgeval.selftest.heard import Heard
from edgeval.selftest.reference import Answer, Kept, shortened, signature, tolerance_of
from edgeval.types import Clip, Decoding

# Trained answers have at most twenty tokens.
DECODING = Decoding(max_new_tokens=24)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """Questions of one benchmark's embedded data: the first of the first clips in a setting."""

    benchmark: str
    setting: str
    clips: int
    questions: int


# Many frames, a picture besides the video, a question without a video, lessons that `tiny` knows.
SHEETS = (
    Sheet(benchmark="videommmu", setting="video", clips=5, questions=3),
    Sheet(benchmark="videommmu", setting="question-only", clips=1, questions=1),
    Sheet(benchmark="videommmu", setting="blind", clips=1, questions=1),
    Sheet(benchmark="vsibench", setting="full", clips=1, questions=3),
    Sheet(benchmark="tempcompass", setting="video", clips=1, questions=2),
    Sheet(benchmark="seedbench-r1", setting="video", clips=2, questions=1),
)


def keep(model: Model, made: dict[str, str]) -> Kept:
    """Ask everything once; ``made`` says on what."""
    answers: list[Answer] = []
    heard = _listening(model)
    for sheet in SHEETS:
        clips = tuple(_first(sheet))
        answers.extend(_answers(model, heard, sheet.benchmark, clips))
    card = model.card()
    return Kept(
        sha256=_digests(model),
        made={**made, "engine": f"{card['engine']}, {card['engine_version']}"},
        tolerance=tolerance_of(str(card["precision"])),
        answers=tuple(answers),
    )


def ask_again(model: Model, kept: Kept) -> Iterator[Verdict]:
    """A verdict on each question. Raises ManifestError where the model is another one."""
    for name, digest in _digests(model).items():
        if kept.sha256.get(name) != digest:
            raise ManifestError(
                f"model {model.card()['name']}: {name} is not the file that the self-test was "
                "recorded with; record it again with 'edgeval selftest --record'"
            )
    heard = _listening(model)
    left = {_key(answer): answer for answer in kept.answers}
    for sheet in dict.fromkeys((one.benchmark, one.record.setting) for one in kept.answers):
        clips = tuple(_asked(*sheet, kept.answers))
        for answer in _answers(model, heard, sheet[0], clips):
            yield compared(left.pop(_key(answer)), answer, kept.tolerance)
    for missing in left.values():
        said = "is not in the embedded data any more"
        yield Verdict(question=missing.record.question.id, stage="question", said=said)


def _listening(model: Model) -> Heard:
    """What the model's decoder says from now on."""
    found: list[Heard] = []

    def heard(graphs: Graphs) -> Graphs:
        found.append(Heard(graphs))
        return found[0]

    model.through(heard)
    return found[0]


def _digests(model: Model) -> dict[str, str]:
    found = model.card()["sha256"]
    return dict(found) if isinstance(found, dict) else {}


def _key(answer: Answer) -> tuple[str, str, str]:
    return answer.benchmark, answer.record.setting, answer.record.question.id


def _carried(name: str) -> tuple[Benchmark, Path]:
    """A benchmark and its embedded data."""
    found = benchmarks.load(name)
    if found.embedded is None or not found.embedded.is_dir():
        raise DataError(f"{name}: its embedded data is not here; install edgeval again")
    return found, found.embedded


def _clips(benchmark: str, setting: str) -> Iterator[Clip]:
    found, root = _carried(benchmark)
    yield from found.clips(root, (setting,), ())


def _first(sheet: Sheet) -> Iterator[Clip]:
    for at, clip in enumerate(_clips(sheet.benchmark, sheet.setting)):
        if at == sheet.clips:
            return
        yield dataclasses.replace(clip, questions=clip.questions[: sheet.questions])


def _asked(benchmark: str, setting: str, answers: Sequence[Answer]) -> Iterator[Clip]:
    """The clips of a benchmark with the questions that were asked alone."""
    wanted = {_key(answer) for answer in answers}
    for clip in _clips(benchmark, setting):
        questions = tuple(
            question for question in clip.questions if (benchmark, setting, question.id) in wanted
        )
        if questions:
            yield dataclasses.replace(clip, questions=questions)


def _answers(model: Model, heard: Heard, name: str, clips: tuple[Clip, ...]) -> Iterator[Answer]:
    benchmark, root = _carried(name)
    work = Work(
        benchmark=benchmark,
        root=root,
        clips=clips,
        model=model,
        rule=model.frame_rule(),
        decoding=DECODING,
    )
    for step in steps(work):
        features = step.view.features if step.view else None
        yield Answer(
            benchmark=name,
            record=step.record,
            features=None if features is None else signature(features.rows),
            logits=tuple(shortened(logits) for logits in heard.logits),
        )
