"""Optimisation profiles: from what a run needs to the ranges of shapes an engine is built for."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from edgeval.engines import Array
from edgeval.engines.trt.graphfile import Port
from edgeval.engines.trt.rows import PAST, PAST_ROWS
from edgeval.engines.trt.scatter import LENGTH, SEEN
from edgeval.errors import EngineError

PREFILL, DECODE = 0, 1
# Tokens of one prefill call; longer prompts go in several: attention needs S * (P + S) a head.
MAX_PREFILL = 1024
LEAST_CONTEXT = 1024
# The smallest grid [t, h, w] of a vision tower that merges 2 x 2 patches.
LEAST_GRID = (1, 2, 2)
BATCH = "batch_size"

Sizes = tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """Smallest, usual and largest sizes of an input, or values of a shape input."""

    low: Sizes
    best: Sizes
    high: Sizes

    def holds(self, other: Range) -> bool:
        """Whether all of the other lies in this."""
        pairs = zip(self.low, other.low, other.high, self.high, strict=True)
        return all(low <= inner and outer <= high for low, inner, outer, high in pairs)

    def json(self) -> list[list[int]]:
        """For a sidecar."""
        return [list(self.low), list(self.best), list(self.high)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """``shapes`` of every input by name; ``values`` of those whose contents are shapes."""

    name: str
    shapes: Mapping[str, Range]
    values: Mapping[str, Range]

    def covers(self, other: Profile) -> bool:
        """Whether an engine with this profile runs what the other is for."""
        return all(
            name in mine and mine[name].holds(wanted)
            for mine, theirs in ((self.shapes, other.shapes), (self.values, other.values))
            for name, wanted in theirs.items()
        )

    def json(self) -> dict[str, object]:
        """For a sidecar and for the building process."""
        return {
            "name": self.name,
            "shapes": {name: span.json() for name, span in self.shapes.items()},
            "values": {name: span.json() for name, span in self.values.items()},
        }

    def __str__(self) -> str:
        """One line for people: the free sizes of every input; caches once."""
        shown = {
            name: span
            for name, span in [*self.shapes.items(), *self.values.items()]
            if span.low != span.high and not name.startswith(PAST_ROWS)
        }
        for past in (PAST_ROWS, PAST):
            caches = [span for name, span in self.shapes.items() if name.startswith(past)]
            if caches:
                shown[f"{past}*"] = caches[0]
        return f"{self.name}: " + ", ".join(
            f"{name} {'x'.join(_free(span, axis) for axis in range(len(span.low)))}"
            for name, span in shown.items()
        )


def _free(span: Range, axis: int) -> str:
    low, best, high = span.low[axis], span.best[axis], span.high[axis]
    return str(low) if low == high else f"{low}..{high} ({best})"


def from_json(said: Mapping[str, Any]) -> Profile:
    """A profile as ``Profile.json`` wrote it. Raises KeyError, TypeError or ValueError else."""

    def ranges(key: str) -> dict[str, Range]:
        return {
            port: Range(low=tuple(low), best=tuple(best), high=tuple(high))
            for port, (low, best, high) in said[key].items()
        }

    return Profile(name=str(said["name"]), shapes=ranges("shapes"), values=ranges("values"))


def rounded(n: int, least: int = 2) -> int:
    """The next power of two: engines are for sizes, not for one clip."""
    return max(least, 1 << (n - 1).bit_length())


def context_for(n_tokens: int) -> int:
    """The context to build for when so many tokens are needed."""
    return rounded(n_tokens, LEAST_CONTEXT)


def decoder_profiles(inputs: Mapping[str, Port], context: int) -> tuple[Profile, Profile]:
    """For prefill and for decode of contexts up to ``context`` tokens.

    Prefill: S in 1 .. min(context, MAX_PREFILL) new tokens behind P in 0 .. context. Decode: one
    token behind P in 1 .. context. A cache that is kept in place has the context's size throughout.
    """
    most = min(context, MAX_PREFILL)
    new, past = (1, most, most), (0, max(0, context - most) // 2, context)
    prefill = _decoder("prefill", inputs, new=new, past=past)
    decode = _decoder("decode", inputs, new=(1, 1, 1), past=(1, max(1, context // 2), context))
    return prefill, decode


def _decoder(
    name: str, inputs: Mapping[str, Port], *, new: tuple[int, ...], past: tuple[int, ...]
) -> Profile:
    shapes, values = {}, {}
    for port_name, port in inputs.items():
        if port_name == "num_logits_to_keep":
            values[port_name] = Range(low=(1,), best=(1,), high=(1,))
            continue
        if LENGTH in inputs and port_name.startswith((PAST, SEEN)):
            free = (past[-1],) * len(past)
        elif port_name.startswith(PAST_ROWS):
            free = past
        elif port_name == SEEN:
            free = tuple(s + p for s, p in zip(new, past, strict=True))
        else:
            free = new
        low, best, high = (_sizes(port, n) for n in free)
        shapes[port_name] = Range(low=low, best=best, high=high)
    return Profile(name=name, shapes=shapes, values=values)


def _sizes(port: Port, free: int) -> Sizes:
    """The last free axis takes a size; one before it is the batch, of one."""
    names = [axis for axis, size in enumerate(port.shape) if not isinstance(size, int)]
    return tuple(
        size if isinstance(size, int) else free if axis == names[-1] else 1
        for axis, size in enumerate(port.shape)
    )


def tokens_profile(inputs: Mapping[str, Port], n_tokens: int) -> Profile:
    """For a table of embeddings that is no plain table."""
    sizes = (1, n_tokens, rounded(n_tokens))
    shapes = {}
    for name, port in inputs.items():
        low, best, high = (_sizes(port, n) for n in sizes)
        shapes[name] = Range(low=low, best=best, high=high)
    return Profile(name="embed", shapes=shapes, values={})


def vision_profile(
    inputs: Mapping[str, Port], feeds: Mapping[str, Array], before: Profile | None = None
) -> Profile:
    """For feeds of the kind given, and of the profile ``before`` where there was one.

    Free axes go from their least to the next power of two. The contents of integer inputs of fixed
    shape are shapes (a grid [1, 3] of time, height, width); height and width change places.
    """
    shapes, values = {}, {}
    for name, port in inputs.items():
        if name not in feeds:
            raise EngineError(f"engine trt: the vision graph takes {name}, which nothing gives")
        got = feeds[name].shape
        if port.dtype == "int64" and all(isinstance(size, int) for size in port.shape):
            grid = tuple(int(value) for value in feeds[name].ravel())
            side = max(grid[1:])
            values[name] = Range(
                low=LEAST_GRID, best=grid, high=(rounded(grid[0]), *(side,) * len(grid[1:]))
            )
            continue
        # A row of patches [n, width] is a grid's; a row of pictures has one or more.
        least = math.prod(LEAST_GRID) if len(port.shape) == len(LEAST_GRID) - 1 else 1
        low, high = list(got), list(got)
        for axis, size in enumerate(port.shape):
            if not isinstance(size, int):
                low[axis] = 1 if size == BATCH else least
                high[axis] = 1 if size == BATCH else rounded(got[axis])
        shapes[name] = Range(low=tuple(low), best=tuple(got), high=tuple(high))
    made = Profile(name="vision", shapes=shapes, values=values)
    return made if before is None else _united(made, before)


def _united(one: Profile, other: Profile) -> Profile:
    def both(mine: Mapping[str, Range], theirs: Mapping[str, Range]) -> dict[str, Range]:
        return {
            name: Range(
                low=tuple(map(min, span.low, theirs[name].low)),
                best=span.best,
                high=tuple(map(max, span.high, theirs[name].high)),
            )
            for name, span in mine.items()
        }

    return Profile(
        name=one.name,
        shapes=both(one.shapes, other.shapes),
        values=both(one.values, other.values),
    )
