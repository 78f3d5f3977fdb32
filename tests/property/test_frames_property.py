"""Every frame rule, on any video: inside it, ascending, never more than asked, repeatable."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from edgeval import frames
from edgeval.errors import ArgumentError
from edgeval.types import FramePlan, FrameRule, VideoInfo

RULES = ("linspace_floor", "linspace_round", "segment_midpoints", "nested", "stride", "smolvlm")


def plan(n_frames: int, fps: float, rule: FrameRule) -> FramePlan:
    info = VideoInfo(
        path=Path("any.mp4"),
        n_frames=n_frames,
        fps=fps,
        duration_s=n_frames / fps,
        width=2,
        height=2,
        rotation_deg=0,
        pix_fmt="gray",
        codec="ffv1",
        pts_s=np.zeros(1),
    )
    return frames.plan(info, rule)


lengths = st.integers(1, 2**31 - 1)
rates = st.floats(0.01, 1_000)
counts = st.integers(1, 300)


@given(how=st.sampled_from(RULES), n_frames=lengths, fps=rates, k=counts, last=st.booleans())
def test_forward_plans_are_sound(how: str, n_frames: int, fps: float, k: int, last: bool) -> None:
    rule = FrameRule(how=how, n=k, fps=1.5, include_last=last)  # type: ignore[arg-type]
    shown = plan(n_frames, fps, rule).indices
    assert 1 <= len(shown) <= k
    assert list(shown) == sorted(shown)
    assert shown[0] >= 0
    assert shown[-1] <= n_frames - 1
    assert not last or shown[-1] == n_frames - 1


@given(n_frames=lengths, fps=rates, low=counts, high=counts, unit=st.integers(1, 8))
def test_fps_plans_are_multiples_within_bounds(
    n_frames: int, fps: float, low: int, high: int, unit: int
) -> None:
    rule = FrameRule(how="fps", fps=2.0, min_n=low, max_n=high, multiple=unit)
    try:
        shown = plan(n_frames, fps, rule).indices
    except ArgumentError:
        assert min(n_frames, high) < unit
    else:
        assert len(shown) <= min(high, n_frames)
        assert len(shown) % unit == 0


@given(n_frames=st.integers(1, 5_000), k=counts, seed=st.integers(0, 2**64 - 1))
def test_orders_only_permute(n_frames: int, k: int, seed: int) -> None:
    forward = plan(n_frames, 25.0, FrameRule(how="nested", n=k)).indices
    shuffle = FrameRule(how="nested", n=k, order="shuffle", seed=seed)
    assert tuple(sorted(plan(n_frames, 25.0, shuffle).indices)) == forward
    assert plan(n_frames, 25.0, shuffle).indices == plan(n_frames, 25.0, shuffle).indices


@given(n_frames=lengths, k=counts)
def test_half_a_budget_is_inside_the_whole(n_frames: int, k: int) -> None:
    half = plan(n_frames, 25.0, FrameRule(how="nested", n=k)).indices
    whole = plan(n_frames, 25.0, FrameRule(how="nested", n=2 * k)).indices
    assert set(half) <= set(whole)
