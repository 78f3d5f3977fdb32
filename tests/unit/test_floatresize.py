"""The float32 resize: torch's bits, and what must hold of any resize."""

from __future__ import annotations

import numpy as np
import pytest

from edgeval import floatresize, pixels
from edgeval.errors import ArgumentError

# (height, width) -> (height, width): smaller, larger, one side only, hardly, far, one pixel.
SIZES = (
    ((90, 160), (56, 140)),
    ((90, 160), (180, 308)),
    ((90, 160), (90, 140)),
    ((48, 333), (84, 56)),
    ((336, 592), (336, 588)),
    ((500, 30), (28, 28)),
    ((1, 1), (28, 56)),
    ((1080, 64), (364, 64)),
    ((17, 1920), (17, 644)),
)
KERNELS = tuple(name for name in pixels.kernel_paths() if name != "avx512")


def in_numpy(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """The slow twin: whole rows at once, tap by tap."""
    turned = np.ascontiguousarray(image.transpose(1, 0, 2), np.float32)
    out = np.ascontiguousarray(rows_in_numpy(turned, width).transpose(1, 0, 2))
    return np.rint(rows_in_numpy(out, height).clip(0, 255)).astype(np.uint8)


def rows_in_numpy(image: np.ndarray, n_out: int) -> np.ndarray:
    """[n_in, ...] -> [n_out, ...]. A fused product of two float32 is exact in float64."""
    out = np.empty((n_out, *image.shape[1:]), np.float32)
    first, count, weight = floatresize._taps(len(image), n_out)
    for i, (start, n) in enumerate(zip(first, count, strict=True)):
        out[i] = image[start] * weight[i, 0]
        for k in range(1, n):
            if k < 1 + (n - 1) // 4 * 4:
                out[i] += image[start + k] * weight[i, k]
            else:
                exact = image[start + k].astype(np.float64) * weight[i, k]
                out[i] = (exact + out[i]).astype(np.float32)
    return out


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize(("size", "target"), SIZES)
def test_every_kernel_is_the_numpy_twin(size, target, kernel):
    image = np.random.default_rng(sum(target)).integers(0, 256, (*size, 3), dtype=np.uint8)
    got = floatresize.resize(image, height=target[0], width=target[1], kernel=kernel)
    np.testing.assert_array_equal(got, in_numpy(image, *target))


def test_another_dtype_or_kernel_is_refused():
    with pytest.raises(TypeError, match="uint8"):
        floatresize.resize(np.zeros((4, 4, 3), np.float32), height=2, width=2)
    with pytest.raises(ArgumentError, match="scalar"):
        floatresize.resize(np.zeros((4, 4, 3), np.uint8), height=2, width=2, kernel="mmx")
    with pytest.raises(ArgumentError, match="image"):
        floatresize.resize(np.zeros((4, 4, 4), np.uint8), height=2, width=2)


def test_a_turned_picture_is_taken():
    image = np.random.default_rng(5).integers(0, 256, (40, 30, 3), dtype=np.uint8)
    got = floatresize.resize(np.rot90(image), height=28, width=28)
    np.testing.assert_array_equal(got, in_numpy(np.rot90(image), 28, 28))


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
