"""The run folder keeps every acknowledged record, whatever happens to the process or the disk."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import pytest

from edgeval.errors import Interrupted, RunFolderError
from edgeval.runfolder import RECORDS, read_card, read_records
from edgeval.runfolder.journal import Journal
from edgeval.types import Generation, PromptDigest, Question, Record, Score, Timing

CARD = {
    "schema": 1,
    "identity": {
        "benchmark": "toy",
        **{part: {} for part in ("data", "model", "frame_rule", "decoding", "versions")},
    },
    "invocation": {},
    "started": "2026-01-01T00:00:00+00:00",
}


def make_record(i: int) -> Record:
    question = Question(
        id=f"task:{i}",
        row_id=str(i),
        clip_id=f"clip{i // 2}",
        task="task",
        text="Which sign? ü",
        answer="A",
        kind="choice",
        choices=("red", "blue"),
        tags={"track": "adaptation"},
    )
    return Record(
        question=question,
        setting="video",
        frame_indices=(0, 5, 9),
        video="a.mp4",
        video_sha256="0" * 64,
        prompt=PromptDigest(text="?", n_tokens=4, shared_prefix_len=2, sha256="1" * 64),
        generation=Generation(
            text="A\u2028", token_ids=(1, 2), stop="eos", timing=Timing(step_s=(0.1, 0.2))
        ),
        scores={"official": Score(rule="official", value=1.0, parsed=("a", 2.0), status="scored")},
    )


def written(folder: Path, n: int) -> list[Record]:
    records = [make_record(i) for i in range(n)]
    with Journal.create(folder, CARD) as journal:
        for record in records:
            journal.append(record)
    return records


def test_records_come_back_equal(tmp_path: Path) -> None:
    records = written(tmp_path / "run", 5)
    with Journal.resume(tmp_path / "run") as journal:
        assert journal.records == records


@pytest.mark.parametrize("from_end", [1, 2, 3, 50, 500])
def test_a_torn_tail_loses_only_the_torn_line(tmp_path: Path, from_end: int) -> None:
    folder = tmp_path / "run"
    records = written(folder, 5)
    raw = (folder / RECORDS).read_bytes()
    cut = raw[:-from_end]
    (folder / RECORDS).write_bytes(cut)
    with Journal.resume(folder) as journal:
        assert journal.records == records[: cut.count(b"\n")]
        for record in records[cut.count(b"\n") :]:
            journal.append(record)
    assert (folder / RECORDS).read_bytes() == raw


def test_every_truncation_point_recovers_whole_records(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    records = written(folder, 4)
    raw = (folder / RECORDS).read_bytes()
    for size in range(len(raw)):
        (folder / RECORDS).write_bytes(raw[:size])
        tail = read_records(folder, read_card(folder))
        assert list(tail.records) == records[: raw[:size].count(b"\n")]


def test_every_flipped_bit_is_seen(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    written(folder, 2)
    raw = bytearray((folder / RECORDS).read_bytes())
    for position in range(len(raw)):
        raw[position] ^= 1 << position % 8
        (folder / RECORDS).write_bytes(raw)
        assert len(read_records(folder, read_card(folder)).records) < 2, position
        raw[position] ^= 1 << position % 8


def test_a_lost_line_is_seen_and_the_rest_is_set_aside(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    records = written(folder, 4)
    lines = (folder / RECORDS).read_bytes().splitlines(keepends=True)
    (folder / RECORDS).write_bytes(b"".join(lines[:1] + lines[2:]))
    with Journal.resume(folder) as journal:
        assert journal.records == records[:1]
    assert (folder / "records.damaged").read_bytes() == b"".join(lines[2:])


def test_a_journal_of_another_run_is_not_thrown_away(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    written(folder, 2)
    other = json.loads((folder / "run.json").read_text())
    other["identity"]["benchmark"] = "another"
    (folder / "run.json").write_text(json.dumps(other))
    before = (folder / RECORDS).read_bytes()
    with pytest.raises(RunFolderError, match="does not belong"):
        Journal.resume(folder)
    assert (folder / RECORDS).read_bytes() == before


def test_two_writers_of_one_folder(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with (
        Journal.create(folder, CARD),
        pytest.raises(RunFolderError, match="another edgeval is writing"),
    ):
        Journal.resume(folder)


def test_a_taken_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep")
    with pytest.raises(RunFolderError, match=r"holds mine\.txt"):
        Journal.create(tmp_path, CARD)


def test_a_full_disk_keeps_what_was_acknowledged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "run"
    records = [make_record(i) for i in range(3)]
    real = os.write
    with Journal.create(folder, CARD) as journal:
        journal.append(records[0])

        monkeypatch.setattr(os, "write", _half_then_full)
        with pytest.raises(Interrupted, match="1 answers are safe"):
            journal.append(records[1])
        monkeypatch.setattr(os, "write", real)
    with Journal.resume(folder) as journal:
        assert journal.records == records[:1]
        assert journal.torn_bytes == 0


def _half_then_full(handle: int, block: memoryview) -> int:
    """Put half a line on disk, then report that it is full."""
    os.pwrite(handle, bytes(block[: len(block) // 2]), os.fstat(handle).st_size)
    raise OSError(errno.ENOSPC, "No space left on device")
