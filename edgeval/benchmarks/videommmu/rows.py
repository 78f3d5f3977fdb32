"""One row of Video-MMMU as a question: what it must have, and what its id says."""

from __future__ import annotations

import re
from types import MappingProxyType

from edgeval.answers import option_letters
from edgeval.dataset import Row
from edgeval.errors import DataError
from edgeval.types import Question

TRACKS = ("perception", "comprehension", "adaptation")

# Source: VideoMMMU and lmms-eval, lmms_eval/tasks/videommmu/utils.py, get_cache_dir (the folder of
# a subject's videos) and DOMAIN_CAT2SUB_CAT (the same groups under longer names).
DISCIPLINES = MappingProxyType(
    {
        "Art": ("Art", "Art_Theory", "Design", "Music"),
        "Business": ("Accounting", "Economics", "Finance", "Manage", "Marketing"),
        "Science": ("Biology", "Chemistry", "Geography", "Math", "Physics"),
        "Medicine": (
            *("Basic_Medical_Science", "Clinical_Medicine"),
            *("Diagnostics_and_Laboratory_Medicine", "Pharmacy", "Public_Health"),
        ),
        "Humanities": ("History", "Literature", "Sociology", "Psychology"),
        "Engineering": (
            *("Agriculture", "Architecture_and_Engineering", "Computer_Science", "Electronics"),
            *("Energy_and_Power", "Materials", "Mechanical_Engineering"),
        ),
    }
)
NO_TYPE = "unset"

_ID = re.compile(r"[^_/\\\0]+_([^/\\\0]+)_[0-9]+")
_YOUTUBE = re.compile(r"(?:v=|youtu\.be/)([\w-]{11})", re.ASCII)


def question(row: Row) -> Question:
    """The question of one raw row, which must say its ``track`` too, as the task of a plain run.

    A row without "multiple-choice" for its type is read by the open rule, as the authors do, even
    if it has options. Raises DataError.
    """
    row_id = _filled(row, "id", "a row without an id")
    subject = _subject(row_id)
    track = _filled(row, "track", row_id).lower()
    if track not in TRACKS:
        raise DataError(f"{row_id}: got track {track!r}; wants one of {', '.join(TRACKS)}")
    task = f"video_mmmu_{track}"
    kind = row.get("question_type")
    answer = _filled(row, "answer", row_id)
    choices = _choices(row, row_id)
    if kind == "multiple-choice":
        _check_choice(row_id, choices, answer)
    return Question(
        id=f"{task}:{row_id}",
        row_id=row_id,
        clip_id=row_id,
        task=task,
        text=_filled(row, "question", row_id),
        answer=answer,
        kind="choice" if kind == "multiple-choice" else "text",
        choices=choices,
        tags={
            "track": track,
            "discipline": discipline(subject),
            "subject": subject,
            "question_type": kind if isinstance(kind, str) else NO_TYPE,
            "video": _video(row, row_id),
        },
    )


def discipline(subject: str) -> str:
    """The discipline of a subject, "Other" for one that Video-MMMU does not have."""
    return next((name for name, subjects in DISCIPLINES.items() if subject in subjects), "Other")


def _subject(row_id: str) -> str:
    if any(mark in row_id for mark in "/\\\0"):
        raise DataError(f"got the id {row_id!r}, which climbs out of the data folder")
    match = _ID.fullmatch(row_id)
    if match is None:
        raise DataError(f"got the id {row_id!r}; wants <split>_<Subject>_<number>")
    return match.group(1)


def _filled(row: Row, key: str, who: str) -> str:
    value = row.get(key)
    if not isinstance(value, str) or not value:
        got = "nothing" if value in (None, "") else type(value).__name__
        raise DataError(f"{who}: got {got} for {key!r}; wants text")
    return value


def _choices(row: Row, row_id: str) -> tuple[str, ...]:
    value = row.get("options")
    if value is None:
        return ()
    if not isinstance(value, (list, tuple)) or not all(isinstance(item, str) for item in value):
        raise DataError(f"{row_id}: got 'options' that are not a list of texts; wants one")
    return tuple(value)


def _check_choice(row_id: str, choices: tuple[str, ...], answer: str) -> None:
    if not choices:
        raise DataError(f"{row_id}: got a multiple-choice row without options; wants at least one")
    letters = option_letters(len(choices))
    if answer not in letters:
        raise DataError(
            f"{row_id}: got the answer {answer!r} for {len(choices)} options; wants a letter from "
            f"A to {letters[-1]}"
        )


def _video(row: Row, row_id: str) -> str:
    """What was filmed: 300 rows show 268 videos, and answers about one video go together."""
    link = row.get("link_selected")
    if not isinstance(link, str) or not link.strip():
        return row_id
    match = _YOUTUBE.search(link)
    return f"youtube:{match.group(1)}" if match else link.strip()
