"""Which seeds a training may draw its clips from; the held-out ones are refused here."""

from __future__ import annotations

import hashlib

# Every generator's. Embedded data and every evaluation lie in it; nothing is trained on it.
HELD_OUT = range(800_000, 900_000)
# Tests of the generators draw from below; a training draws from here on.
FIRST = 10_000_000
N_SEEDS = 1 << 30


class HeldOutSeed(ValueError):
    """A seed that no training may see."""


def checked(seed: int) -> int:
    """``seed`` if a training may see it, else HeldOutSeed."""
    if not FIRST <= seed < FIRST + N_SEEDS:
        raise HeldOutSeed(
            f"seed {seed}: a training draws from {FIRST} to {FIRST + N_SEEDS - 1}; "
            f"{HELD_OUT.start} to {HELD_OUT.stop - 1} are held out"
        )
    return seed


def number(*parts: object) -> int:
    """A number of 62 bits out of anything that can be said; the same always."""
    digest = hashlib.sha256(repr(parts).encode()).digest()
    return int.from_bytes(digest[:8], "little") >> 2


def deal(run: int, stage: str, skill: str, group: int, place: int) -> int:
    """The seed of one clip: run ``run``, the group's and the clip's place in it."""
    return checked(FIRST + number(run, stage, skill, group, place) % N_SEEDS)
