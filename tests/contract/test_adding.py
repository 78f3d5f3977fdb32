"""The toy of docs/ADDING.md works as that page says: found by entry point, loaded, scored."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

from edgeval import benchmarks
from edgeval.benchmarks.base import Benchmark
from edgeval.errors import ArgumentError, DataError
from edgeval.types import Record

ROWS = [
    {"id": 1, "video": "a.mp4", "question": "Which colour?", "answer": "red"},
    {"id": 2, "video": "b.mp4", "question": "Which colour?", "answer": "blue"},
]


def install(monkeypatch: pytest.MonkeyPatch, folder: Path, code: str) -> None:
    """What pip would leave of a package that brings the toy."""
    monkeypatch.delitem(sys.modules, "toy_colours", raising=False)
    monkeypatch.syspath_prepend(folder)
    (folder / "toy_colours.py").write_text(code, encoding="utf-8")
    info = folder / "toy_colours-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: toy-colours\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[edgeval.benchmarks]\ntoy_colours = toy_colours\n")


@pytest.fixture
def toy(repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Benchmark:
    page = (repo / "docs" / "ADDING.md").read_text(encoding="utf-8")
    block = re.search(r"<!-- toy\.py:.*?-->\n```python\n(.*?)```", page, re.DOTALL)
    assert block, "docs/ADDING.md has lost its toy"
    install(monkeypatch, tmp_path, block.group(1))
    (tmp_path / "questions.json").write_text(json.dumps(ROWS))
    return benchmarks.load("toy_colours")


def test_the_toy_is_listed_after_ours(toy: Benchmark) -> None:
    assert benchmarks.names()[-1] == toy.name


def test_the_toy_yields_its_clips_in_order(toy: Benchmark, tmp_path: Path) -> None:
    found = list(toy.clips(tmp_path, toy.default_settings, ()))
    assert [clip.video for clip in found] == [tmp_path / "a.mp4", tmp_path / "b.mp4"]


def test_the_toy_scores_and_reports(toy: Benchmark) -> None:
    answers = ["Red.", ""]
    records = []
    for row, answer in zip(ROWS, answers, strict=True):
        one = toy.question(row)
        scores = {score.rule: score for score in toy.score(one, answer)}
        records.append(Record(question=one, setting="video", scores=scores))
    (figure,) = toy.report(records).figures
    assert (figure.value, figure.n) == (50.0, 2)


def test_the_toy_names_the_field_a_row_lacks(toy: Benchmark) -> None:
    with pytest.raises(DataError, match="without answer"):
        toy.question({"id": 1, "video": "a.mp4", "question": "?"})


def test_an_entry_point_that_leads_nowhere_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch, tmp_path, "BENCHMARK = None\n")
    with pytest.raises(ArgumentError, match="wants a module with BENCHMARK"):
        benchmarks.load("toy_colours")
