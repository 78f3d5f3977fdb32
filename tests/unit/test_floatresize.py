"""The float32 resize: torch's bits, and what must hold of any resize."""

from __future__ import annotations

import numpy as np
import pytest

from edgeval import floatresize

# (height, width) -> (height, width): smaller, larger, one side only, hardly, far, one pixel.
SIZES = (
    ((90, 160), (56, 140)),
    ((90, 160), (180, 308)),
    ((90, 160), (90, 140)),
    ((48, 333), (84, 56)),
    ((336, 592), (336, 588)),
    ((500, 30), (28, 28)),
    ((1, 1), (28, 56)),
)


@pytest.mark.parametrize(("size", "target"), SIZES)
def test_every_bit_is_torchs(size, target):
    torch = pytest.importorskip("torch")
    image = np.random.default_rng(sum(size)).integers(0, 256, (*size, 3), dtype=np.uint8)
    values = torch.from_numpy(image.transpose(2, 0, 1).copy())[None].float()
    want = torch.nn.functional.interpolate(values, size=target, mode="bicubic", antialias=True)
    want = want.clamp(0, 255).round().to(torch.uint8)[0].numpy().transpose(1, 2, 0)
    got = floatresize.resize(image, height=target[0], width=target[1])
    np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("value", [0, 1, 127, 254, 255])
def test_a_flat_picture_stays_flat(value):
    image = np.full((37, 53, 3), value, np.uint8)
    assert (floatresize.resize(image, height=28, width=84) == value).all()


def test_the_same_size_is_the_same_picture():
    image = np.arange(4 * 5 * 3, dtype=np.uint8).reshape(4, 5, 3)
    np.testing.assert_array_equal(floatresize.resize(image, height=4, width=5), image)


def test_a_mirrored_picture_is_resized_to_the_mirror_within_rounding():
    image = np.random.default_rng(3).integers(0, 256, (40, 61, 3), dtype=np.uint8)
    there = floatresize.resize(image, height=28, width=28).astype(int)
    back = floatresize.resize(np.ascontiguousarray(image[:, ::-1]), height=28, width=28)
    assert np.abs(there - back[:, ::-1]).max() <= 1
