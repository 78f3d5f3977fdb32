"""Joules and the most memory while something is measured, by whoever measures the device."""

from __future__ import annotations

import threading
import time
from types import TracebackType

from edgeval.device.energy import Energy
from edgeval.device.found import sources
from edgeval.device.source import Source

PERIOD_S = 0.02


def card(engine: str) -> Source | None:
    """The device's meter; none for a rehearsal on the CPU."""
    if engine == "cpu":
        return None
    return next((one for one in sources(engine=engine) if one.facts.kind != "x86"), None)


class Watch:
    """A context: afterwards ``joules``, ``seconds``, ``most_bytes``; None what cannot be read."""

    def __init__(self, source: Source | None) -> None:
        self._source = source
        self._energy: Energy | None = None
        if source is not None and source.meter is not None:
            self._energy = Energy(source.meter, period_s=PERIOD_S)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self._began = 0.0
        self.seconds = 0.0
        self.most_bytes: int | None = None

    @property
    def joules(self) -> float | None:
        """Of the whole card, nothing subtracted."""
        return None if self._energy is None else self._energy.total_j

    def __enter__(self) -> Watch:
        """Begin."""
        self._began = time.perf_counter()
        if self._source is not None:
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, what: BaseException | None, at: TracebackType | None
    ) -> None:
        """End, with a last sample."""
        self.seconds = time.perf_counter() - self._began
        self._over.set()
        if self._source is not None:
            self._thread.join()

    def _sample(self) -> None:
        last = False
        while True:
            if self._source is not None:
                used = self._source.memory().get("device")
                if used is not None:
                    self.most_bytes = max(self.most_bytes or 0, used)
                if self._energy is not None:
                    self._energy.add(time.perf_counter() - self._began, self._source.read())
            if last:
                return
            last = self._over.wait(PERIOD_S)
