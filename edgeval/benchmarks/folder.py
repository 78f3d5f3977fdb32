"""What loaders share: choosing tasks, reading questions out of files, checking a data folder."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from edgeval.benchmarks.base import DataCheck, Finding
from edgeval.dataset import Row, inside, read_rows, sha256
from edgeval.errors import ArgumentError, DataError, UnknownName
from edgeval.types import Clip, Question

_PACKED = ("*.zip", "*.tar", "*.tar.*", "*.part*")
_SUFFIXES = (".parquet", ".jsonl", ".json")


def chosen(
    name: str, table: Mapping[str, Sequence[str]], settings: Sequence[str], tasks: Sequence[str]
) -> dict[str, tuple[str, ...]]:
    """The tasks asked for in each setting asked for; no ``tasks`` means all.

    ``table``: setting -> its tasks; ``name`` is the benchmark's. Raises UnknownName, and
    ArgumentError where nothing is left to ask.
    """
    every = tuple(dict.fromkeys(task for known in table.values() for task in known))
    for setting in settings:
        if setting not in table:
            raise UnknownName(f"setting of {name}", setting, table)
    for task in tasks:
        if task not in every:
            raise UnknownName(f"task of {name}", task, every)
    left = {
        setting: tuple(task for task in table[setting] if not tasks or task in tasks)
        for setting in settings
    }
    if not any(left.values()):
        raise ArgumentError(
            f"{name}: got the tasks {', '.join(tasks) or 'none'}, none of which is in the settings "
            f"{', '.join(settings) or 'none'}; name a setting that has them"
        )
    return left


def files(root: Path, name: str, places: Sequence[str]) -> tuple[Path, ...]:
    """The question files at the first of ``places`` (patterns in ``root``) that has any.

    A pattern that ends in ".*" means parquet, jsonl or json, in that order. Raises DataError that
    lists the places.
    """
    if not root.is_dir():
        raise DataError(f"{root}: is not a folder; wants one with the questions of {name}")
    for place in places:
        stem = place.removesuffix(".*")
        patterns = [stem + suffix for suffix in _SUFFIXES] if stem != place else [place]
        for pattern in patterns:
            if found := sorted(path for path in root.glob(pattern) if path.is_file()):
                return tuple(inside(root, path.relative_to(root).as_posix()) for path in found)
    wanted = ", else ".join(place.replace(".*", ".{parquet,jsonl,json}") for place in places)
    raise DataError(f"{root}: got no questions of {name}; wants {wanted}")


def asked(
    sources: Iterable[Path],
    read: Callable[[Row], Question],
    rows: Callable[[Path], Iterable[Row]] = read_rows,
) -> Iterator[tuple[Row, Question]]:
    """Every row with its question, in file order. DataError names the file, or an id used twice."""
    seen: set[str] = set()
    for source in sources:
        for row in rows(source):
            try:
                question = read(row)
            except DataError as error:
                raise DataError(f"{source}: {error}") from error
            if question.id in seen:
                raise DataError(f"{source}: got the id {question.row_id!r} twice; wants it once")
            seen.add(question.id)
            yield row, question


def as_task(question: Question, task: str) -> Question:
    """The question as that task asks it; the id, which is unique in a run, says so too."""
    return dataclasses.replace(question, task=task, id=f"{task}:{question.row_id}")


def first(root: Path, places: Sequence[str]) -> Path:
    """The first place that has a file; where none has, the first place of all."""
    paths = [inside(root, place) for place in places]
    return next((path for path in paths if path.is_file()), paths[0])


def check(
    root: Path, sources: Callable[[], Sequence[Path]], clips: Callable[[], Iterable[Clip]]
) -> DataCheck:
    """Read every question of ``sources``, open every video and image of ``clips``.

    Says what is missing, damaged, not unpacked or of no use, and hashes what was read.
    """
    findings: list[Finding] = []
    hashes: dict[str, str] = {}
    made: list[Clip] = []
    try:
        for source in sources():
            hashes[_name(root, source)] = sha256(source)
        made = list(clips())
    except DataError as error:
        kind = "damaged" if hashes else "missing"
        findings.append(Finding(kind=kind, path="questions", detail=str(error)))
    once = {q.row_id + q.task: q.task for clip in made for q in clip.questions}
    counts = {f"{task} questions": n for task, n in Counter(once.values()).items()}
    videos = {clip.video: clip.id for clip in made if clip.video is not None}
    images = {clip.image: clip.id for clip in made if clip.image is not None}
    for what, wanted in (("videos", videos), ("images", images)):
        sound = 0
        for path, clip_id in wanted.items():
            finding = _wrong(root, path, clip_id, opened=what == "videos")
            if finding is None:
                hashes[_name(root, path)] = sha256(path)
                sound += 1
            else:
                findings.append(finding)
        if wanted:
            counts |= {f"{what} wanted": len(wanted), f"{what} sound": sound}
    findings += _of_no_use(root, {*videos, *images}) if made else []
    return DataCheck(findings=tuple(findings), counts=counts, sha256=hashes)


def _wrong(root: Path, path: Path, clip_id: str, *, opened: bool) -> Finding | None:
    # Late, because it brings the decoder with it, which listing benchmarks must not load.
    from edgeval.media.probe import probe

    name = _name(root, path)
    if not path.is_file():
        return Finding(kind="missing", path=name, detail=f"shown in clip {clip_id}")
    try:
        if opened:
            probe(path)
    except DataError as error:
        return Finding(kind="damaged", path=name, detail=str(error))
    return None


def _of_no_use(root: Path, wanted: set[Path]) -> list[Finding]:
    extra = dict.fromkeys(root.rglob("*.mp4"), "no question asks about it")
    extra |= {path: "not unpacked; unpack it here" for mark in _PACKED for path in root.glob(mark)}
    return [
        Finding(kind="extra", path=_name(root, path), detail=why)
        for path, why in sorted(extra.items())
        if path not in wanted
    ]


def _name(root: Path, path: Path) -> str:
    return path.relative_to(root).as_posix()
