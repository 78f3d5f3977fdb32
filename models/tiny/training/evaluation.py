"""What a model folder gets, through `edgeval` itself: data made, decoded, asked, scored."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edgeval import benchmarks
from edgeval.modelfolder import manifest
from edgeval.runfolder import read_card, read_records
from edgeval.types import Record
from training.export import edgeval

FILE = "figures.json"
FRAMES = 16
_IN_ORDER = re.compile(
    r"right (after|before)|which order|next in order|shown (first|last)|which part|first-time"
)
# How a run is changed, and how that is said to `edgeval run`.
ABLATIONS = "blind,single,shuffle,reverse,wrong-video"


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """A benchmark on clips of held-out seeds that are not embedded. ``settings`` to run besides."""

    benchmark: str
    seed: int
    clips: int
    settings: tuple[str, ...] = ()


# At least 300 questions a track: a lesson has one of each, a room some sixteen, a film five to
# twenty, a routine two for its level, of which there are three.
TRACKS = (
    Track(benchmark="videommmu", seed=840_000, clips=300, settings=("video", "question-only")),
    Track(benchmark="vsibench", seed=841_000, clips=30),
    Track(benchmark="seedbench-r1", seed=842_000, clips=450),
    Track(benchmark="tempcompass", seed=843_000, clips=60),
    Track(benchmark="mvbench", seed=844_000, clips=34),
    Track(benchmark="videomme", seed=845_000, clips=100),
    Track(benchmark="longvideobench", seed=846_000, clips=60),
    Track(benchmark="mmvu", seed=847_000, clips=76),
    Track(benchmark="video-r1", seed=848_000, clips=60),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Which model, in which precision, on a share of every track's clips."""

    model: Path
    precision: str = "fp32"
    share: float = 1.0
    ablations: bool = True
    threads: int = 1
    frames: int = FRAMES


def evaluate(asked: Asked, work: Path, tracks: Sequence[Track] = TRACKS) -> Path:
    """Run every track and write its figures, one line each, to ``work`` / FILE.

    Data is kept for the next model; a run that is there goes on. ValueError where it is of another
    model: its figures would be told of this one.
    """
    work.mkdir(parents=True, exist_ok=True)
    files = files_of(asked.model, asked.precision)
    how = {**_how(asked), "model": name_of(files)}
    rows = []
    for track in tracks:
        n = max(5, round(asked.share * track.clips))
        data = work / "data" / f"{track.benchmark}-{n}"
        if not data.exists():
            partial = data.with_name(f".{data.name}")
            shutil.rmtree(partial, ignore_errors=True)
            made = ("--clips", n, "--seed", track.seed)
            edgeval("data", "make", track.benchmark, *made, "-o", partial)
            partial.rename(data)
        run = work / f"{track.benchmark}-{asked.precision}-{asked.frames}"
        _check(run, files)
        _run(asked, track, data, run)
        results = json.loads((run / "results.json").read_text(encoding="utf-8"))
        rows += [
            {"benchmark": track.benchmark, "clips": n, **how, **row}
            for row in (*figures(results), *chances(track, data), *by_order(_records(run)))
        ]
    path = work / FILE
    names = {track.benchmark for track in tracks}
    held = [
        row
        for row in _held(path)
        if not (row["benchmark"] in names and _how(asked).items() <= row.items())
    ]
    lines = [json.dumps(row) + "\n" for row in (*held, *rows)]
    path.write_text("".join(lines), encoding="utf-8")
    return path


def _how(asked: Asked) -> dict[str, object]:
    return {"precision": asked.precision, "frames": asked.frames}


def files_of(model: Path, precision: str) -> dict[str, str]:
    """sha256 of every file of a model in a precision."""
    folder = manifest.load(model)
    if precision not in folder.variants:
        raise ValueError(f"{model}: has {', '.join(folder.variants)}; no {precision}")
    return manifest.verify(folder, folder.variants[precision])


def name_of(files: Mapping[str, str]) -> str:
    """What such files are called in a row of figures."""
    return hashlib.sha256(json.dumps(files, sort_keys=True).encode()).hexdigest()[:16]


def _check(run: Path, files: Mapping[str, str]) -> None:
    path = run / "run.json"
    if not path.exists():
        return
    then = json.loads(path.read_text(encoding="utf-8"))["identity"]["model"]["sha256"]
    if then != files:
        raise ValueError(f"{run}: is a run of another model; remove it or name another folder")


def _run(asked: Asked, track: Track, data: Path, run: Path) -> None:
    if (run / "results.json").exists():
        return
    if (run / "run.json").exists():
        edgeval("run", "--resume", run, "--progress", "none")
        return
    settings = [word for setting in track.settings for word in ("--setting", setting)]
    ablate = ["--ablate", ABLATIONS] if asked.ablations else []
    edgeval(
        *("run", track.benchmark, "--model", asked.model, "--precision", asked.precision),
        *("--data", data, "-o", run, "--frames", asked.frames, "--threads", asked.threads),
        *("--progress", "none", "--no-device-card", *settings, *ablate),
    )


def _records(run: Path) -> Sequence[Record]:
    return read_records(run, read_card(run)).records


def _held(path: Path) -> list[dict[str, object]]:
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def figures(results: Mapping[str, object]) -> Iterator[dict[str, object]]:
    """The figures of a run's results.json: name, rule, group, value, interval, n; and changes."""
    ours = results["edgeval"]
    assert isinstance(ours, dict)
    report = ours["report"]
    leading = {tuple(one) for one in report["headline"]}
    for kind in ("figures", "comparisons"):
        for figure in report[kind]:
            known = (figure["name"], figure["rule"], figure["group"])
            yield {"kind": kind, "leads": known in leading, **figure}


def by_order(records: Sequence[Record]) -> Iterator[dict[str, object]]:
    """Right answers to what only the order of the frames tells, as it is and in each change."""
    hits: dict[str, list[float]] = {}
    for record in records:
        if record.setting == "video" and _IN_ORDER.search(record.question.text):
            first = next(iter(record.scores.values()), None)
            if first is not None and first.value is not None:
                hits.setdefault(record.variant or "as it is", []).append(first.value)
    for variant, held in hits.items():
        value = 100 * sum(held) / len(held)
        yield {"kind": "order", "group": variant, "value": value, "n": len(held)}


def chances(track: Track, data: Path) -> Iterator[dict[str, object]]:
    """What a guess gets of each task's choices: percent, and the middle 95 % of guessers."""
    benchmark = benchmarks.load(track.benchmark)
    settings = track.settings or benchmark.default_settings
    shares: dict[str, list[float]] = {}
    for clip in benchmark.clips(data, settings, ()):
        for question in clip.questions:
            if question.choices:
                shares.setdefault(question.task, []).append(1 / len(question.choices))
    for task, held in shares.items():
        low, high = middle(held)
        n = len(held)
        ends = {"low": 100 * low / n, "high": 100 * high / n}
        value = 100 * sum(held) / n
        yield {"kind": "chance", "group": f"task={task}", "n": n, "value": value, **ends}


def middle(shares: Sequence[float], level: float = 0.95) -> tuple[int, int]:
    """Hits between which a guesser ends in ``level`` of all cases; ``shares``: of each question."""
    hits = np.ones(1)
    for share in shares:
        hits = np.convolve(hits, [1 - share, share])
    below = np.cumsum(hits)
    edge = (1 - level) / 2
    return int(np.searchsorted(below, edge)), int(np.searchsorted(below, 1 - edge))
