"""The device card of whole runs, on made-up boards: what is told, added up, and kept apart."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from edgeval.cli.main import cli
from edgeval.device import found, jetson
from edgeval.device.timeline import FILE, sessions
from edgeval.errors import ArgumentError, RunFolderError

Board = Callable[..., Path]
On = Callable[[Path], None]
RUN = ("run", "videommmu", "--limit", "6", "--threads", "1", "--progress", "none")


def edgeval(*arguments: str | Path) -> str:
    result = CliRunner().invoke(cli, [str(argument) for argument in arguments])
    if result.exception is not None and result.exception.args != (0,):
        raise result.exception
    return result.stdout


@pytest.fixture
def on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> On:
    """``on(root)``: from now on, runs are watched as on that machine."""
    really = found.sources
    monkeypatch.chdir(tmp_path)

    def this(root: Path) -> None:
        monkeypatch.setattr(found, "sources", lambda **known: really(**{**known, "root": root}))

    return this


def costs(folder: Path) -> Mapping[str, Any]:
    card: Mapping[str, Any] = json.loads((folder / "run.json").read_text())["costs"]
    return card


def test_a_run_tells_its_joules_with_their_source(board: Board, on: On, tmp_path: Path) -> None:
    on(board("orin-nano", mode="15W"))
    said = edgeval(*RUN, "-o", "run")
    (energy,) = costs(tmp_path / "run")["energy"]
    assert energy["joules"] == pytest.approx(9.250304 * energy["seconds"], rel=0.01)
    assert energy["idle_watts"] == pytest.approx(9.2503, rel=0.01)
    assert energy["joules_a_question"] == pytest.approx(energy["joules"] / 24, rel=1e-3)
    told = (tmp_path / "run/report.md").read_text()
    for text in (said, told):
        assert "What it cost on this machine" in text
        assert "Orin Nano Developer Kit (15W)" in text
        assert "by INA3221 by sysfs" in text
        assert "it covers the input of the module" in text
    results = json.loads((tmp_path / "run/results.json").read_text())
    assert results["edgeval"]["costs"] == costs(tmp_path / "run")


def test_a_correct_answer_costs_a_question_over_the_share(
    board: Board, on: On, tmp_path: Path
) -> None:
    on(board("thor"))
    edgeval(*RUN, "-o", "run")
    lines = (tmp_path / "run/records.jsonl").read_text().splitlines()
    scores = [json.loads(line)["record"]["scores"]["official"]["value"] for line in lines]
    (energy,) = costs(tmp_path / "run")["energy"]
    correct = sum(value or 0 for value in scores)
    assert 0 < correct < len(scores)
    assert energy["joules_a_correct_answer"] == pytest.approx(energy["joules"] / correct, rel=1e-3)


def test_a_resumed_run_adds_its_sessions_up(board: Board, on: On, tmp_path: Path) -> None:
    on(board("agx-orin"))
    edgeval(*RUN, "-o", "run")
    run = tmp_path / "run"
    records = (run / "records.jsonl").read_bytes().splitlines(keepends=True)
    (run / "records.jsonl").write_bytes(b"".join(records[:10]))
    edgeval("run", "--resume", "run", "--progress", "none")
    parts = sessions(run, json.loads((run / "run.json").read_text()))
    (energy,) = costs(run)["energy"]
    assert [part.sums["questions"] for part in parts] == [24, 14]
    joules = sum(part.sums["energy"][0]["total_j"] for part in parts)
    assert energy["joules"] == pytest.approx(joules, abs=0.01)
    assert energy["questions"] == 38


def test_stages_and_rates_are_those_of_the_records(board: Board, on: On, tmp_path: Path) -> None:
    on(board("orin-nano"))
    edgeval(*RUN, "-o", "run")
    lines = (tmp_path / "run/records.jsonl").read_text().splitlines()
    steps = sorted(s for line in lines for s in json.loads(line)["record"]["timing"]["step_s"])
    found_ = costs(tmp_path / "run")
    step = found_["stages"]["step"]
    assert (step["n"], step["per"]) == (len(steps), "token")
    assert step["p50_s"] == pytest.approx(steps[(len(steps) + 1) // 2 - 1], abs=1e-6)
    assert step["p99_s"] == pytest.approx(steps[-(-99 * len(steps) // 100) - 1], abs=1e-6)
    assert found_["a_second"]["tokens"] == pytest.approx(len(steps) / sum(steps), rel=1e-3)
    assert set(found_["first_token_s"]) == {"clip not seen yet", "clip seen already"}


def test_memory_is_told_by_phase(board: Board, on: On, tmp_path: Path) -> None:
    on(board("orin-nano"))
    edgeval(*RUN, "-o", "run")
    peaks = costs(tmp_path / "run")["peak_bytes"]
    assert {"decode", "vision", "prefill", "step", "whole life"} <= set(peaks["process"])
    assert set(peaks) == {"process", "unified"}


def test_a_machine_without_a_meter_says_so(on: On, tmp_path: Path) -> None:
    on(tmp_path)
    said = edgeval(*RUN, "-o", "run")
    assert costs(tmp_path / "run")["energy"] == []
    assert "no energy" in said


def test_a_run_that_is_not_watched_leaves_no_time_lines(on: On, tmp_path: Path) -> None:
    on(tmp_path)
    said = edgeval(*RUN, "--no-device-card", "-o", "run")
    assert not (tmp_path / "run" / FILE).exists()
    assert "the device card was off" in said


def test_two_modes_of_one_board_are_not_compared_unless_told(
    board: Board, on: On, tmp_path: Path
) -> None:
    on(board("orin-nano", mode="15W"))
    edgeval(*RUN, "-o", "slow")
    on(board("orin-nano", hwmon=2, mode="MAXN_SUPER"))
    edgeval(*RUN, "-o", "fast")
    with pytest.raises(ArgumentError, match="power-mode 15W against MAXN_SUPER"):
        edgeval("compare", "slow", "fast")
    told = edgeval("compare", "slow", "fast", "--across", "power-mode")
    assert "joules a question (INA3221 by sysfs" in told
    assert "joules" not in edgeval("compare", "slow", "fast", "--no-costs")


def test_two_boards_are_compared_by_scores_and_when_told_by_times(
    board: Board, on: On, tmp_path: Path
) -> None:
    on(board("orin-nano"))
    edgeval(*RUN, "-o", "one")
    on(board("thor"))
    edgeval(*RUN, "-o", "two")
    result = CliRunner().invoke(cli, ["compare", "one", "two"])
    assert isinstance(result.exception, ArgumentError)
    assert "| B - A [95 % interval]" in result.stdout
    assert "| cost" not in result.stdout
    told = edgeval("compare", "one", "two", "--across", "device")
    assert "first token" in told
    assert "joules" not in told  # Of meters that cover different things; on no one row.


def test_unknown_power_modes_and_other_threads_are_told(
    board: Board, on: On, tmp_path: Path
) -> None:
    on(board("orin-nano", mode=""))
    edgeval(*RUN, "-o", "one")
    edgeval(*RUN[:3], "6", "--threads", "2", "--progress", "none", "-o", "two")
    told = edgeval("compare", "one", "two")
    assert "power mode of neither run is known" in told
    assert "threads: A 1, B 2" in told


def test_other_questions_are_refused(on: On, tmp_path: Path) -> None:
    on(tmp_path)
    edgeval(*RUN, "-o", "one")
    edgeval(*RUN, "--setting", "video", "-o", "two")
    with pytest.raises(RunFolderError, match="got questions"):
        edgeval("compare", "one", "two")


def test_a_run_equals_itself(on: On, tmp_path: Path) -> None:
    on(tmp_path)
    edgeval(*RUN, "-o", "one")
    shutil.copytree(tmp_path / "one", tmp_path / "two")
    told = json.loads(edgeval("compare", "one", "two", "--json"))
    assert {row["value"] for row in told["differences"]} <= {0.0, None}
    assert told["changed"] == []


def test_a_board_is_closed_when_a_run_ends(board: Board) -> None:
    source = jetson.find(board("orin-nano"))
    assert source is not None
    source.close()
    source.close()
