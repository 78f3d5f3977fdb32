"""The thread that watches: what it sums, what it costs, and that it never breaks a run."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from edgeval.device import found, jetson
from edgeval.device.monitor import Monitor
from edgeval.device.source import Source
from edgeval.device.timeline import FILE, Session, sessions

Board = Callable[..., Path]
CARD: Mapping[str, object] = {"identity": {"benchmark": "x"}}


def watched(sources: tuple[Source, ...], folder: Path, seconds: float = 0.35) -> Session:
    folder.mkdir(exist_ok=True)
    with Monitor(sources) as monitor:
        monitor.start(folder, CARD)
        monitor.entered("vision")
        time.sleep(seconds)
        monitor.entered("step")
        monitor.recorded(object())
        monitor.stop()
        assert monitor.notes == ()
    return sessions(folder, CARD)[-1]


def test_a_session_has_the_joules_of_its_seconds(board: Board, tmp_path: Path) -> None:
    session = watched(found.sources(engine="cpu", root=board("orin-nano")), tmp_path / "run", 1.0)
    (energy,) = session.sums["energy"]
    assert energy["total_j"] == pytest.approx(9.250304 * session.sums["seconds"], rel=0.01)
    assert session.sums["seconds"] == pytest.approx(1.0, abs=0.3)


def test_the_sums_are_those_of_the_time_lines(board: Board, tmp_path: Path) -> None:
    session = watched(found.sources(engine="cpu", root=board("agx-orin")), tmp_path / "run", 2.3)
    at: list[float] = []
    watts: list[float] = []
    for part in session.samples:
        at += [ms / 1000 for ms in part["t_ms"]]
        watts += [sum(row[:3]) / 1000 for row in part["milliwatts"][0]]
    steps = zip(at, at[1:], watts, watts[1:], strict=False)
    joules = sum((t1 - t0) * (w0 + w1) / 2 for t0, t1, w0, w1 in steps)
    assert session.sums["energy"][0]["total_j"] == pytest.approx(joules, rel=0.005)
    assert session.sums["n_samples"] == len(at) >= 20


def test_a_resumed_run_has_a_session_more(board: Board, tmp_path: Path) -> None:
    root = board("thor")
    for _ in range(2):
        watched(found.sources(engine="cpu", root=root), tmp_path / "run", 0.15)
    assert len(sessions(tmp_path / "run", CARD)) == 2


def test_rest_is_measured_where_there_is_a_meter(board: Board, tmp_path: Path) -> None:
    with Monitor(found.sources(engine="cpu", root=board("orin-nano"))) as monitor:
        monitor.rest(0.25)
        monitor.start(tmp_path, CARD)
    (session,) = sessions(tmp_path, CARD)
    assert session.facts["sources"][0]["idle"]["watts"] == pytest.approx(9.2503, abs=1e-3)


def test_rest_of_a_counter_is_what_it_rose(x86: Path, tmp_path: Path) -> None:
    counter = x86 / "sys/class/powercap/intel-rapl:0/energy_uj"
    with Monitor(found.sources(engine="cpu", root=x86)) as monitor:
        began = time.monotonic()
        counter.write_text("1000000\n")
        thread = threading.Timer(0.15, counter.write_text, ["4000000\n"])
        thread.start()
        monitor.rest(0.3)
        took = time.monotonic() - began
        thread.join()
        monitor.start(tmp_path, CARD)
    idle = sessions(tmp_path, CARD)[0].facts["sources"][0]["idle"]
    assert idle["watts"] * idle["seconds"] == pytest.approx(3.0, abs=0.01)
    assert idle["seconds"] <= took


def test_rest_takes_no_time_without_a_meter(tmp_path: Path) -> None:
    began = time.monotonic()
    with Monitor(found.sources(engine="cpu", root=tmp_path)) as monitor:
        monitor.rest(60)
    assert time.monotonic() - began < 10


def test_memory_belongs_to_the_phase_it_was_taken_in(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    with Monitor(found.sources(engine="cpu", root=tmp_path)) as monitor:
        monitor.start(tmp_path / "run", CARD)
        monitor.entered("vision")
        taken = bytearray(os.urandom(1 << 20) * 64)  # 64 MiB, touched, gone before the next phase.
        monitor.entered("step")
        del taken
        monitor.stop()
    peaks: dict[str, int] = sessions(tmp_path / "run", CARD)[0].sums["peak_bytes"]["process"]
    assert peaks["vision"] >= peaks["decode"] + (50 << 20)


def test_questions_are_counted(board: Board, tmp_path: Path) -> None:
    source = found.sources(engine="cpu", root=board("orin-nano"))
    assert watched(source, tmp_path / "run", 0.05).sums["questions"] == 1


def test_throttling_is_what_was_added_meanwhile(board: Board, tmp_path: Path) -> None:
    root = board("orin-nano")
    counter = next(root.glob("sys/class/hwmon/hwmon9/oc2_event_cnt"))
    with Monitor(found.sources(engine="cpu", root=root)) as monitor:
        monitor.start(tmp_path, CARD)
        time.sleep(0.2)  # Its first look is over.
        counter.write_text("27\n")
    events = sessions(tmp_path, CARD)[0].sums["events"]
    assert events == {"under-voltage": 0, "mean over-current": 7, "peak over-current": 0}


def test_sampling_takes_less_than_a_hundredth_of_a_core(board: Board, tmp_path: Path) -> None:
    session = watched(found.sources(engine="cpu", root=board("agx-orin")), tmp_path / "run", 3.0)
    assert session.sums["thread_s"] / session.sums["seconds"] <= 0.01


def test_a_kill_keeps_what_was_written(board: Board, tmp_path: Path) -> None:
    monitor = Monitor(found.sources(engine="cpu", root=board("orin-nano")))
    monitor.start(tmp_path, CARD)
    time.sleep(0.2)
    kept = (tmp_path / FILE).read_bytes()  # As kill -9 would leave it.
    monitor.stop()
    (tmp_path / FILE).write_bytes(kept)
    assert len(sessions(tmp_path, CARD)[0].samples) == 1


def test_a_disk_that_takes_no_lines_is_a_note(
    board: Board, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with Monitor(found.sources(engine="cpu", root=board("orin-nano"))) as monitor:
        monitor.start(tmp_path, CARD)
        monkeypatch.setattr(os, "fsync", full)
        monitor.stop()
        assert monitor.notes == ("the time lines end early (No space left on device)",)


def test_without_a_source_nothing_is_written(tmp_path: Path) -> None:
    with Monitor(()) as monitor:
        monitor.start(tmp_path, CARD)
        monitor.entered("vision")
    assert list(tmp_path.iterdir()) == []


def test_a_sensor_that_dies_in_a_run_does_not_stop_it(board: Board, tmp_path: Path) -> None:
    root = board("orin-nano")
    source = jetson.find(root)
    assert source is not None
    with Monitor((source,)) as monitor:
        monitor.start(tmp_path, CARD)
        time.sleep(0.15)
        for name in root.glob("sys/bus/i2c/drivers/ina3221/*/hwmon/hwmon1/*_input"):
            name.write_text("")
        time.sleep(0.25)
    line = json.loads((tmp_path / FILE).read_text().splitlines()[-1])
    rows: list[list[Any]] = line["entry"]["samples"]["milliwatts"][0]
    assert rows[-1] == [None, None, None]
