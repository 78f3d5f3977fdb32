"""What the Qwen-VL families have of their own, against transformers' processors."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edgeval.errors import VideoError
from edgeval.processor import LMMS_EVAL, NATIVE, Talk
from edgeval.types import Turn

from .conftest import FPS, N_SOURCE, QUESTION, QWEN, facts_of, plan_of, shrunk, video


@pytest.fixture(scope="module", params=QWEN)
def family(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


def test_seconds_between_positions_equal_transformers(opened, asked, family):
    images = video(5, 60, 60)
    ours = opened(family)
    facts = facts_of(shrunk(ours, images))
    grid, _ = ours._grids(facts)
    run, *_ = ours.style.runs(facts, grid, ours.constants)
    want = asked.of_video(images).get("second_per_grid_ts", [None])[0]
    assert run.seconds == want


def test_a_picture_is_sized_and_laid_as_in_transformers(opened, theirs, family):
    import torch

    image = video(1, 123, 211)
    tensor = torch.from_numpy(image[0].transpose(2, 0, 1).copy())
    want = theirs.image_processor(images=[tensor], return_tensors="pt")
    ours = opened(family)
    (feed,) = ours.feeds(shrunk(ours, image, still=True), n_stills=1)
    np.testing.assert_array_equal(feed["pixel_values"], want["pixel_values"].numpy())


def test_a_video_and_a_picture_stand_side_by_side(opened, family):
    ours = opened(family)
    images = [*shrunk(ours, video(4, 60, 60)), np.zeros((64, 64, 3), np.uint8)]
    text = ours.text(QUESTION, facts_of(images, n_stills=1))
    assert "<|video_pad|><|vision_end|><|vision_start|><|image_pad|><|vision_end|>" in text.short
    c = ours.constants
    assert text.full.count("<|image_pad|>") == (64 // c.factor) ** 2


def test_turns_and_a_prefill_stand_where_the_template_has_them(opened, family):
    talk = Talk(
        system="Be brief.",
        history=(Turn(role="user", text="One?"), Turn(role="assistant", text="Two.")),
        prefill="<think>",
    )
    text = opened(family).text("Three?", None, talk).full
    assert text == (
        "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nOne?<|im_end|>\n"
        "<|im_start|>assistant\nTwo.<|im_end|>\n<|im_start|>user\nThree?<|im_end|>\n"
        "<|im_start|>assistant\n<think>"
    )


def test_a_largest_picture_is_kept_to(opened, family):
    most = 20_000
    for protocol in (NATIVE, LMMS_EVAL):
        ours = opened(family, protocol, most)
        height, width = shrunk(ours, video(4, 180, 320))[0].shape[:2]
        assert height * width <= most


def test_lmms_evals_frames(opened, family):
    from edgeval import frames

    rule = opened(family, LMMS_EVAL).frame_rule()
    info = plan_of(1, 60, 60).info
    n_frames = {"qwen2_vl": 32, "qwen2_5_vl": 32, "qwen3_vl": 32}[family]
    got = frames.plan(info, rule).indices
    assert (len(got), got[0], got[-1]) == (n_frames, 0, N_SOURCE - 1)


@pytest.mark.parametrize(("n_frames", "want"), [(31, 30), (9, 8), (2, 2), (1, 1)])
def test_lmms_evals_frames_of_a_short_video(opened, n_frames, want):
    from edgeval import frames

    rule = opened("qwen2_5_vl", LMMS_EVAL).frame_rule()
    assert len(frames.indices(n_frames, FPS, n_frames / FPS, rule)) == want


def test_lmms_evals_qwen3_refuses_a_short_video(opened):
    from edgeval import frames

    rule = opened("qwen3_vl", LMMS_EVAL).frame_rule()
    with pytest.raises(VideoError, match="31 frames where this protocol takes 32"):
        frames.indices(31, FPS, 31 / FPS, rule)


# What lmms-eval 0.7.3 does not look at, by class.
@pytest.mark.parametrize(
    ("name", "suffix", "shown"),
    [
        ("qwen2_vl", ".mp4", True),
        ("qwen2_vl", ".mkv", False),
        ("qwen2_vl", ".webm", False),
        ("qwen2_5_vl", ".mkv", True),
        ("qwen2_5_vl", ".webm", False),
        ("qwen3_vl", ".webm", False),
    ],
)
def test_lmms_eval_does_not_look_at_every_container(opened, name, suffix, shown):
    conduct = opened(name, LMMS_EVAL).conduct
    assert conduct.shows(Path(f"clip{suffix}")) is shown
    assert opened(name).conduct.shows(Path(f"clip{suffix}"))
