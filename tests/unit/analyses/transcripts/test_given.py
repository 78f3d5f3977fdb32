"""Transcripts from files: each form, what is in none, and every way to be wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edgeval.analyses.transcripts import gather
from edgeval.analyses.transcripts.given import Given
from edgeval.errors import ArgumentError, DataError
from edgeval.types import Clip


def clips(*names: str) -> tuple[Clip, ...]:
    return tuple(
        Clip(id=name, setting="video", video=Path(f"films/{name}.mp4"), questions=())
        for name in names
    )


AB = clips("a", "b")


def test_a_folder_has_a_text_a_clip(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("\ufeffsays a \u00e9\n", encoding="utf-8")
    (tmp_path / "c.txt").write_text("of another clip")
    assert Given(tmp_path).texts(AB) == {"a": "says a \u00e9\n"}


def test_a_text_of_white_space_is_no_transcript(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("says a")
    (tmp_path / "b.txt").write_text(" \n")
    assert Given(tmp_path).texts(AB) == {"a": "says a"}


@pytest.mark.parametrize("keys", [("a", "b"), ("a.mp4", "b.mp4"), ("a", "b.mp4")])
def test_a_mapping_is_by_id_or_video_name(tmp_path: Path, keys: tuple[str, str]) -> None:
    path = tmp_path / "t.json"
    path.write_text(json.dumps(dict(zip((*keys, "z"), ("says a", "says b", "?"), strict=True))))
    assert Given(path).texts(AB) == {"a": "says a", "b": "says b"}


def test_lines_are_rows_of_id_or_video_and_text(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text('{"id": "a", "text": "says a"}\n{"video": "b.mp4", "text": "says b"}\n')
    assert Given(path).texts(AB) == {"a": "says a", "b": "says b"}


def test_one_text_is_for_one_video(tmp_path: Path) -> None:
    path = tmp_path / "t.txt"
    path.write_text("says a")
    assert Given(path).texts(clips("a")) == {"a": "says a"}
    with pytest.raises(ArgumentError, match="one text for 2 videos"):
        Given(path).texts(AB)


@pytest.mark.parametrize(
    ("name", "held", "why"),
    [
        ("t.txt", b"\xff\xfe", "is not UTF-8"),
        ("t.json", b"{", "is not JSON"),
        ("t.json", b"[1]", r"got list; wants \{id: text\}"),
        ("t.json", b'{"a": 3}', "got str and int"),
        ("t.json", b'{"z": "of another"}', "no transcript for any of 1 clips"),
        ("t.jsonl", b'{"text": "whose?"}', "row 1: got NoneType and str"),
        ("t.jsonl", b'{"id": "a", "text": "x"}\n{"id": "a", "text": "y"}', "two texts for 'a'"),
        ("t.srt", b"1", "got a .srt file; wants"),
    ],
)
def test_what_cannot_be_read_is_one_sentence(
    tmp_path: Path, name: str, held: bytes, why: str
) -> None:
    path = tmp_path / name
    path.write_bytes(held)
    with pytest.raises(DataError, match=why):
        Given(path).texts(clips("a"))


@pytest.mark.parametrize("name", ["gone", "gone.txt", "gone.json"])
def test_a_path_that_leads_nowhere_is_one_sentence(tmp_path: Path, name: str) -> None:
    with pytest.raises(DataError, match="gone"):
        Given(tmp_path / name).texts(clips("a"))


def test_an_empty_folder_is_of_something_else(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no transcript for any of 2 clips, a and so on"):
        Given(tmp_path).texts(AB)


def test_the_card_tells_one_text_from_another(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("says a")
    before = gather(Given(tmp_path), AB).card
    assert (before["source"], before["n_clips"], before["n_without"]) == ("given", 2, 1)
    assert gather(Given(tmp_path), AB).card == before
    (tmp_path / "a.txt").write_text("says A")
    assert gather(Given(tmp_path), AB).card["sha256"] != before["sha256"]
