"""``edgeval run`` from a user's side: what it leaves, prints, and answers to nonsense."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from edgeval import benchmarks

FINAL = ("report.md", "results.json")


def edgeval(*arguments: object, cwd: Path, **options: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "edgeval", *map(str, arguments)]
    return subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, check=False, timeout=300, **options
    )


def without_times(folder: Path) -> dict[str, object]:
    """Every final file without its times: keys of results.json, the last section of report.md."""
    files: dict[str, object] = {
        path.name: path.read_text() for path in sorted(folder.glob("samples_*.jsonl"))
    }
    files["report.md"] = (folder / "report.md").read_text().partition("## What it cost")[0]
    results = json.loads((folder / "results.json").read_text())
    for key in ("start_time", "end_time", "total_evaluation_time_seconds"):
        assert results.pop(key) is not None
    assert results["edgeval"].pop("costs") is not None
    files["results.json"] = results
    return files


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One small finished run with its trace."""
    root = tmp_path_factory.mktemp("finished")
    done = edgeval(
        *("run", "videommmu", "--limit", 3, "-o", "run", "--trace", "trace.jsonl"), cwd=root
    )
    assert done.returncode == 0, done.stderr
    assert "adaptation" in done.stdout
    return root


def test_final_files_use_the_names_that_tools_read(finished: Path) -> None:
    results = json.loads((finished / "run" / "results.json").read_text())
    assert set(results["results"]) >= {
        "video_mmmu_perception",
        "video_mmmu_comprehension",
        "video_mmmu_adaptation",
    }
    for task, row in results["results"].items():
        assert 0 <= row["mmmu_acc,none"] <= 1
        lines = (finished / "run" / f"samples_{task}.jsonl").read_text().splitlines()
        assert len(lines) == results["n-samples"][task]["original"] == 3
        hashes = {json.loads(line)["doc_hash"] for line in lines}
        assert len(hashes) == len(lines)


def test_trace_says_what_went_in(finished: Path) -> None:
    rows = [json.loads(line) for line in (finished / "trace.jsonl").read_text().splitlines()]
    assert len(rows) == 12
    for row in rows:
        assert len(row["frame_indices"]) == len(row["frames_sha256"]) > 0
        assert len(row["pixel_sha256"]) == 64
        assert row["input_ids"]
        assert row["generated_ids"]
        assert set(row["scores"]) == {"official", "lmms-eval", "vlmeval"}
    record = json.loads((finished / "run" / "records.jsonl").read_text().splitlines()[0])["record"]
    ids = np.asarray(rows[0]["input_ids"], dtype="<i8")
    assert record["prompt"]["sha256"] == hashlib.sha256(ids.tobytes()).hexdigest()


def test_without_sharing_the_answers_are_the_same(finished: Path) -> None:
    done = edgeval("run", "videommmu", "--limit", 3, "-o", "alone", "--no-share", cwd=finished)
    assert done.returncode == 0, done.stderr
    for path in (finished / "run").glob("samples_*.jsonl"):
        assert path.read_text() == (finished / "alone" / path.name).read_text()


def test_scoring_again_changes_nothing(finished: Path) -> None:
    copy = finished / "again"
    shutil.copytree(finished / "run", copy)
    for name in FINAL:
        (copy / name).unlink()
    done = edgeval("score", "again", cwd=finished)
    assert done.returncode == 0, done.stderr
    assert without_times(copy) == without_times(finished / "run")


def test_show_tells_a_sample_and_draws_it(finished: Path) -> None:
    ids = edgeval("show", "run", cwd=finished).stdout.splitlines()
    sample = ids[0].split()[0]
    told = edgeval("show", "run", sample, "-o", "sheet.png", cwd=finished)
    assert told.returncode == 0, told.stderr
    assert "prompt tokens" in told.stdout
    assert (finished / "sheet.png").read_bytes().startswith(b"\x89PNG")
    assert edgeval("show", "run", sample + "x", cwd=finished).returncode == 2


def test_a_finished_run_resumes_to_itself(finished: Path) -> None:
    before = without_times(finished / "run")
    done = edgeval("run", "--resume", "run", cwd=finished)
    assert done.returncode == 0, done.stderr
    assert without_times(finished / "run") == before


def test_a_second_run_in_one_folder_is_refused(finished: Path) -> None:
    before = (finished / "run" / "records.jsonl").read_bytes()
    done = edgeval("run", "videommmu", "--limit", 1, "-o", "run", cwd=finished)
    assert done.returncode == 2
    assert "--resume" in done.stderr
    assert (finished / "run" / "records.jsonl").read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("run", "videommu"), 2, "did you mean videommmu"),
        (("run", "videommmu", "--model", "tinny"), 2, "did you mean tiny"),
        (("run", "videommmu", "--engine", "cpuu"), 2, "did you mean cpu"),
        (("run", "videommmu", "--engine", "cuda"), 4, "cuda"),
        (("run", "videommmu", "--engine", "trt"), 4, "use --engine cpu"),
        (("run", "videommmu", "--model", "./nowhere"), 4, "nowhere"),
        (("run", "videommmu", "--data", "./nowhere"), 3, "nowhere"),
        (("run", "videommmu", "--precision", "fp7"), 2, "fp7"),
        (("run", "videommmu", "--rule", "linspace_flor"), 2, "did you mean linspace_floor"),
        (("run", "videommmu", "--setting", "vidio"), 2, "did you mean video"),
        (("run", "videommmu", "--top-p", "2"), 2, "top_p"),
        (("run", "--resume", "nowhere"), 2, "run.json"),
        (("run",), 2, "BENCHMARK"),
        (("frobnicate",), 2, "frobnicate"),
    ],
)
def test_nonsense_gets_one_sentence_and_its_code(
    tmp_path: Path, arguments: tuple[str, ...], code: int, says: str
) -> None:
    done = edgeval(*arguments, cwd=tmp_path)
    assert done.returncode == code, done.stderr
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "runs").exists()


def embedded_copy(folder: Path) -> Path:
    root = benchmarks.load("videommmu").embedded
    assert root is not None
    shutil.copytree(root, folder)
    return folder


def first_video(root: Path) -> Path:
    return next(
        path for path in sorted(root.glob("*/*.mp4")) if path.parent.name != "question_only"
    )


@pytest.mark.parametrize("harm", ["missing", "empty", "html", "truncated"])
def test_a_bad_video_is_data_and_found_before_anything_runs(tmp_path: Path, harm: str) -> None:
    root = embedded_copy(tmp_path / "data")
    video = first_video(root)
    raw = video.read_bytes()
    video.unlink()
    if harm != "missing":
        spoilt = {"empty": b"", "html": b"<html>404</html>", "truncated": raw[: len(raw) // 2]}
        video.write_bytes(spoilt[harm])
    done = edgeval("run", "videommmu", "--data", "data", "-o", "run", cwd=tmp_path)
    assert done.returncode == 3, done.stderr
    assert video.stem in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "run").exists()


def test_kept_going_a_bad_video_counts_as_zero(tmp_path: Path) -> None:
    root = embedded_copy(tmp_path / "data")
    first_video(root).write_bytes(b"")
    done = edgeval(
        *("run", "videommmu", "--data", "data", "-o", "run", "--setting", "video"),
        *("--keep-going", "--limit", 2 if first_in_order(root) else 60),
        cwd=tmp_path,
    )
    assert done.returncode == 1, done.stderr
    results = json.loads((tmp_path / "run" / "results.json").read_text())
    assert results["edgeval"]["n_failed"] == 3
    for row in results["n-samples"].values():
        assert row["effective"] == row["original"]


def first_in_order(root: Path) -> bool:
    """Whether the first video by path is among the first two clips of the benchmark."""
    clips = list(benchmarks.load("videommmu").clips(root, ("video",), ()))
    return first_video(root).resolve() in {
        clip.video.resolve() for clip in clips[:2] if clip.video is not None
    }


def test_a_run_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    done = edgeval("run", "videommmu", "--limit", 1, "-o", "file/run", cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr


def test_a_disk_that_fills_up_keeps_the_answers(tmp_path: Path) -> None:
    def small_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))

    done = edgeval(
        *("run", "videommmu", "--limit", 10, "-o", "run"), cwd=tmp_path, preexec_fn=small_files
    )
    assert done.returncode == 6, done.stderr
    assert "--resume" in done.stderr
    n_safe = len((tmp_path / "run" / "records.jsonl").read_text().splitlines())
    assert n_safe > 0
    assert edgeval("show", "run", cwd=tmp_path).stdout.count("\n") == n_safe
    done = edgeval("run", "--resume", "run", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert f"resuming, {n_safe} of" in done.stderr


def test_results_and_logs_do_not_mix(finished: Path) -> None:
    done = edgeval("run", "--resume", "run", "--progress", "plain", cwd=finished)
    assert done.stdout.startswith("|")
    assert "questions" in done.stderr
    assert os.linesep + "edgeval:" not in done.stdout


def test_wrong_answers_on_a_sheet_and_back(finished: Path) -> None:
    done = edgeval("errors", "run", "-o", "sheet", "--n", 2, cwd=finished)
    assert done.returncode == 0, done.stderr
    assert "under rule official" in done.stdout
    assert (finished / "sheet" / "001.png").read_bytes().startswith(b"\x89PNG")
    counted = edgeval("errors", "run", "--tally", "sheet/sheet.csv", cwd=finished)
    assert counted.returncode == 1, "a sheet without a cause is no success"
    assert "n = 0 errors with a cause, 2 without one" in counted.stdout
    with (finished / "sheet" / "sheet.csv").open(newline="", encoding="utf-8") as stream:
        head, first, *rest = csv.reader(stream)
    first[-1] = "answer extraction"
    with (finished / "sheet" / "filled.csv").open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([head, first, *rest])
    counted = edgeval("errors", "run", "--tally", "sheet/filled.csv", cwd=finished)
    assert counted.returncode == 0, counted.stderr
    assert "n = 1 errors with a cause, 1 without one" in counted.stdout
    unknown = edgeval("errors", "run", "-o", "other", "--rule", "oficial", cwd=finished)
    assert unknown.returncode == 2
    assert "did you mean official" in unknown.stderr


def test_damaged_lines_are_told_before_a_sheet_is_drawn(finished: Path) -> None:
    shutil.copytree(finished / "run", finished / "hurt")
    lines = (finished / "hurt" / "records.jsonl").read_bytes().splitlines(keepends=True)
    lines[-2] = lines[-2].replace(b"a", b"b", 1)
    (finished / "hurt" / "records.jsonl").write_bytes(b"".join(lines))
    done = edgeval("errors", "hurt", "-o", "told", "--n", 1, "--no-explain", cwd=finished)
    assert done.returncode == 0, done.stderr
    assert "2 lines after the last whole record are damaged" in done.stderr
    assert "damaged" not in done.stdout


def test_a_run_leaves_its_folder_and_nothing_else(tmp_path: Path) -> None:
    """onnxruntime's telemetry keeps a session file in TMPDIR; there must be none."""
    (tmp_path / "tmp").mkdir()
    mine = os.environ  # noqa: TID251 - what a user's shell hands on, but for the word under test
    env = {name: value for name, value in mine.items() if name != "ORT_DISABLE_TELEMETRY"}
    env |= {"TMPDIR": str(tmp_path / "tmp"), "HOME": str(tmp_path / "home")}
    done = edgeval("run", "mvbench", "--limit", 1, "-o", "run", cwd=tmp_path, env=env)
    assert done.returncode == 0, done.stderr
    found = sorted(path.name for path in tmp_path.rglob("*") if path.parent.name != "run")
    assert found == ["run", "tmp"]
