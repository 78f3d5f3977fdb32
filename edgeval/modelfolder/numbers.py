"""Numbers out of a model's own files: of their kind, and of a size that a machine can hold.

Every bound is far above what any published model has and far below what would fill a memory.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from edgeval.errors import ManifestError

MOST_EDGE = 1 << 13
MOST_TOKENS = 1 << 16
MOST_FRAMES = 1 << 16
MOST_PIXELS = MOST_EDGE**2
MOST = 1 << 40

Triple = tuple[float, float, float]


def whole(table: Mapping[str, object], key: str, where: str, *, most: int = MOST) -> int:
    """A whole number from 1 to ``most``. Raises ManifestError."""
    value = table.get(key)
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= most:
        raise ManifestError(
            f"{where}: got {key} = {brief(value)}; wants a whole number from 1 to {most}"
        )
    return value


def positive(table: Mapping[str, object], key: str, where: str) -> float:
    """A number above 0 and below MOST. Raises ManifestError."""
    found = number(table.get(key))
    if found is None or not 0 < found < MOST:
        raise ManifestError(
            f"{where}: got {key} = {brief(table.get(key))}; wants a number > 0 and < {MOST}"
        )
    return found


def triple(table: Mapping[str, object], key: str, where: str) -> Triple:
    """Three finite numbers, one a colour. Raises ManifestError."""
    value = table.get(key)
    found = [number(one) for one in value] if isinstance(value, list) else []
    numbers = [one for one in found if one is not None]
    if len(found) != len(("r", "g", "b")) or len(numbers) != len(found):
        raise ManifestError(f"{where}: got {key} = {brief(value)}; wants three numbers")
    return numbers[0], numbers[1], numbers[2]


def spread(table: Mapping[str, object], key: str, where: str) -> Triple:
    """Three finite numbers above 0, by which pixels are divided. Raises ManifestError."""
    found = triple(table, key, where)
    if min(found) <= 0:
        raise ManifestError(f"{where}: got {key} = {brief(found)}; wants three numbers > 0")
    return found


def check_rescale(table: Mapping[str, object], where: str) -> None:
    """ManifestError unless pixels of 0..255 become 0..1, all that is known here."""
    found = number(table.get("rescale_factor", 1 / 255))
    if found is None or abs(found * 255 - 1) > 1e-9:
        raise ManifestError(
            f"{where}: got rescale_factor {brief(table['rescale_factor'])}; wants 1/255"
        )


def number(value: object) -> float | None:
    """A finite number as a float, None for anything else."""
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return None
    try:
        found = float(value)
    except OverflowError:
        return None
    return found if math.isfinite(found) else None


def brief(value: object) -> str:
    """A value of somebody's file in a sentence: cut where it would not end."""
    if isinstance(value, int) and value.bit_length() > 128:
        return f"a number of {value.bit_length()} bits"
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."
