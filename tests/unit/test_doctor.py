"""``edgeval doctor``: its exit code follows what it found, and both its faces say the same."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from edgeval.cli import doctor
from edgeval.device import software
from edgeval.device.symptom import Symptom

FINE = Symptom(subject="python", severity="ok", found="3.11")
WORSE = Symptom(subject="swap", severity="warning", found="in use", fix="free memory")
BROKEN = Symptom(subject="kernels", severity="stop", found="missing", fix="reinstall")


def run(monkeypatch: pytest.MonkeyPatch, found: list[Symptom], *args: str) -> tuple[int, str]:
    monkeypatch.setattr(doctor, "examine", lambda: iter(found))
    result = CliRunner().invoke(doctor.command, list(args), standalone_mode=False)
    assert result.exception is None
    return int(result.return_value), result.stdout


def test_warnings_do_not_prevent_an_evaluation(monkeypatch: pytest.MonkeyPatch) -> None:
    code, shown = run(monkeypatch, [FINE, WORSE])
    assert (code, shown.splitlines()[-1]) == (
        0,
        "nothing prevents an evaluation here (1 warnings, 0 notes)",
    )


def test_what_stops_an_engine_is_exit_4(monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(monkeypatch, [FINE, BROKEN])[0] == 4


def test_every_finding_comes_with_its_fix(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "STOP  kernels: missing\n      -> reinstall" in run(monkeypatch, [BROKEN])[1]


def test_json_holds_the_same_findings(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = run(monkeypatch, [FINE, WORSE], "--json")[1]
    assert json.loads(shown)["findings"] == [dataclasses.asdict(s) for s in (FINE, WORSE)]


def test_without_onnxruntime_no_engine_can_run(monkeypatch: pytest.MonkeyPatch) -> None:
    bare = dataclasses.replace(software.read(), onnxruntimes=())
    monkeypatch.setattr(software, "read", lambda: bare)
    result = CliRunner().invoke(doctor.command, ["--json"], standalone_mode=False)
    assert result.return_value == 4


def test_nothing_prevents_an_evaluation_where_the_tests_run(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "edgeval", "doctor", "--json"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    stops = [s for s in json.loads(done.stdout)["findings"] if s["severity"] == "stop"]
    assert (stops, done.returncode) == ([], 0)
