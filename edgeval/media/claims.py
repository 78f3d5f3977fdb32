"""The frames that decoding still owes, and what went wrong on the way to them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import av

from edgeval.errors import VideoError

# A display index, the picture for it, its time in seconds. Called once per wanted frame.
Give = Callable[[int, av.VideoFrame, float], None]


@dataclass(slots=True, kw_only=True)
class Claims:
    """Wanted frames by key: ticks of presentation time, or counted pictures (``tick_s`` 0).

    ``salvage`` gives a neighbour for a lost picture and says so in ``damage``; without it the
    first fault raises VideoError.
    """

    path: Path
    owed: dict[int, int]
    give: Give
    salvage: bool
    damage: list[str] = field(default_factory=list)
    hurt: bool = False
    _last: tuple[av.VideoFrame, float] | None = None

    def fault(self, what: str, at_s: float | None) -> None:
        """Note damaged data. Raises VideoError unless salvaging."""
        if not self.salvage:
            where = "" if at_s is None else f" at {at_s:.2f} s"
            raise VideoError(
                f"{self.path}: the video is damaged{where} ({what}); get it again or use --salvage"
            )
        self.hurt = True

    def show(self, key: int, frame: av.VideoFrame, at_s: float) -> None:
        """Give a decoded picture to the frame it is, and where data is lost, to those before it."""
        frame_no = self.owed.pop(key, None)
        if frame_no is not None:
            if self.hurt:
                self.damage.append(f"frame {frame_no}: decoded from damaged data")
            self.give(frame_no, frame, at_s)
        if self.salvage:
            self._last = (frame, at_s)
            if self.hurt:
                self._stand_in([owed for owed in self.owed if owed < key])

    def settle(self) -> bool:
        """Let the last picture stand for what is still owed, if salvaging; whether all is paid."""
        if self.salvage:
            self._stand_in(list(self.owed))
        self._last = None
        return not self.owed

    def _stand_in(self, lost: list[int]) -> None:
        if self._last is None:
            return
        frame, at_s = self._last
        for key in lost:
            frame_no = self.owed.pop(key)
            self.damage.append(f"frame {frame_no}: lost, the picture at {at_s:.3f} s stands for it")
            self.give(frame_no, frame, at_s)
