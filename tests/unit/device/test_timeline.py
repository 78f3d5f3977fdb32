"""device.jsonl survives kills, damage and other runs' cards."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from edgeval.device.timeline import FILE, TimeLine, sessions

CARD: Mapping[str, object] = {"identity": {"benchmark": "x"}}


def entry(at: int) -> dict[str, object]:
    return {"samples": {"t_ms": [at]}, "sums": {"seconds": at}}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two sessions of three and two lines."""
    for name, lines in (("first", 3), ("second", 2)):
        written = TimeLine(tmp_path, CARD)
        written.append({"session": {"name": name}})
        for at in range(1, lines + 1):
            written.append(entry(at))
        written.close()
    return tmp_path


def shape(folder: Path) -> list[tuple[str, int, int]]:
    return [
        (found.facts["name"], found.sums.get("seconds", 0), len(found.samples))
        for found in sessions(folder, CARD)
    ]


def test_every_session_is_read_back(folder: Path) -> None:
    assert shape(folder) == [("first", 3, 3), ("second", 2, 2)]


def test_a_kill_at_any_byte_costs_the_last_line_at_most(folder: Path) -> None:
    whole = (folder / FILE).read_bytes()
    ends = [i + 1 for i, byte in enumerate(whole) if byte == ord("\n")]
    for size in range(ends[-2], len(whole)):
        (folder / FILE).write_bytes(whole[:size])
        assert shape(folder)[-1] == ("second", 1, 1)


def test_a_session_goes_on_after_a_torn_line(folder: Path) -> None:
    path = folder / FILE
    path.write_bytes(path.read_bytes()[:-5])
    written = TimeLine(folder, CARD)
    written.append({"session": {"name": "third"}})
    written.append(entry(7))
    written.close()
    assert shape(folder) == [("first", 3, 3), ("second", 1, 1), ("third", 7, 1)]


def test_a_flipped_bit_is_seen(folder: Path) -> None:
    raw = bytearray((folder / FILE).read_bytes())
    raw[raw.index(b'"t_ms":[2]') + 8] ^= 1
    (folder / FILE).write_bytes(bytes(raw))
    assert shape(folder) == [("first", 1, 1)]


def test_another_runs_card_reads_nothing(folder: Path) -> None:
    assert sessions(folder, {"identity": {"benchmark": "y"}}) == ()


def test_no_file_is_no_session(tmp_path: Path) -> None:
    assert sessions(tmp_path, CARD) == ()
