"""From display indices to the fewest packets: one piece of work per keyframe."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from edgeval.types import PacketIndex


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """Decode packets ``key`` .. ``last`` (decode order). ``wanted``: packet -> display index."""

    key: int
    last: int
    wanted: dict[int, int]

    @property
    def n_packets(self) -> int:
        """Packets to decode at most (before unreferenced ones are dropped)."""
        return self.last - self.key + 1


def split(index: PacketIndex, displayed: Sequence[int]) -> list[Work]:
    """Group display indices by the keyframe their decoding starts at, largest group first.

    That is the last keyframe, in decode order, not after the frame's packet and not shown after
    it: in an open GOP, pictures shown before a keyframe follow it in the file and need the one
    before.
    """
    keys = np.flatnonzero(index.key)
    groups: dict[int, dict[int, int]] = {}
    for frame in sorted(set(displayed)):
        packet = int(index.order[frame])
        at = int(np.searchsorted(keys, packet, "right")) - 1
        while at > 0 and index.pts[keys[at]] > index.pts[packet]:
            at -= 1
        groups.setdefault(int(keys[max(at, 0)]), {})[packet] = frame
    work = [Work(key=key, last=max(want), wanted=want) for key, want in groups.items()]
    return sorted(work, key=lambda piece: (-piece.n_packets, piece.key))


def n_packets(index: PacketIndex, displayed: Sequence[int]) -> int:
    """Packets that showing these frames needs at most."""
    return sum(piece.n_packets for piece in split(index, displayed))
