"""Profile arithmetic: what a run needs lies inside what engines are built for."""

from __future__ import annotations

import json

import numpy as np
import pytest

from edgeval.engines.trt import profiles, rows
from edgeval.engines.trt.graphfile import Port
from edgeval.engines.trt.profiles import Profile, Range
from edgeval.errors import EngineError

GRID = {
    "pixel_values": Port(dtype="float32", shape=("num_patches", 1176)),
    "image_grid_thw": Port(dtype="int64", shape=(1, 3)),
}
PICTURES = {
    "pixel_values": Port(dtype="float32", shape=("batch_size", "num_images", 3, 8, 8)),
    "pixel_attention_mask": Port(dtype="bool", shape=("batch_size", "num_images", 8, 8)),
}


def grid(t: int, h: int, w: int) -> dict[str, np.ndarray]:
    return {
        "pixel_values": np.zeros((t * h * w, 1176), np.float32),
        "image_grid_thw": np.array([[t, h, w]]),
    }


@pytest.mark.parametrize("context", [1, 2, 1000, 1024, 4096, 32768])
def test_every_run_of_a_context_lies_in_a_profile(plain, context):
    inputs, _ = rows.ports(plain)
    prefill, decode = profiles.decoder_profiles(inputs, context)
    most = min(context, profiles.MAX_PREFILL)
    for profile, new, past in (
        *((prefill, s, p) for s in (1, most) for p in (0, context - s)),
        *((decode, 1, p) for p in {1, context - 1} - {0}),
    ):
        sizes = {"inputs_embeds": (1, new, 128), "attention_mask": (1, past + new)}
        sizes["past_rows.0.key"] = (1, past, 4, 32)
        for name, size in sizes.items():
            assert profile.shapes[name].holds(Range(low=size, best=size, high=size)), name


def test_the_usual_sizes_agree_with_each_other(plain):
    """The builder refuses a profile whose usual sizes cannot be of one run."""
    for profile in profiles.decoder_profiles(rows.ports(plain)[0], 4096):
        for end in ("low", "best", "high"):
            size = {name: getattr(span, end) for name, span in profile.shapes.items()}
            total = size["past_rows.0.key"][1] + size["inputs_embeds"][1]
            assert size["attention_mask"] == (1, total)
            assert size["position_ids"][-1] == size["inputs_embeds"][1]


def test_logits_are_kept_of_the_last_row_only(plain):
    for profile in profiles.decoder_profiles(rows.ports(plain)[0], 64):
        assert profile.values["num_logits_to_keep"] == Range(low=(1,), best=(1,), high=(1,))


def test_a_grid_holds_its_clip_and_the_clip_turned():
    profile = profiles.vision_profile(GRID, grid(4, 8, 12))
    assert profile.covers(profiles.vision_profile(GRID, grid(4, 12, 8)))
    assert profile.values["image_grid_thw"].best == (4, 8, 12)
    assert profile.shapes["pixel_values"].best == (4 * 8 * 12, 1176)
    assert profile.shapes["pixel_values"].low[0] == np.prod(profile.values["image_grid_thw"].low)


def test_a_larger_grid_is_not_covered_until_united():
    small, large = grid(4, 8, 12), grid(2, 20, 20)
    first = profiles.vision_profile(GRID, small)
    wanted = profiles.vision_profile(GRID, large)
    assert not first.covers(wanted)
    united = profiles.vision_profile(GRID, large, first)
    assert united.covers(wanted)
    assert united.covers(first)


def test_pictures_vary_in_number_only():
    feeds = {
        "pixel_values": np.zeros((1, 5, 3, 8, 8)),
        "pixel_attention_mask": np.ones((1, 5, 8, 8), bool),
    }
    profile = profiles.vision_profile(PICTURES, feeds)
    span = profile.shapes["pixel_values"]
    assert (span.low, span.best, span.high) == ((1, 1, 3, 8, 8), (1, 5, 3, 8, 8), (1, 8, 3, 8, 8))


def test_no_profile_is_closed():
    """TensorRT-RTX 1.7 fails on a vision graph whose only profile allows one size."""
    profile = profiles.vision_profile(GRID, grid(1, 2, 2))
    assert profile.shapes["pixel_values"].low != profile.shapes["pixel_values"].high or (
        profile.values["image_grid_thw"].low != profile.values["image_grid_thw"].high
    )


def test_an_input_that_nothing_feeds_is_named():
    with pytest.raises(EngineError, match="image_grid_thw"):
        profiles.vision_profile(GRID, {"pixel_values": np.zeros((4, 1176))})


def test_a_profile_survives_json(plain):
    for profile in profiles.decoder_profiles(rows.ports(plain)[0], 2000):
        assert profiles.from_json(json.loads(json.dumps(profile.json()))) == profile


def test_a_profile_reads_in_one_line(plain):
    prefill, decode = profiles.decoder_profiles(rows.ports(plain)[0], 2048)
    assert str(prefill) == (
        "prefill: inputs_embeds 1x1..1024 (1024)x128, attention_mask 1x1..3072 (1536), "
        "position_ids 1x1..1024 (1024), past_rows.* 1x0..2048 (512)x4x32"
    )
    assert str(decode).startswith("decode: attention_mask 1x2..2049 (1025), past_rows.* 1x1..2048")


def test_covering_is_by_every_name():
    span = Range(low=(1,), best=(2,), high=(4,))
    one = Profile(name="x", shapes={"a": span}, values={})
    other = Profile(name="x", shapes={"a": span}, values={"b": span})
    assert other.covers(one)
    assert not one.covers(other)
