"""``edgeval run --transcript`` from a user's side: what is asked, reported and refused."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

MISSING = "[Transcript not available]"


def edgeval(*arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "edgeval", *map(str, arguments)]
    environment = {**os.environ, "XDG_CACHE_HOME": str(cwd / "user-cache")}  # noqa: TID251
    return subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, check=False, timeout=300, env=environment
    )


@pytest.fixture(scope="module")
def ids(repo: Path) -> tuple[str, ...]:
    held = json.loads((repo / "edgeval/embedded/videommmu/perception_video.json").read_text())
    return tuple(row["id"] for row in held["Perception"].values())


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, ids: tuple[str, ...]) -> Path:
    """A finished run of six clips, of which the second has no transcript."""
    root = tmp_path_factory.mktemp("told")
    (root / "said").mkdir()
    for name in (ids[0], *ids[2:6]):
        (root / "said" / f"{name}.txt").write_text(f"  This is {name}.\n")
    done = edgeval(
        *("run", "videommmu", "--limit", 6, "--transcript", "said", "-o", "run"), cwd=root
    )
    assert done.returncode == 0, done.stderr
    (root / "stdout").write_text(done.stdout)
    return root


def records(root: Path) -> list[dict]:
    lines = (root / "run" / "records.jsonl").read_text().splitlines()
    return [json.loads(line)["record"] for line in lines]


def test_every_question_on_a_video_is_asked_both_ways(finished: Path) -> None:
    rows = records(finished)
    true = [row["question"]["id"] for row in rows if row["setting"] == "video"]
    told = [row["question"]["id"] for row in rows if row["variant"] == "transcript"]
    assert len(true) == 18
    assert told == [f"{name}#transcript" for name in true]
    assert {row["setting"] for row in rows if row["variant"]} == {"transcript"}
    assert sum(row["setting"] == "question-only" for row in rows) == 6


def test_the_prompt_holds_what_is_said_or_that_nothing_is(
    finished: Path, ids: tuple[str, ...]
) -> None:
    for row in records(finished):
        name = row["question"]["row_id"]
        said = MISSING if name == ids[1] else f"This is {name}."
        text = row["prompt"]["text"]
        assert (f"Transcript for the Video:\n{said}\n\n" in text) == bool(row["variant"])
        assert ("Transcript" in text) == bool(row["variant"])


def test_the_report_has_the_effect_on_every_track(finished: Path) -> None:
    results = json.loads((finished / "run" / "results.json").read_text())
    comparisons = results["edgeval"]["report"]["comparisons"]
    figures = {(row["name"], row["rule"], row["group"]): row for row in comparisons}
    tracks = ("perception", "comprehension", "adaptation")
    groups = ("transcript", *(f"transcript,track={track}" for track in tracks))
    for rule in ("official", "lmms-eval"):
        for group in groups:
            without = figures["accuracy, as it is", rule, group]["value"]
            told = figures["accuracy, transcript", rule, group]["value"]
            difference = figures["difference", rule, group]
            assert difference["value"] == pytest.approx(told - without)
            assert difference["low"] <= difference["value"] <= difference["high"]
            assert difference["n"] == (18 if group == "transcript" else 6)
    for text in ((finished / "stdout").read_text(), (finished / "run" / "report.md").read_text()):
        assert "What the transcript adds" in text
        assert "| track=adaptation" in text
        assert "Does it really watch?" not in text


def test_the_main_table_is_that_of_a_run_without(finished: Path) -> None:
    plain = edgeval("run", "videommmu", "--limit", 6, "-o", "plain", cwd=finished)
    assert plain.returncode == 0, plain.stderr
    reports = []
    for name in ("run", "plain"):
        results = json.loads((finished / name / "results.json").read_text())
        reports.append(results["edgeval"]["report"]["figures"])
    assert reports[0] == reports[1]


def test_a_resumed_run_wants_the_same_transcripts(finished: Path, ids: tuple[str, ...]) -> None:
    again = edgeval("run", "--resume", "run", cwd=finished)
    assert again.returncode == 0, again.stderr
    text = finished / "said" / f"{ids[0]}.txt"
    before = text.read_text()
    text.write_text("Something else.")
    changed = edgeval("run", "--resume", "run", cwd=finished)
    text.write_text(before)
    assert changed.returncode == 2
    assert "cannot resume" in changed.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "why"),
    [
        (("mvbench", "--transcript", "said"), 2, "mvbench has no setting with a transcript"),
        (("videommmu", "--transcript", "gone"), 3, "--transcript gone: got nothing; wants"),
        (("videommmu", "--transcript", "bad.txt", "--limit", 1), 3, "is not UTF-8"),
        (("videommmu", "--transcript", "one.txt"), 2, "got one text for 60 videos"),
        (("videommmu", "--transcript", "said", "--setting", "blind"), 2, "wants 'video' among"),
        (("videommmu", "--transcript", "said", "--cache", "c"), 2, "--cache: got c; goes only"),
        (("videommmu", "--speech-model", "m"), 2, "--speech-model: got m; goes only with"),
        (("videommmu", "--transcript", "auto"), 4, "name a folder"),
        (("videommmu", "--transcript", "auto", "--speech-model", "m"), 4, "got no such folder"),
        (
            (
                *("videommmu", "--transcript", "said"),
                *("--task", "video_mmmu_adaptation_question_only"),
            ),
            2,
            "no question about a video",
        ),
    ],
)
def test_what_makes_no_sense_is_one_sentence(
    tmp_path: Path, arguments: tuple[object, ...], code: int, why: str
) -> None:
    (tmp_path / "said").mkdir()
    (tmp_path / "bad.txt").write_bytes(b"\xff\xfe")
    (tmp_path / "one.txt").write_text("one text")
    done = edgeval("run", *arguments, "-o", "run", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (code, "")
    assert why in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "run").exists()
