"""A machine that does not measure its power: clocks and temperatures, where it has any."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from edgeval.device import cpu
from edgeval.device.host import Host
from edgeval.device.source import Facts, MeterCard, State, Values


class Unmetered:
    """See ``Source``. ``why``: what was looked for and how it could be had."""

    def __init__(self, root: Path, why: tuple[str, ...]) -> None:
        self._host = Host(root)
        self.facts = Facts(
            kind="none", name=cpu.read(root).model, power_mode=", ".join(self._host.governors)
        )
        self.meter: MeterCard | None = None
        self.notes = why

    def read(self) -> Values:
        """Nothing."""
        return ()

    def memory(self) -> Mapping[str, int]:
        """No device memory."""
        return {}

    def state(self) -> State:
        """Of the processor."""
        return self._host.state()

    def close(self) -> None:
        """Let go of every file."""
        self._host.close()
