"""Frame rules: equal to their sources' arithmetic, inside the video, never more than asked."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from edgeval import _core, frames
from edgeval.errors import ArgumentError, VideoError
from edgeval.types import FramePlan, FrameRule, PacketIndex, VideoInfo


def video(n_frames: int, *, fps: float = 25.0, start_s: float = 0.0) -> VideoInfo:
    return VideoInfo(
        path=Path("clip.mp4"),
        n_frames=n_frames,
        fps=fps,
        duration_s=n_frames / fps if fps else 0.0,
        width=320,
        height=192,
        rotation_deg=0,
        pix_fmt="yuv420p",
        codec="h264",
        pts_s=start_s + np.arange(n_frames) / (fps or 1.0),
    )


def lengths_and_counts(n: int) -> list[tuple[int, int]]:
    """Pairs (n_frames, k), small ones densely and large ones at random."""
    rng = np.random.default_rng(20261120)
    dense = [(frames_, k) for frames_ in range(1, 41) for k in range(1, 41)]
    wide = zip(
        rng.integers(1, 400_000, n).tolist(), rng.integers(1, 1_024, n).tolist(), strict=True
    )
    return dense + list(wide)


def test_linspace_floor_is_numpys() -> None:
    for n_frames, k in lengths_and_counts(3_000):
        expected = np.linspace(0, n_frames - 1, k, dtype=int)
        np.testing.assert_array_equal(_core.linspace_floor(n_frames, k), expected)


def torch_linspace_twin(n_frames: int, k: int) -> np.ndarray:
    """torch.linspace on x86: float32, the upper half with one rounding (here: from float64)."""
    last = np.float32(n_frames - 1)
    step = last / np.float32(k - 1) if k > 1 else np.float32(0)
    i = np.arange(k)
    low = step * i.astype(np.float32)
    high = (np.float64(last) - np.float64(step) * (k - 1 - i)).astype(np.float32)
    values = np.where((i < k // 2) | (k == 1), low, high)
    return np.rint(values).astype(np.int64)


def test_linspace_round_rounds_as_torch_does() -> None:
    for n_frames, k in lengths_and_counts(2_000):
        np.testing.assert_array_equal(
            _core.linspace_round(n_frames, k), torch_linspace_twin(n_frames, k)
        )


def test_linspace_round_is_torchs() -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed (extra 'export')")
    if "AVX" not in torch.backends.cpu.get_cpu_capability():
        pytest.skip("torch rounds linspace otherwise on a CPU without AVX2")
    for n_frames, k in lengths_and_counts(2_000):
        expected = torch.linspace(0, n_frames - 1, k).round().long().numpy()
        np.testing.assert_array_equal(_core.linspace_round(n_frames, k), expected)


def test_segment_centres_is_torchs_arange() -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed (extra 'export')")
    if "AVX" not in torch.backends.cpu.get_cpu_capability():
        pytest.skip("torch rounds arange otherwise on a CPU without AVX2")
    for n_frames, k in lengths_and_counts(2_000):
        if k <= n_frames:
            segment = n_frames / k
            expected = torch.arange(segment / 2, n_frames, segment).int().numpy()
            np.testing.assert_array_equal(_core.segment_centres(n_frames, k), expected)


def test_segment_centres_of_usual_videos_are_exact_centres() -> None:
    for n_frames, k in ((57, 8), (181, 8), (300, 32), (4_999, 64), (1_800, 128)):
        expected = [(2 * i + 1) * n_frames // (2 * k) for i in range(k)]
        assert _core.segment_centres(n_frames, k).tolist() == expected


def test_segment_midpoints_follow_the_notebook() -> None:
    for n_frames, k in lengths_and_counts(500):
        segment = float(n_frames - 1) / k
        expected = [int(0 + (segment / 2) + np.round(segment * i)) for i in range(k)]
        assert _core.segment_midpoints(0, n_frames - 1, k).tolist() == expected


def smolvlm_twin(n: int, fps: float, duration_s: float, *, target: float, most: int) -> list[int]:
    """The rule written again from its description, in Python floats."""
    count = max(1, min(round(target * duration_s), most))
    first, last = 0, n - 1
    if duration_s - 2 > most * target:
        first, last = int(fps), min(int(n - fps), n - 1)
        if first >= last:
            first, last = 0, n - 1
    return sorted(set(np.linspace(first, last, count, dtype=int).tolist()))


def test_smolvlm_equals_its_twin() -> None:
    rng = np.random.default_rng(7)
    for _ in range(3_000):
        n, fps = int(rng.integers(1, 20_000)), float(rng.choice([1, 12.5, 24000 / 1001, 25, 60]))
        target, most = float(rng.choice([0.5, 1, 2, 3.7])), int(rng.integers(1, 100))
        rule = FrameRule(how="smolvlm", fps=target, max_n=most)
        expected = smolvlm_twin(n, fps, n / fps, target=target, most=most)
        assert list(frames.indices(n, fps, n / fps, rule)) == expected


RECORDED = {
    "smolvlm_ref": FrameRule(how="smolvlm", fps=1.0, max_n=64),
    "llava_onevision": FrameRule(how="linspace_floor", n=8),
    "qwen2_vl": FrameRule(how="fps", fps=2.0, min_n=4, max_n=768, multiple=2),
    "qwen2_5_vl": FrameRule(how="linspace_round", n=8),
    "qwen3_vl": FrameRule(how="linspace_round", n=8),
    "internvl": FrameRule(how="segment_centres", n=8),
}


@pytest.mark.parametrize("family", RECORDED)
def test_rules_equal_recorded_runs(shared: Path, family: str) -> None:
    lines = (shared / f"e2e/records/{family}-vsibench.jsonl").read_text().splitlines()
    clips = [json.loads(line)["videos"][0] for line in lines]
    got, expected = [], []
    for clip in clips:
        total, fps = clip["total_num_frames"], clip.get("fps", 25.0)
        got.append(list(frames.indices(total, fps, total / fps, RECORDED[family])))
        expected.append(clip["frame_indices"])
    assert got == expected != []


def smart_nframes_twin(total: int, fps: float, rule: FrameRule) -> int:
    """The frame count of qwen_vl_utils, written again in Python floats."""
    unit, target = rule.multiple, rule.fps or 0.0
    low = math.ceil((rule.min_n or 1) / unit) * unit
    high = math.floor((rule.max_n or total) / unit) * unit
    count = min(max(total / fps * target, low), high, total)
    return math.floor(count / unit) * unit


def test_fps_counts_as_smart_nframes() -> None:
    rng = np.random.default_rng(11)
    for _ in range(2_000):
        rule = FrameRule(
            how="fps",
            fps=float(rng.choice([0.25, 1, 2, 7.3])),
            min_n=int(rng.integers(1, 9)),
            max_n=int(rng.integers(8, 800)),
            multiple=int(rng.integers(1, 5)),
        )
        total, fps = int(rng.integers(8, 90_000)), float(rng.choice([10, 24000 / 1001, 25, 60]))
        got = frames.indices(total, fps, total / fps, rule)
        assert len(got) == smart_nframes_twin(total, fps, rule)


def test_fps_refuses_a_video_shorter_than_one_multiple() -> None:
    with pytest.raises(ArgumentError, match="at least 2"):
        frames.plan(video(1), FrameRule(how="fps", fps=2.0, multiple=2))


def test_stride_takes_one_frame_a_second_at_most() -> None:
    shown = frames.plan(video(260), FrameRule(how="stride", n=16)).indices
    assert shown == tuple(26 * i for i in range(10))


def test_stride_of_less_than_a_second_is_one_frame() -> None:
    assert frames.plan(video(10), FrameRule(how="stride", n=16)).indices == (0,)


def test_nested_budget_is_a_subset_of_every_larger_one() -> None:
    for n_frames in (1, 2, 9, 100, 12_345):
        plans = [
            set(frames.plan(video(n_frames), FrameRule(how="nested", n=k)).indices)
            for k in range(1, 65)
        ]
        assert all(small <= large for small, large in itertools.pairwise(plans))


def test_nested_powers_of_two_plus_one_are_even_grids() -> None:
    shown = frames.plan(video(129), FrameRule(how="nested", n=17)).indices
    assert shown == tuple(range(0, 129, 8))


def test_linspace_repeats_frames_of_a_short_video_as_its_source_does() -> None:
    assert frames.plan(video(2), FrameRule(how="linspace_floor", n=4)).indices == (0, 0, 0, 1)


def test_indices_are_shown_as_given() -> None:
    rule = FrameRule(how="indices", indices=(5, 0, 5, 9))
    assert frames.plan(video(10), rule).indices == (5, 0, 5, 9)


@pytest.mark.parametrize("bad", [-1, 10, 10**30])
def test_an_index_outside_the_video_is_refused(bad: int) -> None:
    with pytest.raises(ArgumentError, match=f"frame index: got {bad}; wants 0 to 9"):
        frames.plan(video(10), FrameRule(how="indices", indices=(0, bad)))


def test_a_time_is_the_last_frame_shown_by_then() -> None:
    rule = FrameRule(how="times", times_s=(1.4, 1.44, 1.4799, 1.79))
    assert frames.plan(video(10, start_s=1.4), rule).indices == (0, 1, 1, 9)


@pytest.mark.parametrize("bad", [1.39, -1.0, 1.81, math.nan, math.inf])
def test_a_time_outside_the_video_is_refused(bad: float) -> None:
    with pytest.raises(ArgumentError, match=r"frame time: got .* wants 1\.4 to 1\.8 s"):
        frames.plan(video(10, start_s=1.4), FrameRule(how="times", times_s=(bad,)))


def test_times_need_a_video() -> None:
    with pytest.raises(ArgumentError, match=r"call frames\.plan"):
        frames.indices(10, 25.0, 0.4, FrameRule(how="times", times_s=(0.0,)))


def test_include_last_replaces_the_last_chosen() -> None:
    rule = FrameRule(how="segment_midpoints", n=4, include_last=True)
    assert frames.plan(video(400), rule).indices == (49, 149, 249, 399)


def test_include_last_changes_nothing_when_the_last_is_there() -> None:
    rule = FrameRule(how="linspace_floor", n=4, include_last=True)
    assert frames.plan(video(400), rule).indices == (0, 133, 266, 399)


def test_include_last_comes_before_the_order() -> None:
    rule = FrameRule(how="linspace_floor", n=1, include_last=True, order="reverse")
    assert frames.plan(video(400), rule).indices == (399,)


@pytest.mark.parametrize("order", ["reverse", "shuffle"])
def test_a_last_frame_that_must_be_seen_stays_last(order: str) -> None:
    rule = FrameRule(how="linspace_floor", n=8, include_last=True, order=order, seed=3)
    forward = frames.plan(video(400), FrameRule(how="linspace_floor", n=8)).indices
    got = frames.plan(video(400), rule).indices
    assert got[-1] == 399
    assert got[:-1] != forward[:-1]
    assert sorted(got) == list(forward)


def test_a_segment_is_a_video_of_its_own() -> None:
    rule = FrameRule(how="linspace_floor", n=5)
    got = frames.plan(video(400), rule, segment_s=(2.0, 6.02)).indices
    assert got == tuple(50 + i for i in frames.indices(101, 25.0, 101 / 25, rule))


@pytest.mark.parametrize(
    ("segment_s", "wanted"),
    [((0.0, 99.0), (0, 399)), ((15.97, 15.98), (399,)), ((4.0, 4.0), (100,))],
)
def test_a_segment_is_cut_to_the_video(
    segment_s: tuple[float, float], wanted: tuple[int, ...]
) -> None:
    rule = FrameRule(how="linspace_floor", n=2)
    got = frames.plan(video(400), rule, segment_s=segment_s).indices
    assert tuple(sorted(set(got))) == wanted


@pytest.mark.parametrize("segment_s", [(5.0, 4.0), (-1.0, 4.0), (math.nan, 4.0), (0.0, math.inf)])
def test_a_senseless_segment_is_refused(segment_s: tuple[float, float]) -> None:
    with pytest.raises(ArgumentError, match="start <= end"):
        frames.plan(video(400), FrameRule(how="linspace_floor", n=2), segment_s=segment_s)


def test_a_segment_behind_the_end_is_refused() -> None:
    with pytest.raises(VideoError, match="ends at"):
        frames.plan(video(400), FrameRule(how="linspace_floor", n=2), segment_s=(17.0, 18.0))


def test_reverse_is_the_forward_plan_backwards() -> None:
    forward = frames.plan(video(400), FrameRule(how="nested", n=9)).indices
    backward = frames.plan(video(400), FrameRule(how="nested", n=9, order="reverse")).indices
    assert backward == forward[::-1]


def test_shuffle_is_pinned() -> None:
    rule = FrameRule(how="indices", indices=tuple(range(8)), order="shuffle", seed=2026)
    assert frames.plan(video(8), rule).indices == (5, 4, 6, 1, 7, 0, 2, 3)


def test_shuffles_are_uniform() -> None:
    first = [int(_core.shuffled(np.arange(6), seed)[0]) for seed in range(6_000)]
    assert np.bincount(first, minlength=6).min() > 850  # 1,000 expected, deviation 29


@pytest.mark.parametrize("seed", [-1, 2**64])
def test_a_seed_outside_64_bits_is_refused(seed: int) -> None:
    with pytest.raises(ArgumentError, match="seed: got"):
        frames.plan(video(8), FrameRule(how="nested", n=4, order="shuffle", seed=seed))


@pytest.mark.parametrize("how", ["linspace_floor", "nested", "segment_centres", "stride"])
def test_a_plan_of_billions_is_refused(how: str) -> None:
    rule = FrameRule(how=how, n=10**30)  # type: ignore[arg-type]
    with pytest.raises(ArgumentError, match="wants one of them, 1 to 16777216"):
        frames.plan(video(8), rule)


@pytest.mark.parametrize("how", ["smolvlm", "stride"])
def test_a_rule_without_a_limit_is_refused(how: str) -> None:
    rule = FrameRule(how=how, fps=1.0)  # type: ignore[arg-type]
    with pytest.raises(ArgumentError, match="got n=None, max_n=None"):
        frames.plan(video(8), rule)


def test_a_video_without_frames_is_refused() -> None:
    with pytest.raises(VideoError, match="without frames"):
        frames.plan(video(0), FrameRule(how="nested", n=4))


@pytest.mark.parametrize("how", ["fps", "smolvlm", "stride"])
def test_a_video_without_rate_is_refused(how: str) -> None:
    rule = FrameRule(how=how, fps=1.0, n=4)  # type: ignore[arg-type]
    with pytest.raises(VideoError, match=r"0\.0 frames/s"):
        frames.plan(video(8, fps=0.0), rule)


def test_frame_rules_release_the_gil(
    releases_gil: Callable[[Callable[[], object]], bool],
) -> None:
    assert releases_gil(lambda: _core.nested(20_000_000, 400_000))


def by_packets(n_frames: int, n_packets: int, n: int) -> FramePlan:
    index = PacketIndex(
        stream=0,
        time_base=Fraction(1, 25),
        pts=np.arange(n_packets),
        dts=np.arange(n_packets),
        key=np.ones(n_packets, np.bool_),
        order=np.arange(n_frames),
    )
    rule = FrameRule(how="linspace_floor", n=n, counts="packets")
    return frames.plan(replace(video(n_frames), index=index), rule)


def test_decords_count_spreads_over_packets_and_repeats_where_none_is_shown() -> None:
    # What decord 0.6.0 gives for pllava_cooking.mp4: 160 packets, 159 frames.
    assert by_packets(159, 160, 8).indices == (0, 22, 45, 68, 90, 113, 136, 136)


def test_decords_own_indices_are_kept() -> None:
    assert by_packets(159, 160, 8).named == (0, 22, 45, 68, 90, 113, 136, 159)


def test_what_decord_repeats_is_said() -> None:
    assert by_packets(159, 160, 8).info.notes == (
        "decord counts 160 frames where 159 are shown: others are taken",
    )


def test_nothing_is_said_where_decord_counts_right() -> None:
    plan = by_packets(160, 160, 8)
    assert (plan.indices[-1], plan.info.notes) == (159, ())


@pytest.mark.parametrize(
    ("wanted", "given"),
    [
        ((0, 14, 28, 42, 57, 71, 85, 100), (0, 5, 19, 33, 48, 62, 76, 91)),
        ((0, 2, 4, 6, 8, 10, 12, 14), (0, 2, 4, 6, 8, 1, 3, 5)),
        ((0, 0, 1, 1, 2, 2, 3, 3, 5, 5), (0, 0, 1, 1, 2, 2, 3, 3, 5, 5)),
        ((0, 1, 2, 3, 30, 31, 32, 60, 61), (0, 1, 2, 3, 21, 22, 23, 51, 52)),
    ],
)
def test_packets_that_an_edit_list_hides_count_where_decord_jumps(
    wanted: tuple[int, ...], given: tuple[int, ...]
) -> None:
    # What decord 0.6.0 gives for a film cut at a copy: 101 packets, the first 9 hidden, a key
    # picture every 10.
    index = PacketIndex(
        stream=0,
        time_base=Fraction(1, 25),
        pts=np.arange(101),
        dts=np.arange(101),
        key=np.arange(101) % 10 == 0,
        order=np.arange(9, 101),
    )
    rule = FrameRule(how="indices", indices=wanted, counts="packets")
    assert frames.plan(replace(video(92), index=index), rule).indices == given
