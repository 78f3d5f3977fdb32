"""Questions of a clip answered together: every file is that of a run that asks one at a time."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from edgeval import run, runcard
from edgeval.errors import Interrupted
from edgeval.modelfolder import manifest
from edgeval.runfolder.journal import Journal
from edgeval.runfolder.records import to_json
from edgeval.runspec import Spec
from edgeval.seeing import Work
from edgeval.trace import row
from edgeval.types import Decoding, Record

SPEC = Spec(benchmark="vsibench", model="tiny", precision="q4", threads=1)
N_QUESTIONS = 7
DECODER = "onnx/decoder_model_merged.onnx"


@pytest.fixture(scope="module")
def written_out(spread_out: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The carried model with a decoder in float32 that has GroupQueryAttention."""
    folder = tmp_path_factory.mktemp("written_out") / "model"
    shutil.copytree(manifest.find("tiny"), folder, copy_function=os.link)
    (folder / DECODER).unlink()
    shutil.copyfile(spread_out, folder / DECODER)
    told = (folder / manifest.FILE).read_text()
    digest = hashlib.sha256(spread_out.read_bytes()).hexdigest()
    told = re.sub(rf'(path = "{DECODER}", sha256 = ")\w+', rf"\g<1>{digest}", told)
    (folder / manifest.FILE).unlink()
    (folder / manifest.FILE).write_text(told.replace('flavour = "plain"', 'flavour = "ort"'))
    return folder


class Keeping:
    """An observer that keeps what a trace would say, and may stop the run."""

    wants_digests = True

    def __init__(self, stop_after: int | None = None) -> None:
        self.rows: list[dict[str, object]] = []
        self.left = stop_after

    def started(self, *, total: int, records: object) -> None: ...

    def asked(self, step: run.Step) -> None:
        self.rows.append(row(step))

    def recorded(self, record: Record) -> None:
        if self.left is not None:
            self.left -= 1
            if self.left == 0:
                raise Interrupted("the test stops here")


def prepared(spec: Spec) -> tuple[Work, dict[str, object]]:
    """Three clips of a spec, one with a question that no model takes and one without a video."""
    work, card = runcard.prepare(spec)
    hurt, lost, sound = (
        dataclasses.replace(clip, questions=clip.questions[:N_QUESTIONS]) for clip in work.clips[:3]
    )
    questions = list(hurt.questions)
    questions[1] = dataclasses.replace(questions[1], text="an <image> here")
    hurt = dataclasses.replace(hurt, questions=tuple(questions))
    lost = dataclasses.replace(lost, video=Path("/nowhere.mp4"))
    return dataclasses.replace(work, clips=(hurt, lost, sound)), card


def without_times(record: Record) -> Mapping[str, object]:
    told = to_json(record)
    if told["timing"] is not None:
        assert isinstance(told["timing"], dict)
        told["timing"] = len(told["timing"]["step_s"])
    return told


def said(spec: Spec, folder: Path, stops: tuple[int, ...] = ()) -> tuple[list[object], Keeping]:
    """Every record without its times, and all that was traced; stopped after so many records."""
    traced = Keeping()
    work, card = prepared(spec)
    for stop_after in (*stops, None):
        observer = Keeping(stop_after)
        opened = Journal.resume(folder) if folder.exists() else Journal.create(folder, card)
        with opened as journal:
            try:
                run.execute(work, journal, observer)
            except Interrupted:
                assert len(journal.records) > 0
            traced.rows += observer.rows
            records = [without_times(record) for record in journal.records]
            most = max(r.generation.timing.together for r in journal.records if r.generation)
    work.model.close()
    assert (most > 1) == (spec.batch_questions > 1)
    return records, traced


@pytest.mark.parametrize("precision", ["fp32", "q4"])
@pytest.mark.parametrize(
    "more",
    [
        {},
        {"decoding": Decoding(temperature=1.2, seed=5, max_new_tokens=9)},
        {"prompting": "self-consistency", "decoding": Decoding(max_new_tokens=6)},
        {"prompting": "cot", "decoding": Decoding(max_new_tokens=12, stop=("4",))},
    ],
    ids=["direct", "sampled", "self-consistency", "cot"],
)
def test_every_record_is_that_of_one_question_at_a_time(
    precision: str,
    more: dict[str, object],
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> None:
    spec = dataclasses.replace(SPEC, **more)  # type: ignore[arg-type]
    if precision == "fp32":
        folder = request.getfixturevalue("written_out")
        spec = dataclasses.replace(spec, model=str(folder), precision="fp32")
    alone, one_by_one = said(spec, tmp_path / "alone")
    batch = dataclasses.replace(spec, batch_questions=5)
    together, all_at_once = said(batch, tmp_path / "together")
    assert together == alone
    assert all_at_once.rows == one_by_one.rows
    failures = [json.dumps(one["failure"]) for one in all_at_once.rows if one["failure"]]
    assert any("image tokens" in failure for failure in failures)
    assert any("nowhere" in failure for failure in failures)


def test_a_run_that_is_stopped_goes_on_as_if_it_had_not_been(tmp_path: Path) -> None:
    batch = dataclasses.replace(SPEC, batch_questions=4)
    whole, traced = said(batch, tmp_path / "whole")
    stopped, again = said(batch, tmp_path / "stopped", stops=(1, 3, 9))
    assert stopped == whole
    assert again.rows == traced.rows


def edgeval(*arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "edgeval", *map(str, arguments)]
    return subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, check=False, timeout=300
    )


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One run three questions at a time, and one by one."""
    root = tmp_path_factory.mktemp("finished")
    asked = ("run", "tempcompass", "--precision", "q4", "--limit", 4, "--threads", 1)
    for name, more in (("alone", ()), ("together", ("--batch-questions", 3))):
        done = edgeval(*asked, "-o", name, "--trace", f"{name}.jsonl", *more, cwd=root)
        assert done.returncode == 0, done.stderr
    return root


def test_final_files_are_those_of_one_question_at_a_time(finished: Path) -> None:
    alone, together = finished / "alone", finished / "together"
    names = sorted(path.name for path in alone.glob("samples_*.jsonl"))
    assert len(names) > 2
    for name in names:
        assert (together / name).read_bytes() == (alone / name).read_bytes()
    assert (finished / "together.jsonl").read_bytes() == (finished / "alone.jsonl").read_bytes()
    told = [
        (one / "report.md").read_text().partition("## What it cost") for one in (alone, together)
    ]
    assert told[0][0] == told[1][0]
    results = [json.loads((one / "results.json").read_text()) for one in (alone, together)]
    assert [one["config"].pop("batch_size") for one in results] == [1, 3]
    assert results[1]["edgeval"]["identity"].pop("batch_questions") == 3
    for one in results:
        for key in ("start_time", "end_time", "total_evaluation_time_seconds"):
            del one[key]
        del one["edgeval"]["costs"]
    assert results[0] == results[1]


def test_what_it_cost_says_that_steps_were_shared(finished: Path) -> None:
    note = "up to 3 answers were generated together"
    assert note in (finished / "together/report.md").read_text()
    assert "generated together" not in (finished / "alone/report.md").read_text()


def test_a_deadline_is_not_told_of_answers_that_shared_their_steps(finished: Path) -> None:
    done = edgeval("score", "together", "--deadline", 1, cwd=finished)
    assert done.returncode == 2
    assert "generated together" in done.stderr
    assert edgeval("score", "alone", "--deadline", 1, cwd=finished).returncode == 0


def test_costs_are_not_compared_with_those_of_one_at_a_time(finished: Path) -> None:
    done = edgeval("compare", "alone", "together", cwd=finished)
    assert done.returncode == 2
    assert "batch-questions 1 against 3" in done.stderr
    done = edgeval("compare", "alone", "together", "--across", "batch-questions", cwd=finished)
    assert done.returncode == 0, done.stderr


def test_a_capsule_is_replayed_together(finished: Path) -> None:
    assert edgeval("capsule", "together", "-o", "c.capsule", cwd=finished).returncode == 0
    done = edgeval("verify", "c.capsule", "--model", "tiny", "--exact", cwd=finished)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        ((), 4, "no GroupQueryAttention"),
        (("--engine", "cuda"), 4, "cuda"),
        (("--precision", "q4", "--no-share"), 2, "leave one of the two out"),
        (("--precision", "q4", "--deadline", 2), 2, "leave one of the two out"),
    ],
)
def test_what_cannot_be_answered_together_is_one_sentence(
    tmp_path: Path, arguments: tuple[object, ...], code: int, says: str
) -> None:
    done = edgeval("run", "mvbench", "--batch-questions", 4, *arguments, cwd=tmp_path)
    assert (done.returncode, done.stderr.count("\n")) == (code, 1), done.stderr
    assert says in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_plan_counts_the_rows(tmp_path: Path) -> None:
    asked = ("plan", "tempcompass", "--precision", "q4", "--limit", 2, "--threads", 1, "--json")
    told = []
    for more in ((), ("--batch-questions", 4)):
        done = edgeval(*asked, *more, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        told.append(json.loads(done.stdout))
    alone, together = (one["stages"]["cache"] for one in told)
    assert together == 5 * alone
    assert told[1]["probed"] > told[0]["probed"]
