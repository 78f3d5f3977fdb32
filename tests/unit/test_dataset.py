"""Rows of every file form, and paths that stay inside."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edgeval import dataset
from edgeval.errors import DataError

ROWS = ({"id": "a", "options": ["x", "y"]}, {"id": "b", "options": []})


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("list.json", json.dumps(ROWS)),
        ("dict.json", json.dumps({"0": ROWS[0], "1": ROWS[1]})),
        ("track.json", json.dumps({"Track": {"0": ROWS[0], "1": ROWS[1]}})),
        ("under.json", json.dumps({"data": ROWS})),
        ("lines.jsonl", "\n".join(json.dumps(row) for row in ROWS) + "\n"),
        ("mark.json", "\ufeff" + json.dumps(ROWS)),
    ],
)
def test_the_same_rows_come_from_every_json_form(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    assert dataset.read_rows(tmp_path / name) == ROWS


def test_a_single_row_under_a_track_is_one_row(tmp_path: Path) -> None:
    (tmp_path / "one.json").write_text(json.dumps({"Track": {"0": ROWS[0]}}), encoding="utf-8")
    assert dataset.read_rows(tmp_path / "one.json") == ROWS[:1]


def test_parquet_gives_the_rows_without_binary_columns(tmp_path: Path) -> None:
    duckdb = pytest.importorskip("duckdb", reason="the extra 'parquet' is not installed")
    path = tmp_path / "test-0[0].parquet"
    with duckdb.connect() as base:
        base.execute(
            "COPY (SELECT 'a' AS id, ['x', 'y'] AS options, {'bytes': 'q'::BLOB} AS image "
            f"UNION ALL SELECT 'b', [], NULL) TO '{path}' (FORMAT parquet)"
        )
    assert dataset.read_rows(path) == ROWS


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("x.json", b"{", "not JSON"),
        ("x.json", b"3", "got int"),
        ("x.json", b"[1]", "got int for a row"),
        ("x.json", b"\xff\xfe", "not UTF-8"),
        ("x.jsonl", b"{}\n{", "x.jsonl:2"),
        ("x.json", b"[" * 100_000, "not JSON"),
        ("x.parquet", b"PAR1 not really", "parquet"),
        ("missing.json", None, "cannot be read"),
    ],
)
def test_a_bad_file_is_one_sentence(
    tmp_path: Path, name: str, content: bytes | None, said: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=said) as caught:
        dataset.read_rows(tmp_path / name)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("path", ["../x", "a/../../x", "/etc/passwd", "a\\..\\x", "a\0b"])
def test_a_path_that_climbs_out_is_refused(tmp_path: Path, path: str) -> None:
    with pytest.raises(DataError, match="climbs out"):
        dataset.inside(tmp_path, path)


def test_a_link_that_leads_out_is_refused(tmp_path: Path) -> None:
    root = tmp_path / "data"
    root.mkdir()
    (tmp_path / "secret.mp4").touch()
    (root / "clip.mp4").symlink_to("../secret.mp4")
    with pytest.raises(DataError, match="outside the data folder"):
        dataset.inside(root, "clip.mp4")


def test_a_link_that_stays_inside_is_followed(tmp_path: Path) -> None:
    (tmp_path / "real.mp4").touch()
    (tmp_path / "clip.mp4").symlink_to("real.mp4")
    assert dataset.inside(tmp_path, "clip.mp4") == tmp_path / "clip.mp4"


def test_a_hugging_face_snapshot_may_link_to_its_own_blobs(tmp_path: Path) -> None:
    blobs, snapshot = tmp_path / "blobs", tmp_path / "snapshots" / "abc"
    blobs.mkdir()
    snapshot.mkdir(parents=True)
    (blobs / "0f").touch()
    (snapshot / "clip.mp4").symlink_to("../../blobs/0f")
    assert dataset.inside(snapshot, "clip.mp4") == snapshot / "clip.mp4"


def test_the_digest_of_a_file_is_its_sha256(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"abc")
    assert dataset.sha256(tmp_path / "x").startswith("ba7816bf8f01cfea")


def test_half_a_surrogate_pair_is_no_text(tmp_path: Path) -> None:
    path = tmp_path / "rows.json"
    path.write_text('[{"question": "\\ud800"}]')
    with pytest.raises(DataError, match="surrogates not allowed"):
        dataset.read_rows(path)
    path.write_text('[{"question": "\\ud83d\\ude00"}]')
    assert dataset.read_rows(path) == ({"question": "\N{GRINNING FACE}"},)
