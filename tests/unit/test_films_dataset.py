"""Films in seven layouts: each is what its benchmark's loader reads, whole, and the same twice."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import pytest

from edgeval import benchmarks
from edgeval.cli import data
from edgeval.errors import ArgumentError, EdgevalError, UnknownName
from edgeval.synth import films_dataset
from edgeval.synth.films_dataset import LAYOUTS
from edgeval.types import Clip


@pytest.fixture(scope="module", params=sorted(LAYOUTS))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def made(name: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three clips, of seeds that are not embedded."""
    folder = tmp_path_factory.mktemp("data") / name
    films_dataset.write(name, folder, n_clips=3, seed0=7)
    return folder


def held(folder: Path) -> dict[str, bytes]:
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def clips(name: str, folder: Path) -> list[Clip]:
    bench = benchmarks.load(name)
    return list(bench.clips(folder, bench.default_settings, ()))


def test_the_loader_finds_every_file(name: str, made: Path) -> None:
    check = benchmarks.load(name).check(made)
    assert not check.findings


def test_what_was_written_is_what_is_asked(name: str, made: Path, tmp_path: Path) -> None:
    written = films_dataset.write(name, tmp_path / "new", n_clips=3, seed0=7)
    assert written.n_questions == sum(len(clip.questions) for clip in clips(name, made))
    assert written.n_bytes == sum(map(len, held(made).values()))


def test_the_same_seed_writes_the_same_bytes(name: str, made: Path, tmp_path: Path) -> None:
    films_dataset.write(name, tmp_path / "again", n_clips=3, seed0=7)
    assert held(tmp_path / "again") == held(made)


def test_another_seed_asks_something_else(name: str, made: Path, tmp_path: Path) -> None:
    films_dataset.write(name, tmp_path / "other", n_clips=3, seed0=70)
    texts = [
        [(q.text, q.choices, q.answer) for clip in clips(name, folder) for q in clip.questions]
        for folder in (made, tmp_path / "other")
    ]
    assert texts[0] != texts[1]


def test_right_options_are_dealt_evenly(name: str, tmp_path: Path) -> None:
    films_dataset.write(name, tmp_path / "more", n_clips=6, seed0=40)
    counts: dict[int, Counter[str]] = {}
    for clip in clips(name, tmp_path / "more"):
        for one in clip.questions:
            if one.kind == "choice" and one.answer in "ABCDE":
                counts.setdefault(len(one.choices), Counter())[one.answer] += 1
    assert all(max(c.values()) - min(c[x] for x in "ABCDE"[:n]) <= 1 for n, c in counts.items())


def test_a_folder_in_use_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep")
    with pytest.raises(ArgumentError, match="not an empty folder"):
        films_dataset.write("mmvu", tmp_path)
    assert list(held(tmp_path)) == ["mine.txt"]


@pytest.mark.parametrize("wrong", [{"n_clips": 0}, {"seed0": -1}])
def test_a_senseless_number_is_refused(wrong: dict[str, int], tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match="wants n_clips >= 1, seed0 >= 0"):
        films_dataset.write("mmvu", tmp_path / "new", **wrong)


def test_an_unknown_layout_is_told_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match="did you mean videomme"):
        films_dataset.write("videome", tmp_path / "new")


def test_without_pillow_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("motions.picture", "sprites"):
        monkeypatch.delitem(sys.modules, f"edgeval.synth.{module}", raising=False)
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(EdgevalError, match=r"PIL is not installed.*edgeval\[make\]"):
        films_dataset.write("mmvu", tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_every_benchmark_can_be_made() -> None:
    assert set(data._MAKERS) == set(benchmarks.MODULES)
    assert set(LAYOUTS) == set(data._MAKERS) - {"videommmu", "vsibench"}
