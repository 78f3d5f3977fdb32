"""Who watches the hardware of a run from the command line."""

from __future__ import annotations

import os
from collections.abc import Sequence

from edgeval.device import found
from edgeval.device.monitor import Monitor
from edgeval.run import Observer, Step
from edgeval.runspec import Spec
from edgeval.types import Record


def monitor(spec: Spec) -> Monitor:
    """What watches this run, once it has seen the machine at rest."""
    gpu = os.environ.get("CUDA_VISIBLE_DEVICES", "")
    watching = Monitor(found.sources(engine=spec.engine, gpu=gpu) if spec.device_card else ())
    watching.rest()
    return watching


class Together:
    """Several observers of one run, told in order."""

    def __init__(self, *observers: Observer) -> None:
        self._observers = observers
        self.wants_digests = any(one.wants_digests for one in observers)

    def started(self, *, total: int, records: Sequence[Record]) -> None:
        """Tell all."""
        for one in self._observers:
            one.started(total=total, records=records)

    def asked(self, step: Step) -> None:
        """Tell all."""
        for one in self._observers:
            one.asked(step)

    def recorded(self, record: Record) -> None:
        """Tell all."""
        for one in self._observers:
            one.recorded(record)
