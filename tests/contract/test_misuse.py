"""What users, disks and other programs do to a run: one sentence, the right code, nothing lost."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ONE = (
    *("run", "videommmu", "--limit", "1", "--task", "video_mmmu_adaptation"),
    *("--setting", "video", "--progress", "none", "--threads", "1"),
)
Card = dict[str, Any]


def edgeval(*arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "edgeval", *map(str, arguments)]
    return subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, check=False, timeout=300
    )


def said(done: subprocess.CompletedProcess[str]) -> str:
    """The one sentence on stderr."""
    lines = done.stderr.splitlines()
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("edgeval: ")
    return lines[0]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("finished")
    done = edgeval(*ONE, "-o", "run", cwd=root)
    assert done.returncode == 0, done.stderr
    return root / "run"


@pytest.mark.parametrize(
    "options",
    [
        ("--limit", "0"),
        ("--fps", "inf"),
        ("--temperature", "nan"),
        ("--temperature", "inf"),
        ("--temperature", "1e-320"),
        ("--seed", str(2**70)),
        ("--threads", "9" * 30),
        ("--no-such-option",),
        ("-o", "a" * 300),
    ],
)
def test_a_senseless_option_is_one_sentence(options: tuple[str, ...], tmp_path: Path) -> None:
    done = edgeval(*ONE, *options, cwd=tmp_path)
    assert done.returncode == 2
    assert said(done)


def test_a_run_killed_at_its_start_leaves_a_folder_to_use(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / ".lock").touch()
    done = edgeval(*ONE, "-o", "run", cwd=tmp_path)
    assert done.returncode == 0, done.stderr


def test_runs_started_at_once_get_a_folder_each(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "edgeval", *ONE]
    started = [
        subprocess.Popen(
            command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        for _ in range(3)
    ]
    assert [process.wait(timeout=300) for process in started] == [0, 0, 0]
    assert len(list((tmp_path / "runs").iterdir())) == 3


def test_a_trace_on_a_full_disk_can_go_on(tmp_path: Path) -> None:
    done = edgeval(*ONE, "-o", "run", "--trace", "/dev/full", cwd=tmp_path)
    assert done.returncode == 6
    assert "No space left" in said(done)


def test_a_full_disk_behind_stdout_is_one_sentence(finished: Path) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "edgeval", "score", finished],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            cwd=finished.parent,
        )
    assert done.returncode == 1
    assert "No space left" in done.stderr
    assert "Traceback" not in done.stderr


def test_closed_stderr_stops_no_run(tmp_path: Path) -> None:
    command = '"$0" -m edgeval "$@" 2>&-'
    # --progress auto, the default, asks stderr what it is.
    asked = tuple(word for word in ONE if word not in ("--progress", "none"))
    done = subprocess.run(
        ["/bin/sh", "-c", command, sys.executable, *asked, "-o", "run"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        check=False,
    )
    assert done.returncode == 0


def _put(value: object, *path: str) -> Callable[[Card], None]:
    def change(card: Card) -> None:
        for key in path[:-1]:
            card = card[key]
        card[path[-1]] = value

    return change


@pytest.mark.parametrize("verb", [("run", "--resume"), ("score",)], ids=["resume", "score"])
@pytest.mark.parametrize(
    "change",
    [
        _put(None, "schema"),
        _put(99, "schema"),
        _put(None, "started"),
        _put("x", "seconds"),
        _put(5, "identity"),
        _put(float("nan"), "identity", "data"),
    ],
    ids=["no-schema", "new-schema", "no-start", "seconds", "identity", "nan"],
)
def test_an_edited_card_is_one_sentence(
    finished: Path, tmp_path: Path, change: Callable[[Card], None], verb: tuple[str, ...]
) -> None:
    folder = _edited(finished, tmp_path, change)
    done = edgeval(*verb, folder, cwd=tmp_path)
    assert done.returncode == 2
    assert "run.json" in said(done)


@pytest.mark.parametrize(
    ("key", "value"),
    [("benchmark", 5), ("model", 5), ("limit", "x"), ("threads", "x"), ("prompting", [])],
)
def test_an_edited_invocation_is_one_sentence(
    finished: Path, tmp_path: Path, key: str, value: object
) -> None:
    folder = _edited(finished, tmp_path, _put(value, "invocation", key))
    done = edgeval("run", "--resume", folder, cwd=tmp_path)
    assert done.returncode == 2
    assert key in said(done)


def _edited(finished: Path, tmp_path: Path, change: Callable[[Card], None]) -> Path:
    folder = tmp_path / "run"
    shutil.copytree(finished, folder)
    card = json.loads((folder / "run.json").read_text())
    change(card)
    (folder / "run.json").write_text(json.dumps(card))
    return folder


def test_an_unfinished_run_scores_to_its_own_code(finished: Path, tmp_path: Path) -> None:
    folder = _edited(finished, tmp_path, lambda card: card.__delitem__("finished"))
    done = edgeval("score", folder, cwd=tmp_path)
    assert done.returncode == 6
    assert "--resume" in said(done)


@pytest.mark.parametrize("verb", [("show",), ("score",), ("run", "--resume")])
def test_records_that_cannot_be_read_are_one_sentence(
    finished: Path, tmp_path: Path, verb: tuple[str, ...]
) -> None:
    folder = tmp_path / "run"
    shutil.copytree(finished, folder)
    (folder / "records.jsonl").unlink()
    (folder / "records.jsonl").mkdir()
    done = edgeval(*verb, folder, cwd=tmp_path)
    assert done.returncode == 2
    assert said(done)


def test_deep_json_behind_the_records_is_set_aside(finished: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(finished, folder)
    with (folder / "records.jsonl").open("a") as stream:
        stream.write("[" * 100_000 + "\n")
    done = edgeval("show", folder, cwd=tmp_path)
    assert done.returncode == 0
    assert "damaged" in said(done)


def test_a_pipe_is_written_to_and_not_replaced(finished: Path, tmp_path: Path) -> None:
    sample = edgeval("show", finished, cwd=tmp_path).stdout.split()[0]
    pipe = tmp_path / "pipe.npy"
    os.mkfifo(pipe)
    told = edgeval("show", finished, sample, "-o", pipe, cwd=tmp_path)
    assert told.returncode == 2
    assert said(told)
    assert pipe.is_fifo()


def test_scores_into_a_device_leave_it_a_device(tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").touch()
    out = tmp_path / "out"
    os.mkfifo(out)
    reader = os.open(out, os.O_RDONLY | os.O_NONBLOCK)
    try:
        done = edgeval("score", "videommmu", "in.jsonl", "-o", out, cwd=tmp_path)
    finally:
        os.close(reader)
    assert done.returncode == 0, done.stderr
    assert out.is_fifo()


def test_names_that_are_no_utf8_stand_in_the_card(tmp_path: Path) -> None:
    trace = os.fsdecode(os.fsencode(tmp_path) + b"/\xff\xfe")
    done = edgeval(*ONE, "-o", "run", "--trace", trace, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert Path(trace).stat().st_size > 0
    done = edgeval("run", "--resume", "run", "--progress", "none", cwd=tmp_path)
    assert done.returncode == 0, done.stderr


def test_a_name_that_is_too_long_is_a_missing_video(tmp_path: Path) -> None:
    done = edgeval("frames", "a" * 300, "--n", 2, "-o", "out.npy", cwd=tmp_path)
    assert done.returncode == 3
    assert said(done)


def test_data_that_cannot_be_written_are_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = edgeval("data", "make", "vsibench", "--clips", 1, "-o", "file/made", cwd=tmp_path)
    assert done.returncode == 2
    assert "cannot be written" in said(done)
