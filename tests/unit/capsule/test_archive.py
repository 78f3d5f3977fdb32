"""The archive itself: strict in what it reads, whatever it is given."""

from __future__ import annotations

import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeval.capsule import archive, pieces
from edgeval.capsule.sealed import check
from edgeval.errors import ArgumentError
from edgeval.runfolder import dumps

KEYS = st.text('abc"}é', max_size=3)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=8,
)  # fmt: skip


def sealed(table: dict[str, object], body: bytes = b"") -> bytes:
    """An archive with the very table given, sealed as it should be."""
    table = {**table, "seal": hashlib.sha256(dumps(table).encode()).hexdigest()}
    whole = archive.packed({}, version="0")
    held = (dumps(table) + "\n").encode()
    header = whole[:124] + f"{len(held):011o}".encode() + whole[135:512]
    blank = header[:148] + b" " * 8 + header[156:]
    header = header[:148] + f"{sum(blank):06o}\0 ".encode() + header[156:]
    return header + held + bytes(-len(held) % 512) + body + bytes(1024)


def test_the_helper_seals_as_the_archive_does() -> None:
    assert sealed({"edgeval": "0", "members": [], "schema": 1}) == archive.packed({}, version="0")


@pytest.mark.parametrize(
    "members",
    [
        [["../escape.json", 0, ""]],
        [["/etc/passwd", 0, ""]],
        [["a.json", -1, ""]],
        [["a.json", 1 << 60, ""]],
        [["a.json", "0", ""]],
        [["a.json", 0, ""], ["a.json", 0, ""]],
        [["capsule.json", 0, ""]],
        [[f"a{chr(97 + i // 26)}{chr(97 + i % 26)}.json", 0, ""] for i in range(100)],
        [["a.json", 0]],
        {"a": 1},
        None,
    ],
    ids=lambda members: str(members)[:30],
)
def test_a_sealed_table_that_no_capsule_has_is_refused(members: object) -> None:
    found = archive.opened(sealed({"edgeval": "0", "members": members, "schema": 1}))
    assert found.members == {}
    assert [name for name, _ in found.damaged] == ["capsule.json"]


def test_a_later_schema_is_told() -> None:
    found = archive.opened(sealed({"edgeval": "9", "members": [], "schema": 2}))
    assert "schema 2" in found.damaged[0][1]


def test_names_that_are_no_plain_names_are_never_packed() -> None:
    for name in ("../x.json", "a/b.json", "A.json", "x", ".x.json"):
        with pytest.raises(ArgumentError):
            archive.packed({name: b""}, version="0")


@given(st.binary(max_size=3000))
def test_any_bytes_are_damaged_not_a_crash(raw: bytes) -> None:
    assert check(raw)[0] is None


@given(st.dictionaries(st.sampled_from(["run.json", "records.jsonl", "data.json"]), st.binary()))
def test_what_was_packed_comes_out(members: dict[str, bytes]) -> None:
    found = archive.opened(archive.packed(members, version="1"))
    assert (found.members, found.damaged) == (members, ())


@given(st.dictionaries(st.sampled_from(["run.json", "records.jsonl", "data.json", "lock.txt",
    "results.json", "digests.jsonl"]), JSON.map(lambda value: dumps(value).encode())))  # fmt: skip
def test_sealed_nonsense_is_damaged_not_a_crash(members: dict[str, bytes]) -> None:
    assert check(archive.packed(members, version="1"))[0] is None


@given(st.dictionaries(st.text("abc", min_size=1), JSON), st.data())
def test_pieces_are_the_line_and_name_the_changed_one(
    line: dict[str, object], data: st.DataObject
) -> None:
    text = dumps(line)
    layout = pieces.layout(text)
    raw = text.encode()
    assert sum(size for _, size, _ in layout) == len(raw)
    assert pieces.changed(raw, layout) == ""
    at = data.draw(st.integers(0, len(raw) - 1))
    changed = raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :]
    ends = [sum(size for _, size, _ in layout[: i + 1]) for i in range(len(layout))]
    place = next(i for i, end in enumerate(ends) if at < end)
    names = [layout[i][0] for i in range(place + 1) if layout[i][1:] == layout[place][1:]]
    assert pieces.changed(changed, layout) in {*names, layout[place][0]}
    assert json.loads(text) == line
