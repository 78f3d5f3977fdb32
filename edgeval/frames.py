"""Which frames of a video to take: a rule and an index in, a plan out. Nothing is decoded here.

The rules are C++ (``csrc/core/sample.hpp`` names each one's source); this module gives them the
numbers of one video, adds the last frame where it must be seen, and applies the order.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edgeval import _core
from edgeval.errors import ArgumentError, VideoError
from edgeval.types import FramePlan, FrameRule, PacketIndex, VideoInfo

# SmolVLMVideoProcessor.sample_frames' own default, which no published configuration changes.
SMOLVLM_SKIP_S: Final = 1.0
_MAX_SEED: Final = 2**64 - 1

_COUNTED: Final[Mapping[str, Callable[[int, int], NDArray[np.int64]]]] = MappingProxyType(
    {
        "linspace_floor": _core.linspace_floor,
        "linspace_round": _core.linspace_round,
        "segment_midpoints": lambda n_frames, k: _core.segment_midpoints(0, n_frames - 1, k),
        "segment_centres": _core.segment_centres,
        "nested": _core.nested,
    }
)


def plan(
    info: VideoInfo, rule: FrameRule, *, segment_s: tuple[float, float] | None = None
) -> FramePlan:
    """Choose the frames of one video, in the order they are to be shown.

    ``segment_s``: start and end in seconds of the part that counts; the rule sees a video of just
    those frames, from round(start * fps) to round(end * fps), both included, as MVBench cuts it
    (OpenGVLab/Ask-Anything@4dd8210b, video_chat2/mvbench.ipynb, get_index).

    Never more than the rule asks for, always inside the video. A rule that spreads ``n`` frames
    over fewer repeats some where its source does (``linspace_*``, ``segment_midpoints``).
    Raises VideoError for a video without frames or rate, ArgumentError for an index or a time
    that it does not have.
    """
    _require_frames(info)
    if rule.how == "times":
        chosen = _at_times(info, rule.times_s)
        shown = _shown(chosen, info.n_frames, rule)
    else:
        if rule.how in ("fps", "smolvlm", "stride", "fps_linspace"):
            _require_rate(info)
        if segment_s is None and rule.counts == "packets":
            return _by_packets(info, rule)
        if segment_s is None:
            shown = indices(info.n_frames, info.fps, info.duration_s, rule)
        else:
            first, last = _segment(info, segment_s)
            n_frames = last - first + 1
            inside = indices(n_frames, info.fps, n_frames / info.fps, rule)
            shown = tuple(first + index for index in inside)
    return FramePlan(info=info, indices=shown, rule=rule)


def _by_packets(info: VideoInfo, rule: FrameRule) -> FramePlan:
    """A plan of decord's, which counts packets, also those that an edit list hides.

    Where no frame is left it gives its last again. Hidden packets at the beginning count when it
    jumps to another group of pictures, and not as it goes on within one. Seen in decord 0.6.0 on
    every clip at hand with packets that are not shown.
    """
    index = info.index
    n_packets = 0 if index is None else len(index.pts)
    wanted = indices(max(info.n_frames, n_packets), info.fps, info.duration_s, rule)
    shown = wanted if index is None else _as_decord_seeks(wanted, index, info.n_frames)
    if shown == wanted:
        return FramePlan(info=info, indices=wanted, rule=rule)
    note = f"decord counts {n_packets} frames where {info.n_frames} are shown: others are taken"
    told = replace(info, notes=(*info.notes, note))
    return FramePlan(info=told, indices=shown, rule=rule, named=wanted)


def _as_decord_seeks(wanted: tuple[int, ...], index: PacketIndex, n_frames: int) -> tuple[int, ...]:
    """The frames that decord's get_batch gives for packet numbers. Source: its SeekAccurate."""
    keys = np.flatnonzero(index.key)
    groups = np.searchsorted(keys, np.arange(len(index.pts) + 1), side="right")
    hidden = int((index.pts < index.pts[index.order[0]]).sum())
    shown: list[int] = []
    before, at = -1, -1
    for number in wanted:
        if number != before:
            jumps = number <= before or groups[number] != groups[before + 1]
            at = number - hidden if jumps else at + number - before
            before = number
        last = shown[-1] if shown else n_frames - 1
        shown.append(max(at, 0) if at < n_frames else last)
    return tuple(shown)


def _segment(info: VideoInfo, segment_s: tuple[float, float]) -> tuple[int, int]:
    """First and last frame of a part of the video; what lies outside the video is cut off."""
    _require_rate(info)
    start_s, end_s = segment_s
    if not (math.isfinite(start_s) and math.isfinite(end_s) and 0 <= start_s <= end_s):
        raise ArgumentError(
            f"{info.path.name}: got a segment from {start_s} to {end_s} s; wants 0 <= start <= end"
        )
    last = info.n_frames - 1
    first = round(start_s * info.fps)
    if first > last:
        raise VideoError(
            f"{info.path}: got a segment from {start_s} s on; the video ends at "
            f"{info.duration_s:.2f} s"
        )
    return first, max(first, min(round(end_s * info.fps), last))


def indices(n_frames: int, fps: float, duration_s: float, rule: FrameRule) -> tuple[int, ...]:
    """Display indices that ``rule`` takes from ``n_frames`` frames, in the order of the rule.

    ``fps`` in frames/s and ``duration_s`` in seconds matter to ``fps``, ``smolvlm`` and ``stride``
    only. Raises ArgumentError for ``times``, which needs the times of a real video (``plan``).
    """
    if not 1 <= n_frames <= _core.MAX_FRAMES:
        raise ArgumentError(f"n_frames: got {n_frames}; wants 1 to {_core.MAX_FRAMES}")
    return _shown(_chosen(n_frames, fps, duration_s, rule), n_frames, rule)


def _chosen(n_frames: int, fps: float, duration_s: float, rule: FrameRule) -> NDArray[np.int64]:
    """Indices before the last frame is ensured and the order applied."""
    if rule.how in _COUNTED:
        return _COUNTED[rule.how](n_frames, _count(n_frames, rule))
    if rule.how == "fps":
        return _core.linspace_round(n_frames, rate_count(n_frames, fps, rule))
    if rule.how == "fps_linspace":
        first = _core.linspace_round(n_frames, rate_count(n_frames, fps, rule))
        return first[np.unique(_core.linspace_floor(len(first), _asked(rule)))]
    if rule.how == "smolvlm":
        return _core.smolvlm(
            n_frames,
            fps,
            duration_s,
            fps=rule.fps or 0.0,
            max_n=_asked(rule),
            skip_s=SMOLVLM_SKIP_S,
        )
    if rule.how == "stride":
        return _strided(n_frames, fps, duration_s, _asked(rule))
    if rule.how == "indices":
        return _given(n_frames, rule.indices)
    raise ArgumentError(
        f"frame rule {rule.how!r}: got no presentation times; wants a video, call frames.plan"
    )


def rate_count(n_frames: int, fps: float, rule: FrameRule) -> int:
    """How many frames a rule of ``rule.fps`` a second takes from a video, before any thinning.

    Raises ArgumentError for fewer frames than ``rule.multiple``, unless it takes fewer.
    """
    if rule.short == "fewer" and n_frames < rule.multiple:
        return n_frames
    return _core.fps_count(
        n_frames,
        fps,
        fps=rule.fps or 0.0,
        min_n=_bounded("min_n", rule.min_n, default=1),
        max_n=_bounded("max_n", rule.max_n, default=n_frames),
        multiple=_bounded("multiple", rule.multiple, default=1),
    )


def _count(n_frames: int, rule: FrameRule) -> int:
    """How many frames a counted rule takes; whole multiples where it does not repeat any."""
    asked = _asked(rule)
    if rule.short == "repeat":
        return asked
    if rule.short == "refuse":
        asked = max(round(asked / rule.multiple), 1) * rule.multiple
        if asked > n_frames:
            raise VideoError(
                f"got a video of {n_frames} frames where this protocol takes {asked} and no fewer; "
                f"ask for fewer with --frames"
            )
        return asked
    asked = min(asked, n_frames)
    return asked // rule.multiple * rule.multiple or asked


def _strided(n_frames: int, fps: float, duration_s: float, most: int) -> NDArray[np.int64]:
    """One frame per whole second, at most ``most``, an equal number of frames apart.

    The source divides by zero under one second of video; here that is one frame.
    Source: lmms-eval@75571cfe, tasks/longvideobench/utils.py (load_video).
    """
    if not (math.isfinite(fps) and math.isfinite(duration_s) and fps > 0 and duration_s >= 0):
        raise ArgumentError(
            f"frame rule 'stride': got fps={fps}, duration_s={duration_s}; "
            "wants fps above 0 and a duration of 0 or more"
        )
    valid = max(1, min(n_frames, int(min(duration_s * fps, float(_core.MAX_FRAMES)))))
    return _core.stride(valid, max(1, min(most, int(duration_s))))


def _given(n_frames: int, wanted: tuple[int, ...]) -> NDArray[np.int64]:
    """Check the indices of a user."""
    for index in wanted:
        if not 0 <= index < n_frames:
            raise ArgumentError(
                f"frame index: got {index}; wants 0 to {n_frames - 1}, "
                f"the video has {n_frames} frames"
            )
    return np.array(wanted, dtype=np.int64)


def _at_times(info: VideoInfo, times_s: tuple[float, ...]) -> NDArray[np.int64]:
    """Index of the last frame with pts <= t, for every t in seconds."""
    pts_s = info.pts_s
    first_s = float(pts_s[0])
    frame_s = 1 / info.fps if info.fps > 0 else 0.0
    shown_until_s = max(float(pts_s[-1]) + frame_s, info.duration_s)
    for time_s in times_s:
        if not first_s <= time_s <= shown_until_s:
            raise ArgumentError(
                f"frame time: got {time_s} s; wants {first_s:.6g} to {shown_until_s:.6g} s, "
                f"what {info.path.name} shows"
            )
    return np.searchsorted(pts_s, np.array(times_s), side="right").astype(np.int64) - 1


def _shown(chosen: NDArray[np.int64], n_frames: int, rule: FrameRule) -> tuple[int, ...]:
    """Ensure the last frame where the rule must have it, then apply the order.

    A last frame that must be seen stays last in any order: what is asked says that it is there.
    """
    if rule.include_last and n_frames - 1 not in chosen:
        chosen = chosen.copy()
        chosen[-1] = n_frames - 1
    keeps_last = rule.include_last and chosen[-1] == n_frames - 1
    n_moved = len(chosen) - 1 if keeps_last else len(chosen)
    moved, kept = chosen[:n_moved], chosen[n_moved:]
    if rule.order == "reverse":
        moved = moved[::-1]
    elif rule.order == "shuffle":
        if not 0 <= rule.seed <= _MAX_SEED:
            raise ArgumentError(f"seed: got {rule.seed}; wants 0 to 2**64 - 1")
        moved = _core.shuffled(moved, rule.seed)
    return (*moved.tolist(), *kept.tolist())


def _asked(rule: FrameRule) -> int:
    """How many frames a rule may take: ``n``, else ``max_n``."""
    asked = rule.n if rule.n is not None else rule.max_n
    if asked is None or not 1 <= asked <= _core.MAX_PICKS:
        raise ArgumentError(
            f"frame rule {rule.how!r}: got n={rule.n}, max_n={rule.max_n}; "
            f"wants one of them, 1 to {_core.MAX_PICKS}"
        )
    return asked


def _bounded(name: str, value: int | None, *, default: int) -> int:
    """``value``, small enough for the kernel, or the default."""
    if value is None:
        return default
    if value < 1:
        raise ArgumentError(f"frame rule 'fps': got {name}={value}; wants 1 or more")
    return min(value, _core.MAX_FRAMES)


def _require_frames(info: VideoInfo) -> None:
    if info.n_frames < 1:
        raise VideoError(f"{info.path}: got a video without frames; wants at least one")


def _require_rate(info: VideoInfo) -> None:
    if math.isfinite(info.fps) and info.fps > 0 and math.isfinite(info.duration_s):
        return
    raise VideoError(
        f"{info.path}: got {info.fps} frames/s over {info.duration_s} s; this frame rule wants a "
        "finite rate above 0, choose a rule that takes a number of frames"
    )
