"""What a whole run will take, from a few of its clips, found out before it begins.

``main``, in a process of its own, reads a spec as JSON on stdin, opens all that the run would open,
asks a few questions about the heaviest clip and a middling one, and writes a Forecast as JSON. A
process of its own has a peak of memory of its own, and takes nobody down when it is killed for it.
"""

from __future__ import annotations

import dataclasses
import json
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgeval import report, seeing
from edgeval.errors import DataError, EdgevalError
from edgeval.footprint import fitting
from edgeval.modelfolder import manifest
from edgeval.run import execute
from edgeval.runcard import prepare
from edgeval.runfolder import RECORDS
from edgeval.runfolder.journal import Journal
from edgeval.runspec import Spec
from edgeval.seeing import Work
from edgeval.types import Clip, Record

KIB = 1024
# Questions of each probed clip (or as many as are answered together), and how often the heaviest
# comes again.
ASKED, AGAIN = 3, 3
# What a run folder holds besides its records: the samples, once more; tables; time lines a second.
SAMPLES_SHARE = 1.2
TABLES = 64 << 10
TIME_LINES_A_SECOND = 700


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """What a run will take.

    ``stages``: bytes by stage of the heaviest clip, by arithmetic; empty where the model's config
    does not tell its sizes. ``opened`` and ``peak``: resident bytes of the probe, before the first
    clip and at most. ``seconds``: least and most, as decoding and answering overlap wholly or not
    at all. ``heaviest``: that clip's id, and ``frames`` its frames.
    """

    clips: int
    questions: int
    frames: int
    heaviest: str
    stages: dict[str, int]
    opened: int
    peak: int
    disk: int
    seconds: tuple[float, float]
    probed: int
    probe_s: float


class _Silent:
    """An observer that wants nothing."""

    wants_digests = False

    def started(self, *, total: int, records: Sequence[Record]) -> None:
        """Nothing."""

    def asked(self, step: object) -> None:
        """Nothing."""

    def recorded(self, record: Record) -> None:
        """Nothing."""


def forecast(spec: Spec) -> Forecast:
    """Open what the run would open, probe it, and extrapolate. Raises as ``prepare`` does."""
    work, card = prepare(spec)
    opened = _peak()
    try:
        most = fitting.heaviest(work, manifest.load(manifest.find(spec.model)), spec.precision)
        clips = _chosen(work, None if most is None else most.clip)
        began = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="edgeval-plan-") as root:
            folder = Path(root) / "run"
            with Journal.create(folder, card) as journal:
                few = dataclasses.replace(work, clips=tuple(clips))
                found = execute(few, journal, _Silent())
                records = list(journal.records)
                report.write(
                    folder, card=card, benchmark=work.benchmark, records=records, report=found
                )
                record_bytes = (folder / RECORDS).stat().st_size / max(1, len(records))
        probe_s = time.monotonic() - began
    finally:
        work.model.close()
    seconds = _seconds(work, records)
    n_questions = sum(len(clip.questions) for clip in work.clips)
    disk = n_questions * record_bytes * (1 + SAMPLES_SHARE) + TABLES
    return Forecast(
        clips=len(work.clips),
        questions=n_questions,
        frames=0 if most is None else len(most.plan.indices),
        heaviest=clips[0].id if clips else "",
        stages={} if most is None else dataclasses.asdict(most.footprint),
        opened=opened,
        peak=_peak(),
        disk=round(disk + TIME_LINES_A_SECOND * seconds[1]),
        seconds=seconds,
        probed=len(records),
        probe_s=round(probe_s, 3),
    )


def _chosen(work: Work, heaviest: Clip | None) -> list[Clip]:
    """The heaviest clip several times, a middling one between: the heap grows for a few clips."""
    clips, n = work.clips, max(ASKED, work.batch_questions)
    if not clips:
        return []
    first = clips[0] if heaviest is None else heaviest
    middle = clips[len(clips) // 2]
    again = [_few(_renamed(first, f"again{i}"), n) for i in range(AGAIN)]
    return [_few(first, n), *again[:1], _few(_renamed(middle, "too"), n), *again[1:]]


def _renamed(clip: Clip, how: str) -> Clip:
    """The same questions under other ids: a journal takes each once."""
    questions = tuple(
        dataclasses.replace(question, id=f"{question.id}+{how}") for question in clip.questions
    )
    return dataclasses.replace(clip, questions=questions)


def _few(clip: Clip, n: int) -> Clip:
    """Its ``n`` longest questions."""
    longest = sorted(clip.questions, key=lambda question: -len(question.text))[:n]
    return dataclasses.replace(clip, questions=tuple(longest))


def _seconds(work: Work, records: Sequence[Record]) -> tuple[float, float]:
    """Least and most for all clips: what a frame cost, times frames; what a question cost."""
    said = [record for record in records if record.generation is not None]
    if not said:
        return (0.0, 0.0)
    clips = {record.question.clip_id: record for record in said if record.frame_indices}
    frames = sum(len(record.frame_indices) for record in clips.values())
    timings = [record.generation.timing for record in clips.values() if record.generation]
    a_frame = sum(timing.decode_s for timing in timings) / max(1, frames)
    a_look = sum(timing.clip_s - timing.decode_s for timing in timings) / max(1, frames)
    a_question = statistics.fmean(r.generation.timing.question_s for r in said if r.generation)
    n_frames = sum(_n_frames(work, clip) for clip in work.clips)
    n_questions = sum(len(clip.questions) for clip in work.clips)
    decode = a_frame * n_frames
    answer = a_look * n_frames + a_question * n_questions
    return (round(max(decode, answer), 1), round(decode + answer, 1))


def _n_frames(work: Work, clip: Clip) -> int:
    if clip.video is None or not work.model.conduct.shows(clip.video):
        return 0
    try:
        return len(seeing.planned(work, clip, clip.video).indices)
    except DataError:
        return 0  # Told, and counted, where the clip is decoded.


def _peak() -> int:
    """The most resident bytes this process ever had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * KIB


def main() -> None:
    """Do it; an EdgevalError becomes {"error": ..., "exit_code": ...}."""
    try:
        told: dict[str, Any] = dataclasses.asdict(forecast(Spec.from_json(json.load(sys.stdin))))
    except EdgevalError as error:
        told = {"error": str(error), "exit_code": error.exit_code}
    sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    main()
