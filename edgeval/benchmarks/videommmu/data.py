"""The data folder of Video-MMMU: its questions as clips, and what is missing or damaged in it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from edgeval.benchmarks.base import DataCheck, Finding
from edgeval.benchmarks.videommmu import rows
from edgeval.dataset import Row, inside, read_rows, sha256
from edgeval.errors import ArgumentError, DataError, UnknownName
from edgeval.types import Clip, Question

# lmms-eval's task of each track in each setting. It has none with transcript; the authors' own
# repository has the prompts of that setting, under no task name that was published: ours.
TASKS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "video": {track: f"video_mmmu_{track}" for track in rows.TRACKS},
        "question-only": {"adaptation": "video_mmmu_adaptation_question_only"},
        "transcript": {track: f"video_mmmu_{track}_transcript" for track in rows.TRACKS},
        "blind": {track: f"video_mmmu_{track}_no_visual" for track in rows.TRACKS},
    }
)
SETTINGS = tuple(TASKS)
DEFAULT_SETTINGS = ("video", "question-only")

_SUFFIXES = (".parquet", ".jsonl", ".json")


def task_names() -> tuple[str, ...]:
    """Every task, setting after setting."""
    return tuple(task for tasks in TASKS.values() for task in tasks.values())


def clips(root: Path, settings: Sequence[str], tasks: Sequence[str]) -> Iterator[Clip]:
    """Every clip of ``settings`` in file order, a video's settings side by side.

    ``tasks`` leaves only those; none means all. A video that is not there is named all the same,
    at the place where it should be. Raises UnknownName, ArgumentError and DataError.
    """
    wanted = _wanted(settings, tasks)
    tracks = {track for tasks_of in wanted.values() for track in tasks_of}
    by_id: dict[str, dict[str, Question]] = {}
    for track in rows.TRACKS:
        if track in tracks:
            for question in _questions(root, track):
                by_id.setdefault(question.row_id, {})[track] = question
    for row_id, asked in by_id.items():
        for setting, tasks_of in wanted.items():
            questions = tuple(
                dataclasses.replace(asked[track], task=task, id=f"{task}:{row_id}")
                for track, task in tasks_of.items()
                if track in asked
            )
            if questions:
                yield _clip(root, row_id, setting, questions)


def check(root: Path) -> DataCheck:
    """Read every question, open every video, and say what is missing, damaged or of no use."""
    questions = [_checked_questions(root, track) for track in rows.TRACKS]
    good = {
        track for track, found in zip(rows.TRACKS, questions, strict=True) if not found.findings
    }
    tasks = [task for tasks_of in TASKS.values() for t, task in tasks_of.items() if t in good]
    wanted: dict[Path, Clip] = {}
    for clip in clips(root, SETTINGS, tasks) if tasks else ():
        if clip.video is not None:
            wanted.setdefault(clip.video, clip)
    parts = [*questions, *(_checked_video(root, clip) for clip in wanted.values())]
    parts.append(_of_no_use(root, frozenset(wanted)))
    counts: dict[str, int] = {}
    for part in parts:
        for kind, n in part.counts.items():
            counts[kind] = counts.get(kind, 0) + n
    return DataCheck(
        findings=tuple(finding for part in parts for finding in part.findings),
        counts=counts,
        sha256={name: digest for part in parts for name, digest in part.sha256.items()},
    )


def _checked_questions(root: Path, track: str) -> DataCheck:
    hashes: dict[str, str] = {}
    findings: tuple[Finding, ...] = ()
    n = 0
    try:
        for file in _track_files(root, track):
            hashes[_name(root, file)] = sha256(file)
        n = len(_questions(root, track))
    except DataError as error:
        kind = "damaged" if hashes else "missing"
        findings = (Finding(kind=kind, path=f"{track} questions", detail=str(error)),)
    return DataCheck(findings=findings, counts={f"{track} questions": n}, sha256=hashes)


def _checked_video(root: Path, clip: Clip) -> DataCheck:
    # Late, because it brings the decoder with it, which listing benchmarks must not load.
    from edgeval.media.probe import probe

    video = clip.video or root
    name = _name(root, video)
    what = "question-only videos" if clip.setting == "question-only" else "videos"
    counts = {f"{what} wanted": 1, f"{what} sound": 0}
    if not video.is_file():
        finding = Finding(kind="missing", path=name, detail=f"the {clip.setting} clip of {clip.id}")
        return DataCheck(findings=(finding,), counts=counts, sha256={})
    try:
        digest = sha256(video)
        probe(video)
    except DataError as error:
        finding = Finding(kind="damaged", path=name, detail=str(error))
        return DataCheck(findings=(finding,), counts=counts, sha256={})
    counts[f"{what} sound"] = 1
    return DataCheck(findings=(), counts=counts, sha256={name: digest})


def _of_no_use(root: Path, wanted: frozenset[Path]) -> DataCheck:
    extra = dict.fromkeys(root.rglob("*.mp4"), "no question asks about it")
    extra |= dict.fromkeys(root.glob("*.zip"), "not unpacked; unzip it here")
    return DataCheck(
        findings=tuple(
            Finding(kind="extra", path=_name(root, file), detail=why)
            for file, why in sorted(extra.items())
            if file not in wanted
        ),
        counts={"transcripts": sum(1 for _ in root.glob("transcripts/*.txt"))},
        sha256={},
    )


def _wanted(settings: Sequence[str], tasks: Sequence[str]) -> dict[str, dict[str, str]]:
    for setting in settings:
        if setting not in TASKS:
            raise UnknownName("setting of videommmu", setting, SETTINGS)
    for task in tasks:
        if task not in task_names():
            raise UnknownName("task of videommmu", task, task_names())
    wanted = {
        setting: {t: task for t, task in TASKS[setting].items() if not tasks or task in tasks}
        for setting in settings
    }
    if not any(wanted.values()):
        raise ArgumentError(
            f"videommmu: got the tasks {', '.join(tasks)}, none of which is in the settings "
            f"{', '.join(settings)}; name a setting that has them"
        )
    return wanted


def _questions(root: Path, track: str) -> tuple[Question, ...]:
    found: dict[str, Question] = {}
    for file in _track_files(root, track):
        for row in read_rows(file):
            try:
                question = rows.question(_completed(row, track))
            except DataError as error:
                raise DataError(f"{file}: {error}") from error
            if question.row_id in found:
                raise DataError(f"{file}: got the id {question.row_id!r} twice; wants it once")
            found[question.row_id] = question
    return tuple(found.values())


def _completed(row: Row, track: str) -> Row:
    """The row with its track, and with its type where the repository's files leave that out.

    They have the column in Adaptation only. Read without it, a perception answer goes the way of
    open questions, where "(C)" is wrong; the published scores cannot come from that.
    """
    completed = {**row, "track": track}
    if track != "adaptation" and completed.get("question_type") is None:
        completed["question_type"] = "multiple-choice"
    return completed


def _track_files(root: Path, track: str) -> tuple[Path, ...]:
    if not root.is_dir():
        raise DataError(f"{root}: is not a folder; wants one with Video-MMMU's questions")
    single = f"{track}_video.json"
    for relative in (single, f"data/{single}"):
        if (root / relative).is_file():
            return (inside(root, relative),)
    config = track.capitalize()
    for suffix in _SUFFIXES:
        if files := sorted((root / config).glob(f"*{suffix}")):
            return tuple(inside(root, f"{config}/{file.name}") for file in files)
    raise DataError(
        f"{root}: got no {track} questions; wants {single}, or a folder {config} with parquet, "
        "jsonl or json files"
    )


def _clip(root: Path, row_id: str, setting: str, questions: tuple[Question, ...]) -> Clip:
    discipline = questions[0].tags["discipline"]
    video: Path | None = None
    if setting == "question-only":
        video = inside(root, f"question_only/{row_id}_image.mp4")
    elif setting != "blind":
        video = _first(
            root, (f"{discipline}/{row_id}.mp4", f"{row_id}.mp4", f"videos/{row_id}.mp4")
        )
    return Clip(
        id=row_id,
        setting=setting,
        video=video,
        questions=questions,
        transcript=_transcript(root, row_id) if setting == "transcript" else None,
        # The question-only video shows nothing but the image: every frame of it will do.
        must_see_last=setting in ("video", "transcript")
        and any(question.tags["track"] == "adaptation" for question in questions),
    )


def _first(root: Path, places: Sequence[str]) -> Path:
    """The first place that has a file; where none has, the first place of all."""
    paths = [inside(root, place) for place in places]
    return next((path for path in paths if path.is_file()), paths[0])


def _transcript(root: Path, row_id: str) -> str | None:
    path = inside(root, f"transcripts/{row_id}.txt")
    try:
        return path.read_text(encoding="utf-8") if path.is_file() else None
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: is not readable UTF-8 text ({error})") from error


def _name(root: Path, path: Path) -> str:
    return path.relative_to(root).as_posix()
