"""Files of /sys that are read many times: kept open, read anew from the start each time."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

LONGEST = 64


class Gauge:
    """One number in one file. ``read`` is None while the sensor is gated, gone or not ours."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._handle: int | None = None
        self._open()

    @property
    def denied(self) -> bool:
        """Whether the file is there but may not be read by this user."""
        return self._handle is None and self.path.exists() and not os.access(self.path, os.R_OK)

    def read(self) -> int | None:
        """The number now."""
        try:
            return int(self.text(LONGEST))
        except ValueError:
            return None

    def text(self, longest: int) -> bytes:
        """What the file says, at most ``longest`` bytes; empty while it cannot be read."""
        if self._handle is None and not self._open():
            return b""
        try:
            return os.pread(self._handle or 0, longest, 0)
        except OSError:
            # EAGAIN: a gated zone, which may wake. ENODEV: the driver was bound anew elsewhere.
            self.close()
            return b""

    def close(self) -> None:
        """Let go of the file."""
        if self._handle is not None:
            with suppress(OSError):
                os.close(self._handle)
            self._handle = None

    def _open(self) -> bool:
        try:
            self._handle = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return False
        return True


def scaled(value: int | None, unit: float) -> float | None:
    """``value`` of a kernel file in units of ``unit``; None stays None."""
    return None if value is None else value * unit
