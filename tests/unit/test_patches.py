"""Sizes in whole patches: what transformers and qwen-vl-utils make of any picture and budget."""

from __future__ import annotations

import itertools

import pytest

from edgeval.errors import VideoError
from edgeval.patches import Budget, fitted

SIDES = (1, 13, 27, 28, 42, 97, 180, 336, 592, 1080, 2161)
TRANSFORMERS = "transformers.models.{0}.video_processing_{0}"


def reasonable(size: tuple[int, int]) -> bool:
    return max(size) / min(size) <= 200


PICTURES = [size for size in itertools.product(SIDES, SIDES) if reasonable(size)]


@pytest.mark.parametrize(("least", "most"), [(3136, 12845056), (100352, 602112), (200704, 250000)])
def test_a_frame_alone_is_as_large_as_in_transformers(hf, least, most):
    pytest.importorskip("torchvision")
    from transformers.models.qwen2_vl.video_processing_qwen2_vl import smart_resize

    budget = Budget(least=least, most=most)
    for size in PICTURES:
        want = smart_resize(*size, factor=28, min_pixels=least, max_pixels=most)
        assert fitted(size, budget, factor=28, frames=2, n_frames=4) == want


@pytest.mark.parametrize("n_frames", [2, 3, 5, 8, 33])
def test_frames_together_are_as_large_as_in_transformers(hf, n_frames):
    pytest.importorskip("torchvision")
    from transformers.models.qwen3_vl.video_processing_qwen3_vl import smart_resize

    budget = Budget(least=4096, most=2_000_000, together=True)
    for size in PICTURES:
        want = smart_resize(
            n_frames, *size, temporal_factor=2, factor=32, min_pixels=4096, max_pixels=2_000_000
        )
        assert fitted(size, budget, factor=32, frames=2, n_frames=n_frames) == want


# What lmms-eval 0.7.3 recorded: picture, frames, least, most -> size.
RECORDED = (
    (28, (336, 592), 12, 3136, 602112, (336, 588)),
    (28, (360, 640), 12, 3136, 602112, (364, 644)),
    (28, (240, 320), 4, 3136, 602112, (252, 308)),
    (28, (336, 592), 8, 200704, 1605632, (364, 616)),
    (28, (240, 320), 8, 200704, 1605632, (392, 532)),
    (32, (336, 592), 8, 200704, 1605632, (352, 608)),
    (32, (240, 320), 8, 200704, 1605632, (416, 544)),
)


@pytest.mark.parametrize(("factor", "size", "n_frames", "least", "most", "want"), RECORDED)
def test_recorded_sizes(factor, size, n_frames, least, most, want):
    area = factor**2
    budget = Budget(
        least=least,
        most=most,
        shared=128000 * area * 0.9,
        capped_at=768 * area,
        rounding="qwen-vl-utils",
    )
    assert fitted(size, budget, factor=factor, frames=2, n_frames=n_frames) == want


@pytest.mark.parametrize(("n_frames", "want"), [(10, (1092, 1932)), (400, (504, 896))])
def test_many_frames_share_the_budget(n_frames, want):
    budget = Budget(least=3136, most=12845056, shared=128000 * 784 * 0.9)
    assert fitted((1080, 1920), budget, factor=28, frames=2, n_frames=n_frames) == want


def test_a_ribbon_is_refused():
    with pytest.raises(VideoError, match="200 times as long"):
        fitted((1, 201), Budget(least=1, most=10**6), factor=28, frames=2, n_frames=2)
