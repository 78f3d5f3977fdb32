"""What watching costs: the same run with the device card on and off, in pairs.

The model is the tiny one, so a question takes milliseconds: the share is as large as it gets. The
hardware is a made-up Jetson tree with six gauges, since reading nothing would cost nothing.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_benchmark.fixture import BenchmarkFixture

from edgeval.device import found
from edgeval.device.monitor import Monitor
from edgeval.device.timeline import sessions
from edgeval.engines.told import told
from edgeval.run import execute
from edgeval.runcard import prepare
from edgeval.runfolder.journal import Journal
from edgeval.runspec import Spec
from edgeval.types import Record

PAIRS = 30
SLOWER_AT_MOST = 1.02
CORE_AT_MOST = 0.01


class Told:
    """Hands what happens to the monitor, as the command line does."""

    wants_digests = False

    def __init__(self, monitor: Monitor) -> None:
        self._monitor = monitor

    def started(self, *, total: int, records: Sequence[Record]) -> None:
        pass

    def asked(self, step: object) -> None:
        pass

    def recorded(self, record: Record) -> None:
        self._monitor.recorded(record)


def board(root: Path) -> Path:
    """An Orin Nano as far as it is read while a run goes on."""
    chip = root / "sys/class/hwmon/hwmon1"
    chip.mkdir(parents=True)
    (chip / "name").write_text("ina3221\n")
    for number, name in enumerate(("VDD_IN", "VDD_CPU_GPU_CV", "VDD_SOC"), 1):
        (chip / f"in{number}_label").write_text(f"{name}\n")
        (chip / f"in{number}_input").write_text("5000\n")
        (chip / f"curr{number}_input").write_text("1500\n")
    for number in range(9):
        zone = root / f"sys/class/thermal/thermal_zone{number}"
        zone.mkdir(parents=True)
        (zone / "type").write_text(f"zone{number}-thermal\n")
        (zone / "temp").write_text("48250\n")
    for name, text in {
        "proc/device-tree/model": "NVIDIA Jetson Orin Nano",
        "proc/meminfo": "MemTotal: 8000000 kB\nMemAvailable: 6000000 kB",
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


class Runs:
    """The same run again and again, watched or not."""

    def __init__(self, root: Path, tmp_path: Path, limit: int) -> None:
        self.root = root
        self._tmp_path = tmp_path
        self._monitor = Monitor(())
        self._n = 0
        spec = Spec(benchmark="videommmu", model="tiny", limit=limit, threads=1)
        self._work, self._card = prepare(spec)
        self._work.model.through(lambda graphs: told(graphs, self._entered))

    def _entered(self, phase: str) -> None:
        self._monitor.entered(phase)

    def seconds(self, *, on: bool) -> tuple[float, float]:
        """One run in a folder of its own: seconds by the clock and of the processor."""
        self._n += 1
        folder = self._tmp_path / f"run{self._n}"
        sources = found.sources(engine="cpu", root=self.root) if on else ()
        with Monitor(sources) as self._monitor, Journal.create(folder, self._card) as journal:
            began, spent = time.perf_counter(), time.process_time()
            self._monitor.start(folder, self._card)
            execute(self._work, journal, Told(self._monitor))
            self._monitor.stop()
            return time.perf_counter() - began, time.process_time() - spent

    def core_share(self) -> float:
        """Of the last run, which was watched."""
        (session,) = sessions(self._tmp_path / f"run{self._n}", self._card)
        share: float = session.sums["thread_s"] / session.sums["seconds"]
        return share

    def close(self) -> None:
        self._work.model.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """On over off, by the clock and of the processor; the watching thread's share of a core."""

    wall: float
    processor: float
    core: float


def pairs(runs: Runs, n: int) -> list[Pair]:
    done = []
    for at in range(n):
        # Every other pair the other way round, so that a drift of the machine cancels.
        took, core = {}, 0.0
        for on in (True, False) if at % 2 else (False, True):
            took[on] = runs.seconds(on=on)
            core = runs.core_share() if on else core
        wall, processor = (on / off for on, off in zip(took[True], took[False], strict=True))
        done.append(Pair(wall=wall, processor=processor, core=core))
    return done


def test_watching_a_run_costs_next_to_nothing(
    at_least: Callable[[str, float, float], None], benchmark: BenchmarkFixture, tmp_path: Path
) -> None:
    enabled = benchmark.enabled
    runs = Runs(board(tmp_path / "board"), tmp_path, limit=20 if enabled else 1)
    runs.seconds(on=False)
    done = benchmark.pedantic(pairs, args=(runs, PAIRS if enabled else 1), rounds=1)
    runs.close()
    assert all(pair.core > 0 for pair in done)
    if enabled:
        for what in ("wall", "processor"):
            slower = statistics.median(getattr(pair, what) for pair in done)
            told = f"{what} time of a run watched over not, {slower:.4f}"
            at_least(told, SLOWER_AT_MOST / slower, 1.0)
        core = statistics.median(pair.core for pair in done)
        at_least(f"watching takes {100 * core:.2f} % of a core", CORE_AT_MOST / core, 1.0)
