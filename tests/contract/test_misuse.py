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

from edgeval.runfolder import dumps, link, read_card, seed_chain

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


@pytest.mark.parametrize("link", [False, True])
def test_a_file_in_the_place_of_all_runs_is_one_sentence(link: bool, tmp_path: Path) -> None:
    if link:
        (tmp_path / "runs").symlink_to("nowhere")
    else:
        (tmp_path / "runs").touch()
    done = edgeval(*ONE, cwd=tmp_path)
    assert done.returncode == 2
    assert said(done) == "edgeval: runs: is not a folder; choose another place with -o"


def test_a_folder_that_is_gone_is_named(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    command = f"rmdir '{gone}'; exec '{sys.executable}' -m edgeval doctor"
    done = subprocess.run(
        ["/bin/sh", "-c", command], cwd=gone, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert said(done).startswith("edgeval: the current folder: ")


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
        _put(5, "packages"),
        _put("x", "device"),
        _put([], "costs"),
        _put({"decode": "x"}, "costs", "stages"),
        _put("x", "costs", "sessions"),
    ],
    ids=[
        "no-schema",
        "new-schema",
        "no-start",
        "seconds",
        "identity",
        "nan",
        "packages",
        "device",
        "costs",
        "stages",
        "sessions",
    ],
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


def answers(path: Path, response: str = "A") -> Path:
    """One answer to be scored."""
    doc = {
        "id": "dev_Math_1",
        "question": "q",
        "options": ["x", "y"],
        "answer": "A",
        "track": "perception",
    }
    path.write_text(json.dumps({"uid": 1, "doc": doc, "response": response}) + "\n", "utf-8")
    return path


def test_no_answers_are_no_score(tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").touch()
    done = edgeval("score", "videommmu", "in.jsonl", "-o", "out.jsonl", cwd=tmp_path)
    assert done.returncode == 3
    assert "holds no answer" in said(done)


def test_answers_that_no_rule_values_are_no_score(tmp_path: Path) -> None:
    row = {"id": "v1", "question": "q", "answer": "three", "question_type": "open-ended"}
    row |= {"video": "videos/Art/1.mp4", "metadata": {"subject": "Art"}}
    line = {"uid": 1, "doc": row, "response": "3"}
    (tmp_path / "in.jsonl").write_text(json.dumps(line) + "\n", "utf-8")
    done = edgeval("score", "mmvu", "in.jsonl", "-o", "out.jsonl", cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    assert "lmms-eval" in done.stdout


def test_answers_are_not_written_over_by_their_scores(tmp_path: Path) -> None:
    path = answers(tmp_path / "in.jsonl")
    before = path.read_bytes()
    done = edgeval("score", "videommmu", "in.jsonl", "-o", "in.jsonl", cwd=tmp_path)
    assert done.returncode == 2
    assert "choose another file" in said(done)
    assert path.read_bytes() == before


def test_scores_into_a_device_leave_it_a_device(tmp_path: Path) -> None:
    answers(tmp_path / "in.jsonl")
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


def test_what_would_move_a_terminals_cursor_is_spelled_out(finished: Path, tmp_path: Path) -> None:
    """Of a name in a sentence, and of a model's or a dataset's words."""
    title = "\x1b]0;mine\x07"
    done = edgeval("frames", title, "--n", 1, "-o", "out.npy", cwd=tmp_path)
    assert said(done) == "edgeval: \\x1b]0;mine\\x07: no such file"
    for name in ("run.json", "records.jsonl"):
        shutil.copyfile(finished / name, tmp_path / name)

    def talk(record: Card) -> None:
        record["generation"]["text"] = f"{title}A\nB"

    _each_record(tmp_path, talk)
    sample = edgeval("show", ".", cwd=tmp_path).stdout.split()[0]
    told = edgeval("show", ".", sample, cwd=tmp_path).stdout
    assert "\n\\x1b]0;mine\\x07A\nB\n" in told
    assert "\x1b" not in told


def test_a_name_that_is_too_long_is_a_missing_video(tmp_path: Path) -> None:
    done = edgeval("frames", "a" * 300, "--n", 2, "-o", "out.npy", cwd=tmp_path)
    assert done.returncode == 3
    assert said(done)


def test_data_that_cannot_be_written_are_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = edgeval("data", "make", "vsibench", "--clips", 1, "-o", "file/made", cwd=tmp_path)
    assert done.returncode == 2
    assert "cannot be written" in said(done)


@pytest.mark.parametrize("verb", [("show",), ("score",), ("run", "--resume"), ("errors",)])
def test_a_file_is_no_run_folder(verb: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = edgeval(*verb, "file", cwd=tmp_path)
    assert done.returncode == 2
    assert said(done) == "edgeval: file: is not a folder; wants one written by 'edgeval run'"


def test_a_finished_run_resumed_is_the_same_run(finished: Path, tmp_path: Path) -> None:
    """Its card says when it was finished, and its capsule keeps its digest."""
    folder = tmp_path / "run"
    shutil.copytree(finished, folder)
    kept = ("run.json", "records.jsonl", "results.json", "report.md")
    before = {name: (folder / name).read_bytes() for name in kept}
    done = edgeval("run", "--resume", folder, "--progress", "none", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert {name: (folder / name).read_bytes() for name in kept} == before


def test_a_filled_sheet_is_not_written_over(finished: Path, tmp_path: Path) -> None:
    sheet = tmp_path / "sheets" / "sheet.csv"
    sheet.parent.mkdir()
    sheet.write_text("causes\nannotation\n", "utf-8")
    for name in ("run.json", "records.jsonl"):
        shutil.copyfile(finished / name, tmp_path / name)
    _wrong_answers(tmp_path)
    done = edgeval("errors", ".", "-o", "sheets", "--no-explain", cwd=tmp_path)
    assert done.returncode == 2
    assert "is there already" in said(done)
    assert sheet.read_text("utf-8") == "causes\nannotation\n"


def _wrong_answers(folder: Path) -> None:
    """The run with every score 0."""

    def lower(record: Card) -> None:
        for score in record["scores"].values():
            score["value"] = 0.0

    _each_record(folder, lower)


def _each_record(folder: Path, change: Callable[[Card], None]) -> None:
    """The run with its records changed, and their chain mended."""
    chain = seed_chain(read_card(folder))
    lines = []
    for text in (folder / "records.jsonl").read_text("utf-8").splitlines():
        record = json.loads(text)["record"]
        change(record)
        chain = link(chain, dumps(record))
        lines.append(dumps({"chain": chain, "record": record}) + "\n")
    (folder / "records.jsonl").write_text("".join(lines), "utf-8")


def test_an_empty_sheet_counts_to_nothing(finished: Path, tmp_path: Path) -> None:
    (tmp_path / "sheet.csv").write_text("id,causes\nx,\n", "utf-8")
    done = edgeval("errors", finished, "--tally", "sheet.csv", cwd=tmp_path)
    assert done.returncode == 1
    assert "1 without one" in done.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ("soak", "--minutes", "nan"),
        ("soak", "--minutes", "inf"),
        (*ONE, "--deadline", "nan"),
        (*ONE, "--deadline", "inf"),
        (*ONE, "--stop", os.fsdecode(b"\xff")),
    ],
    ids=lambda arguments: " ".join(arguments[-2:]).encode("ascii", "replace").decode(),
)
def test_what_is_no_number_or_text_is_refused_at_once(
    arguments: tuple[str, ...], tmp_path: Path
) -> None:
    done = edgeval(*arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert said(done)
    assert list(tmp_path.iterdir()) == []


def test_a_picture_beyond_all_memory_is_one_sentence(tmp_path: Path) -> None:
    limited = "import resource, sys; resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30)); "
    limited += "from edgeval.cli.main import main; main()"
    asked = ("build", "tiny", "--size", "99999x99999", "--print-trtexec", "-o", tmp_path)
    done = subprocess.run(
        [sys.executable, "-c", limited, *map(str, asked)],
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 5
    assert "got no memory" in said(done)


@pytest.mark.parametrize("where", ["file", "file/model"])
def test_an_export_that_cannot_be_written_is_refused_at_once(where: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = edgeval("export", tmp_path, "-o", where, cwd=tmp_path)
    assert done.returncode == 2
    assert "choose another" in said(done)


def test_lines_that_cannot_be_written_are_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = edgeval("build", "tiny", "--print-trtexec", "-o", "file", cwd=tmp_path)
    assert done.returncode == 2
    assert "choose another folder" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_name_that_the_terminal_cannot_show_is_spelled_out(tmp_path: Path) -> None:
    (tmp_path / "\N{HAMMER}").mkdir()
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "edgeval",
            "data",
            "make",
            "mmvu",
            "--clips",
            "1",
            "-o",
            "\N{HAMMER}",
        ],
        cwd=tmp_path,
        capture_output=True,
        check=False,
        env={**os.environ, "PYTHONIOENCODING": "latin-1"},  # noqa: TID251 - the rest as it is
    )
    assert done.returncode == 0, done.stderr
    assert b"\\U0001f528" in done.stdout


def test_half_a_capsule_is_none(finished: Path, tmp_path: Path) -> None:
    """A file may have so many bytes here, and no more: as on a disk that is full."""
    limited = "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
    limited += "resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192)); "
    limited += "from edgeval.cli.main import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", limited, "capsule", str(finished), "-o", "run.cap"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "cannot be written" in said(done)
    assert list(tmp_path.iterdir()) == []
