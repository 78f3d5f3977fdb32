"""``edgeval plan`` from a user's side: what it says, and what it says no to."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from edgeval import benchmarks
from edgeval.cli import plan
from edgeval.device.headroom import Headroom

MIB = 1 << 20


def planned(*arguments: str) -> Result:
    return CliRunner().invoke(plan.command, [*arguments], standalone_mode=False)


@pytest.fixture(scope="module")
def told() -> dict[str, object]:
    done = planned("videommmu", "--frames", "8", "--threads", "1", "--json")
    assert done.exception is None
    assert done.return_value == 0
    found: dict[str, object] = json.loads(done.stdout)
    return found


def test_what_is_counted_is_what_a_run_asks(told: dict[str, object]) -> None:
    benchmark = benchmarks.load("videommmu")
    clips = list(benchmark.clips(benchmark.embedded, benchmark.default_settings, ()))
    assert told["clips"] == len(clips)
    assert told["questions"] == sum(len(clip.questions) for clip in clips)
    assert told["frames"] == 8


def test_figures_hang_together(told: dict[str, object]) -> None:
    least, most = told["seconds"]
    assert 0 < least <= most
    assert 0 < told["opened"] <= told["peak"] < 2**33
    assert told["stages"]["weights"] > 0
    assert told["disk"] > 100 * told["questions"]
    assert told["fits"] is True


def test_a_table_for_people() -> None:
    done = planned("tempcompass", "--limit", "2", "--threads", "1")
    assert done.return_value == 0
    for words in ("memory, resident", "heaviest clip", "keys and values", "it fits"):
        assert words in done.stdout


def test_what_does_not_fit_ends_with_5(monkeypatch: pytest.MonkeyPatch) -> None:
    small = Headroom(nbytes=MIB, said_by="a control group")
    monkeypatch.setattr(plan.headroom, "read", lambda: small)
    done = planned("videommmu", "--limit", "1", "--threads", "1")
    assert done.return_value == 5
    assert "does NOT fit" in done.stdout
    assert "a control group" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("nope",), 2, "did you mean|known:"),
        (("videommmu", "--data", "/nowhere"), 3, "/nowhere"),
        (("videommmu", "--model", "/nowhere"), 4, "no such folder"),
        (("videommmu", "--transcript", "auto"), 2, "leave it out"),
    ],
)
def test_a_mistake_is_the_runs_own_sentence(
    arguments: tuple[str, ...], code: int, words: str
) -> None:
    done = planned(*arguments)
    assert done.exception is not None
    assert getattr(done.exception, "exit_code", None) == code
    with pytest.raises(type(done.exception), match=words):
        raise done.exception


def test_a_probe_that_is_killed_means_that_it_does_not_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    killed = subprocess.CompletedProcess([], -9, stdout="", stderr="")
    monkeypatch.setattr(plan.subprocess, "run", lambda *_, **__: killed)
    done = planned("videommmu")
    assert getattr(done.exception, "exit_code", None) == 5
    assert "does not fit" in str(done.exception)


def test_nothing_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    assert planned("mvbench", "--limit", "1", "--threads", "1").return_value == 0
    assert list(tmp_path.iterdir()) == []
