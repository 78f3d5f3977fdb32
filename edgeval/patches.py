"""How large a picture may be in patches: sizes that are whole patches and fit a budget of pixels.

Two authors round differently at the edges, so both are here by name.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from edgeval.errors import VideoError

Size = tuple[int, int]
Rounding = Literal["transformers", "qwen-vl-utils"]
MAX_RATIO = 200
# qwen-vl-utils lets a frame have this much more than the least, however many frames share a budget.
SLACK = 1.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """How many pixels a picture may have.

    ``least`` and ``most`` pixels of one frame, or of all frames together where ``together``.
    ``shared``: pixels that all the patches in depth share, None without such a bound; a frame has
    at most its share and at most ``capped_at``, but never less than ``least`` with a slack.
    """

    least: int
    most: int
    shared: float | None = None
    capped_at: int | None = None
    together: bool = False
    rounding: Rounding = "transformers"


def fitted(size: Size, budget: Budget, *, factor: int, frames: int, n_frames: int) -> Size:
    """(height, width) of a picture of ``size`` in whole ``factor`` pixels within the budget.

    ``frames``: pictures to a patch; ``n_frames``: how many share the budget. Raises VideoError for
    a picture more than 200 times as long as wide. Source: transformers 5.23.0, smart_resize and
    resize of video_processing_qwen2_vl.py and video_processing_qwen3_vl.py; qwen-vl-utils 0.0.14,
    smart_resize and fetch_video.
    """
    if budget.together:
        return _fitted_together(size, budget, factor=factor, frames=frames, n_frames=n_frames)
    most: float = budget.most
    if budget.shared is not None:
        utils = budget.rounding == "qwen-vl-utils"
        share = budget.shared / n_frames * frames if utils else budget.shared * frames // n_frames
        cap = share if budget.capped_at is None else min(budget.capped_at, share)
        most = min(most, max(cap, int(budget.least * SLACK)))
    return _fitted_alone(size, budget, factor=factor, most=most)


def _fitted_alone(size: Size, budget: Budget, *, factor: int, most: float) -> Size:
    height, width = size
    _check_ratio(height, width)
    utils = budget.rounding == "qwen-vl-utils"
    at_least = factor if utils else 0
    high = max(at_least, round(height / factor) * factor)
    wide = max(at_least, round(width / factor) * factor)
    if high * wide > most:
        shrink = math.sqrt((height * width) / most)
        return _floored(height / shrink, factor), _floored(width / shrink, factor)
    if high * wide < budget.least:
        grow = math.sqrt(budget.least / (height * width))
        return _ceiled(height * grow, factor), _ceiled(width * grow, factor)
    return high, wide


def _fitted_together(
    size: Size, budget: Budget, *, factor: int, frames: int, n_frames: int
) -> Size:
    height, width = size
    # The source refuses less than one patch's frames; a last frame is repeated to fill it.
    n_frames = max(n_frames, frames)
    if height < factor or width < factor:
        grow = max(factor / height, factor / width)
        height, width = int(height * grow), int(width * grow)
    _check_ratio(height, width)
    high, wide = (round(side / factor) * factor for side in (height, width))
    deep = round(n_frames / frames) * frames
    most = budget.most
    if budget.capped_at is not None:
        share = min(budget.capped_at, budget.most // n_frames)
        most = max(share, int(budget.least * SLACK)) * n_frames
    if deep * high * wide > most:
        shrink = math.sqrt((n_frames * height * width) / most)
        return _floored(height / shrink, factor), _floored(width / shrink, factor)
    if deep * high * wide < budget.least:
        grow = math.sqrt(budget.least / (n_frames * height * width))
        return _ceiled(height * grow, factor), _ceiled(width * grow, factor)
    return high, wide


def _check_ratio(height: int, width: int) -> None:
    if max(height, width) / min(height, width) > MAX_RATIO:
        raise VideoError(
            f"got a picture of {width} x {height}; wants at most {MAX_RATIO} times as long as wide"
        )


def _floored(side: float, factor: int) -> int:
    # qwen-vl-utils fails on a side of no patch; transformers keeps one.
    return max(factor, math.floor(side / factor) * factor)


def _ceiled(side: float, factor: int) -> int:
    return math.ceil(side / factor) * factor
