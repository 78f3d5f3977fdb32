"""The thread that watches the hardware while a run goes on, and the phases the run tells it.

Ten times a second: power and memory. With every line (two seconds): clocks, temperatures and
throttling. The run only says which phase it enters, which costs one read of /proc/self/statm.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timezone
from pathlib import Path

from edgeval.device.energy import Energy
from edgeval.device.ledger import Ledger, Peaks
from edgeval.device.memory import Resident
from edgeval.device.source import Source
from edgeval.device.timeline import SCHEMA, TimeLine

PERIOD_S = 0.1
LINE_EVERY_S = 2.0
REST_S = 1.0
# What a run does while it waits for the frames of its next clip.
WAITING = "decode"

Clock = Callable[[], float]


class Monitor:
    """Watches one session of a run: ``rest``, then ``start``. Use as a context manager.

    It observes the run (edgeval.run.Observer); the model tells it phases by ``entered``.
    """

    wants_digests = False

    def __init__(
        self, sources: Sequence[Source], *, root: Path = Path("/"), clock: Clock = time.monotonic
    ) -> None:
        self._sources = tuple(sources)
        self._clock = clock
        self._resident = Resident(root)
        self._idle: list[dict[str, float] | None] = [None for _ in sources]
        self._phase = WAITING
        self._edges = Peaks()
        self._n_questions = 0
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._lines: TimeLine | None = None
        self.notes: tuple[str, ...] = ()

    def rest(self, seconds: float = REST_S) -> None:
        """Measure what the machine takes while this process waits; nothing where it has no meter.

        To be called before a model is opened.
        """
        meters = [source.meter for source in self._sources]
        ledger = [None if meter is None else Energy(meter, period_s=PERIOD_S) for meter in meters]
        began = now = self._clock()
        while any(ledger):
            for source, energy in zip(self._sources, ledger, strict=True):
                if energy is not None:
                    energy.add(now - began, source.read())
            if now - began >= seconds:
                break
            time.sleep(PERIOD_S)
            now = self._clock()
        for at, energy in enumerate(ledger):
            if energy is not None and energy.total_j is not None and energy.covered_s:
                watts = round(energy.total_j / energy.covered_s, 4)
                self._idle[at] = {"seconds": round(energy.covered_s, 3), "watts": watts}

    def start(self, folder: Path, card: Mapping[str, object]) -> None:
        """Begin a session in a run folder; not without a source. A disk that takes none is a note.

        ``card``: the run card, which the time lines are tied to.
        """
        if not self._sources:
            return
        try:
            self._lines = TimeLine(folder, card)
            self._lines.append({"session": self._facts()})
        except OSError as error:
            self._end_lines(error)
            return
        self._thread = threading.Thread(target=self._watch, name="edgeval-device", daemon=True)
        self._thread.start()

    def entered(self, phase: str) -> None:
        """The run goes on to another phase; the memory of now belongs to the one before."""
        if self._thread is not None:
            self._edges.add("process", self._phase, self._resident.read())
        self._phase = phase

    def started(self, *, total: int, records: Sequence[object]) -> None:
        """Nothing to do: a run begins with waiting for its first frames."""

    def asked(self, step: object) -> None:
        """Nothing to do."""

    def recorded(self, record: object) -> None:  # noqa: ARG002 - an observer is told which
        """Count a question that was answered while watched."""
        self.entered(WAITING)
        self._n_questions += 1

    def stop(self) -> None:
        """Take the last sample and end the session."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        if self._lines is not None:
            self._lines.close()
            self._lines = None

    def __enter__(self) -> Monitor:
        """Return self."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stop, and let go of the sensors."""
        self.stop()
        for source in self._sources:
            source.close()
        self._resident.close()

    def _facts(self) -> dict[str, object]:
        return {
            "schema": SCHEMA,
            "started": datetime.now(timezone.utc).isoformat(timespec="seconds"),
            "period_s": PERIOD_S,
            "sources": [
                {
                    **asdict(source.facts),
                    "meter": None if source.meter is None else asdict(source.meter),
                    "idle": idle,
                    "notes": list(source.notes),
                }
                for source, idle in zip(self._sources, self._idle, strict=True)
            ],
        }

    def _watch(self) -> None:
        """The thread. Nothing else touches its ledger."""
        ledger = Ledger([source.meter for source in self._sources], period_s=PERIOD_S)
        began = due = self._clock()
        line_due = 0.0
        last = False
        while True:
            now = self._clock() - began
            phase = self._phase
            ledger.sample(
                now,
                phase,
                self._resident.read(),
                [source.read() for source in self._sources],
                [source.memory() for source in self._sources],
            )
            if last or now >= line_due:
                line_due = now + LINE_EVERY_S
                if not self._write(ledger, now) or last:
                    return
            due = max(due + PERIOD_S, self._clock())
            # Once it is stopped, one sample more closes the last trapezium.
            last = self._stop.wait(due - self._clock())

    def _write(self, ledger: Ledger, now: float) -> bool:
        """One line; False when there can be no more."""
        ledger.state(now, [source.state() for source in self._sources])
        more = {
            "questions": self._n_questions,
            "thread_s": round(time.thread_time(), 4),
            "process_most": self._resident.most(),
        }
        try:
            if self._lines is not None:
                self._lines.append(ledger.line(now, self._edges, more))
        except OSError as error:
            self._end_lines(error)
            return False
        return True

    def _end_lines(self, error: OSError) -> None:
        self.notes = (*self.notes, f"the time lines end early ({error.strerror})")
        if self._lines is not None:
            self._lines.close()
            self._lines = None
