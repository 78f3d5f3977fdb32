"""``edgeval soak`` from a user's side."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

COMMAND = [sys.executable, "-m", "edgeval", "soak", "--threads", "1"]


def test_a_soak_prints_its_phases_and_leaves_them_behind(tmp_path: Path) -> None:
    done = subprocess.run(
        [*COMMAND, "--minutes", "0.1", "-o", "soak"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert "steady" in done.stdout
    assert "% of the fastest" in done.stdout
    card = json.loads((tmp_path / "soak" / "soak.json").read_text())
    assert card["identity"]["model"]["engine"] == "cpu"
    rounds = (tmp_path / "soak" / "rounds.jsonl").read_text().splitlines()
    assert sum(phase["rounds"] for phase in card["phases"]) == len(rounds) > 1


def test_ctrl_c_keeps_the_phases_so_far(tmp_path: Path) -> None:
    # A shell in the background has Ctrl-C ignored, which a child inherits; a handler it does not.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    running = subprocess.Popen(
        [*COMMAND, "--minutes", "30", "-o", "soak"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    signal.signal(signal.SIGINT, before)
    rounds = tmp_path / "soak" / "rounds.jsonl"
    while not (rounds.is_file() and rounds.read_text().count("\n") > 2):
        assert running.poll() is None, running.communicate()
    running.send_signal(signal.SIGINT)
    printed, said = running.communicate(timeout=60)
    assert running.returncode == 130, said
    assert "steady" in printed
    assert "stopped after" in said
