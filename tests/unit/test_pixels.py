"""Colour, resize, normalise, layout: against FFmpeg through PyAV and against plain numpy."""

from __future__ import annotations

import itertools
import math
import threading
from pathlib import Path

import av
import numpy as np
import pytest

from edgeval import pixels
from edgeval.errors import ArgumentError
from edgeval.types import Picture

CLIP_MEAN = (0.48145466, 0.4578275, 0.40821073)
CLIP_STD = (0.26862954, 0.26130258, 0.27577711)
COLORSPACE = {"bt601": 5, "bt709": 1, "bt2020": 9}
MATRIX = {1: "bt709", 2: "bt601", 5: "bt601", 6: "bt601", 9: "bt2020", 10: "bt2020"}
FORMATS = ("yuv420p", "yuv422p", "yuv444p", "yuv420p10le", "yuv422p10le", "yuv444p10le")
FILTERS = ("bilinear", "bicubic", "lanczos")
KERNELS = pixels.kernel_paths()


def noise(*shape: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng([seed, *shape])
    image = rng.integers(0, 256, shape, dtype=np.uint8)
    # Half of it black and white: sums then reach the clamps.
    return np.where(rng.random(shape) < 0.5, image, np.where(image < 128, 0, 255)).astype(np.uint8)


def picture_of(frame: av.VideoFrame) -> Picture:
    depth = 10 if frame.format.name.endswith("10le") else 8
    planes = []
    for plane in frame.planes:
        rows = np.frombuffer(plane, np.uint16 if depth > 8 else np.uint8)
        rows = rows.reshape(plane.height, -1)
        planes.append(rows[:, : plane.width])
    return Picture(
        planes=tuple(planes),
        rgb=None,
        bit_depth=depth,
        matrix=MATRIX[frame.colorspace],
        full_range=frame.color_range == 2,
    )


def synthetic(pix_fmt: str, width: int, height: int, matrix: str, *, full: bool) -> av.VideoFrame:
    frame = av.VideoFrame(width, height, pix_fmt)
    for i, plane in enumerate(frame.planes):
        rows = noise(plane.height, plane.line_size, seed=i)
        if pix_fmt.endswith("10le"):
            rows[:, 1::2] &= 3
        plane.update(rows.tobytes())
    frame.colorspace = COLORSPACE[matrix]
    frame.color_range = 2 if full else 1
    return frame


def claimed(frame: av.VideoFrame) -> bool:
    matrix = MATRIX.get(frame.colorspace, "other")
    full = frame.color_range == 2
    name, height = frame.format.name, frame.height
    if not pixels.takes(name, frame.width, height, matrix, full) or frame.interlaced_frame:
        return False
    # Where chroma lies is not for a frame alone to tell: see media/test_picture.py.
    return not pixels.mixes_chroma(name, height)


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("pix_fmt", FORMATS)
@pytest.mark.parametrize("matrix", COLORSPACE)
@pytest.mark.parametrize("full", [False, True])
def test_rgb_equals_pyav_on_synthetic_frames(pix_fmt, matrix, full, kernel):
    for width, height in ((1, 2), (2, 2), (34, 4), (67, 6), (318, 10), (20, 1080), (130, 9)):
        if not pixels.takes(pix_fmt, width, height, matrix, full):
            continue
        frame = synthetic(pix_fmt, width, height, matrix, full=full)
        rgb = pixels.to_rgb(picture_of(frame), kernel=kernel)
        np.testing.assert_array_equal(rgb, frame.to_ndarray(format="rgb24"))


@pytest.mark.parametrize("folder", ["real", "coded"])
def test_rgb_equals_pyav_on_real_frames(shared: Path, folder: str):
    taken = 0
    for path in sorted((shared / "videos" / folder).iterdir()):
        try:
            with av.open(str(path)) as container:
                for frame in itertools.islice(container.decode(video=0), 0, 12, 5):
                    if not claimed(frame):
                        continue
                    rgb = frame.to_ndarray(format="rgb24")
                    np.testing.assert_array_equal(pixels.to_rgb(picture_of(frame)), rgb, path.name)
                    taken += 1
        except (av.error.InvalidDataError, IndexError):
            continue  # the bad files of that folder
    assert taken >= 45


def test_every_claim_holds():
    sizes = [(w, h) for w in (1, 2, 5, 16, 33) for h in (1, 2, 3, 6)]
    formats = ("yuv420p", "yuvj420p", "yuv422p", "yuv444p", "yuvj444p")
    formats += ("yuv420p10le", "yuv422p10le", "yuv444p10le", "yuv444p12le", "nv12", "gray")
    held = 0
    for pix_fmt, (width, height) in itertools.product(formats, sizes):
        full = pix_fmt.startswith("yuvj")
        if pixels.takes(pix_fmt, width, height, "bt601", full):
            frame = synthetic(pix_fmt, width, height, "bt601", full=full)
            rgb = pixels.to_rgb(picture_of(frame))
            np.testing.assert_array_equal(rgb, frame.to_ndarray(format="rgb24"))
            held += 1
    assert held >= 148


@pytest.mark.parametrize("pix_fmt", ["yuv420p12le", "yuv420p9le", "yuv444p12le", "nv12", "rgb24"])
def test_other_depths_and_what_is_no_planar_yuv_are_not_claimed(pix_fmt):
    assert not pixels.takes(pix_fmt, 320, 192, "bt709", full_range=False)


@pytest.mark.parametrize(
    ("pix_fmt", "height", "taken"),
    [("yuv420p", 1080, True), ("yuv420p", 1082, False), ("yuv422p", 1082, True),
     ("yuv422p", 1081, False), ("yuv444p", 1082, True)],
)  # fmt: skip
def test_fields_are_claimed_where_both_have_all_their_chroma(pix_fmt, height, taken):
    got = pixels.takes(pix_fmt, 320, height, "bt709", full_range=False, interlaced=True)
    assert got is taken


def test_whether_a_format_without_planes_mixes_chroma_is_not_asked():
    with pytest.raises(ArgumentError, match="takes"):
        pixels.mixes_chroma("nv12", 192)


def test_unknown_matrices_are_not_claimed():
    assert not pixels.takes("yuv420p", 320, 192, "smpte240m", full_range=False)


@pytest.mark.parametrize("turn", [0, 90, 180, 270, -90])
def test_rotation_is_clockwise(turn):
    frame = synthetic("yuv420p", 6, 4, "bt709", full=False)
    upright = picture_of(frame)
    turned = Picture(planes=upright.planes, rgb=None, matrix="bt709", rotation_deg=turn)
    expected = np.rot90(frame.to_ndarray(format="rgb24"), -turn // 90)
    np.testing.assert_array_equal(pixels.to_rgb(turned), expected)


def reference_axis(image: np.ndarray, n_out: int, resample: str) -> np.ndarray:
    """ATen's uint8 antialias arithmetic over the last axis, in plain numpy."""
    n_in = image.shape[-1]
    if n_in == n_out:
        return image
    support, kernel = {
        "bilinear": (1.0, lambda x: max(0.0, 1 - x)),
        "bicubic": (2.0, cubic),
        "lanczos": (3.0, lanczos),
    }[resample]
    scale = n_in / n_out
    reach, inverse = support * max(scale, 1.0), 1.0 / scale if scale >= 1.0 else 1.0
    windows = []
    for i in range(n_out):
        center = scale * (i + 0.5)
        first, last = max(int(center - reach + 0.5), 0), min(int(center + reach + 0.5), n_in)
        weights = [kernel(abs((j - center + 0.5) * inverse)) for j in range(first, last)]
        windows.append((first, np.array(weights) / sum(weights)))
    largest, bits = max(w.max() for _, w in windows), 0
    while bits < 22 and int(0.5 + largest * (1 << (bits + 1))) < 1 << 15:
        bits += 1
    out = np.empty((*image.shape[:-1], n_out), np.uint8)
    for i, (first, w) in enumerate(windows):
        q = np.trunc(w * (1 << bits) + np.where(w < 0, -0.5, 0.5)).astype(np.int64)
        total = image[..., first : first + len(q)].astype(np.int64) @ q + (1 << (bits - 1))
        out[..., i] = np.clip(total >> bits, 0, 255)
    return out


def cubic(x: float) -> float:
    if x < 1:
        return (1.5 * x - 2.5) * x * x + 1
    return (((x - 5) * x + 8) * x - 4) * -0.5 if x < 2 else 0.0


def lanczos(x: float) -> float:
    def sinc(t: float) -> float:
        return math.sin(math.pi * t) / (math.pi * t) if t else 1.0

    return sinc(x) * sinc(x / 3) if x < 3 else 0.0


def reference_resize(image: np.ndarray, height: int, width: int, resample: str) -> np.ndarray:
    planes = reference_axis(image.transpose(2, 0, 1), width, resample)
    planes = reference_axis(planes.swapaxes(1, 2), height, resample)
    return planes.transpose(2, 1, 0)


SIZES = [
    ((40, 60), (23, 31)),
    ((31, 17), (64, 64)),
    ((9, 200), (9, 11)),
    ((200, 9), (3, 9)),
    ((1, 1), (5, 7)),
    ((90, 161), (1, 1)),
    ((72, 128), (36, 65)),
    ((5, 301), (7, 41)),
]


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("resample", FILTERS)
@pytest.mark.parametrize(("source", "target"), SIZES)
def test_exact_resize_is_atens_arithmetic(source, target, resample, kernel):
    image = noise(*source, 3)
    height, width = target
    got = pixels.resize(image, height=height, width=width, resample=resample, kernel=kernel)
    np.testing.assert_array_equal(got, reference_resize(image, height, width, resample))


@pytest.mark.parametrize("mode", ["exact", "fast"])
@pytest.mark.parametrize("resample", FILTERS)
def test_a_constant_image_stays_constant(resample, mode):
    for value, (height, width) in itertools.product((0, 1, 100, 254, 255), ((7, 50), (99, 13))):
        image = np.full((33, 47, 3), value, np.uint8)
        out = pixels.resize(image, height=height, width=width, resample=resample, mode=mode)
        assert np.unique(out).tolist() == [value]


def difference(image: np.ndarray, scale: float, resample: str) -> np.ndarray:
    size = {"height": int(image.shape[0] * scale) + 1, "width": int(image.shape[1] * scale) + 1}
    exact = pixels.resize(image, resample=resample, **size)
    fast = pixels.resize(image, resample=resample, mode="fast", **size)
    return np.abs(exact.astype(np.int16) - fast)


@pytest.mark.parametrize("resample", FILTERS)
def test_fast_is_within_6_of_exact_on_real_video(shared: Path, resample: str):
    for name in ("moviepy_big_buck_bunny_0_30.webm", "malmm_video.mp4", "pllava_cooking.mp4"):
        with av.open(str(shared / "videos" / "real" / name)) as container:
            frame = next(container.decode(video=0)).to_ndarray(format="rgb24")
        for scale in (0.22, 0.5, 0.8, 1.3):
            error = difference(np.ascontiguousarray(frame), scale, resample)
            assert error.max() <= 6
            assert error.mean() <= 0.3


@pytest.mark.parametrize("resample", FILTERS)
def test_fast_is_within_16_of_exact_on_noise(resample):
    image = np.where(noise(180, 320, 3) < 128, 0, 255).astype(np.uint8)
    for scale in (0.1, 0.22, 0.31, 0.5, 0.67, 0.97, 1.3, 2.0):
        assert difference(image, scale, resample).max() <= 16


def test_fast_is_not_exact():
    assert difference(noise(90, 90, 3), 0.4, "bicubic").max() > 0


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("resample", FILTERS)
@pytest.mark.parametrize(("source", "target"), SIZES)
def test_fast_resize_is_the_same_on_every_kernel(source, target, resample, kernel):
    recipe = {"height": target[0], "width": target[1], "resample": resample, "mode": "fast"}
    image = noise(*source, 3)
    expected = pixels.resize(image, kernel="scalar", **recipe)
    np.testing.assert_array_equal(pixels.resize(image, kernel=kernel, **recipe), expected)


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_normalise_is_float32_arithmetic(dtype, kernel):
    images = np.arange(256, dtype=np.uint8).repeat(3).reshape(1, 16, 16, 3)
    got = pixels.normalise(images, mean=CLIP_MEAN, std=CLIP_STD, dtype=dtype, kernel=kernel)
    mean, std = (np.array(x, np.float32) * np.float32(255) for x in (CLIP_MEAN, CLIP_STD))
    expected = ((images.astype(np.float32) - mean) / std).transpose(0, 3, 1, 2)
    np.testing.assert_array_equal(got, expected.astype(dtype))


def test_float16_rounds_as_numpy_does():
    images = np.arange(256, dtype=np.uint8).repeat(3).reshape(1, 16, 16, 3)
    for kernel, std in itertools.product(KERNELS, (1e-6, 1e-3, 1.0, 60.0, 3e4, 1e6)):
        norm = {"mean": (0.5, 0.25, 0.0), "std": (std, std, std), "kernel": kernel}
        half = pixels.normalise(images, dtype="float16", **norm)
        with np.errstate(over="ignore"):
            expected = pixels.normalise(images, **norm).astype(np.float16)
        np.testing.assert_array_equal(half, expected)


@pytest.mark.parametrize("dtype", ["float32", "float16"])
@pytest.mark.parametrize("n_frames", [1, 2, 3])
def test_patches_are_qwens_view_and_permute(n_frames, dtype):
    images = noise(n_frames, 56, 84, 3)
    norm = {"mean": CLIP_MEAN, "std": CLIP_STD, "dtype": dtype}
    planes = pixels.normalise(images, **norm)
    if n_frames % 2:
        planes = np.concatenate([planes, planes[-1:]])
    view = planes.reshape(-1, 2, 3, 2, 2, 14, 3, 2, 14).transpose(0, 3, 6, 4, 7, 2, 1, 5, 8)
    got = pixels.normalise(images, patches=pixels.Patches(), **norm)
    np.testing.assert_array_equal(got, view.reshape(-1, 3 * 2 * 14 * 14))


@pytest.mark.parametrize("kernel", KERNELS)
def test_see_is_its_parts_in_turn(kernel):
    frame = synthetic("yuv420p", 150, 98, "bt709", full=False)
    recipe = pixels.Recipe(
        sizes=((48, 72), (64, 64)), resample="lanczos", norm=(CLIP_MEAN, CLIP_STD), kernel=kernel
    )
    image = np.ascontiguousarray(frame.to_ndarray(format="rgb24"))
    for height, width in recipe.sizes:
        image = pixels.resize(image, height=height, width=width, resample="lanczos")
    expected = pixels.normalise(image[np.newaxis], mean=CLIP_MEAN, std=CLIP_STD)[0]
    np.testing.assert_array_equal(pixels.see(picture_of(frame), recipe), expected)


def test_see_turns_before_it_resizes():
    upright = picture_of(synthetic("yuv420p", 40, 24, "bt601", full=False))
    turned = Picture(planes=upright.planes, rgb=None, rotation_deg=90)
    recipe = pixels.Recipe(sizes=((20, 12),))
    expected = pixels.resize(pixels.to_rgb(turned), height=20, width=12, resample="bicubic")
    np.testing.assert_array_equal(pixels.see(turned, recipe), expected)


def test_see_takes_rgb_pictures():
    rgb = noise(30, 20, 3)
    seen = pixels.see(Picture(planes=None, rgb=rgb, rotation_deg=270), pixels.Recipe())
    np.testing.assert_array_equal(seen, np.rot90(rgb))


def test_threads_fill_one_array():
    images = noise(5, 28, 28, 3)
    recipe = pixels.Recipe(norm=(CLIP_MEAN, CLIP_STD), patches=pixels.Patches())
    out = pixels.empty(recipe, n_frames=5, height=28, width=28)
    jobs = [
        threading.Thread(
            target=pixels.write, args=(images[min(i, 4)], recipe, out), kwargs={"index": i}
        )
        for i in range(pixels.padded(recipe, 5))
    ]
    for job in jobs:
        job.start()
    for job in jobs:
        job.join()
    expected = pixels.normalise(images, mean=CLIP_MEAN, std=CLIP_STD, patches=pixels.Patches())
    np.testing.assert_array_equal(out, expected)


@pytest.mark.parametrize("kernel", KERNELS)
def test_the_kernel_asked_for_is_the_one_that_ran(kernel):
    out = np.empty((1, 4, 4, 3), np.uint8)
    assert pixels.write(noise(4, 4, 3), pixels.Recipe(kernel=kernel), out) == kernel


def test_auto_runs_the_fastest_kernel():
    out = np.empty((1, 4, 4, 3), np.uint8)
    assert pixels.write(noise(4, 4, 3), pixels.Recipe(), out) == pixels.kernel_path()


def test_other_threads_run_during_a_resize():
    ticks, done = 0, threading.Event()

    def count() -> None:
        nonlocal ticks
        while not done.is_set():
            ticks += 1

    image = noise(1500, 2000, 3)
    counter = threading.Thread(target=count)
    counter.start()
    before = ticks
    pixels.resize(image, height=700, width=1000, resample="lanczos", kernel="scalar")
    seen = ticks - before
    done.set()
    counter.join()
    # With the GIL held all through, the counter gets no turn inside the call.
    assert seen > 1000


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        ({"image": np.zeros((4, 4, 3), np.float32)}, TypeError, "uint8"),
        ({"image": np.zeros((4, 4), np.uint8)}, ArgumentError, "wants shape"),
        ({"image": np.zeros((0, 4, 3), np.uint8)}, ArgumentError, "input side of 0"),
        ({"image": np.zeros((4, 8, 3), np.uint8)[:, ::2]}, ArgumentError, "C-contiguous"),
        ({"height": 0}, ArgumentError, "pixels a side"),
        ({"width": 70000}, ArgumentError, "pixels a side"),
        ({"resample": "nearest"}, ArgumentError, "bilinear"),
        ({"mode": "exakt"}, ArgumentError, "exact, fast"),
        ({"kernel": "mmx"}, ArgumentError, "scalar"),
    ],
)
def test_resize_refuses(call, error, words):
    arguments = {
        "image": np.zeros((4, 4, 3), np.uint8),
        "height": 2,
        "width": 2,
        "resample": "bicubic",
    }
    with pytest.raises(error, match=words):
        pixels.resize(**(arguments | call))


@pytest.mark.parametrize(
    ("fields", "error", "words"),
    [
        ({"planes": None}, ArgumentError, "neither planes nor rgb"),
        ({"rotation_deg": 45}, ArgumentError, "multiple of 90"),
        ({"bit_depth": 10}, TypeError, "uint16"),
        ({"matrix": "bt470"}, ArgumentError, "bt709"),
        ({"planes": (np.zeros((4, 4), np.uint8),) * 2 + (np.zeros((1, 4), np.uint8),)},
         ArgumentError, "4:2:0"),
        ({"planes": (np.zeros((6, 4), np.uint8), *(np.zeros((3, 2), np.uint8),) * 2),
          "interlaced": True}, ArgumentError, "takes"),
    ],
)  # fmt: skip
def test_to_rgb_refuses(fields, error, words):
    chroma = np.zeros((2, 2), np.uint8)
    good = {"planes": (np.zeros((4, 4), np.uint8), chroma, chroma), "rgb": None}
    with pytest.raises(error, match=words):
        pixels.to_rgb(Picture(**(good | fields)))


@pytest.mark.parametrize(
    ("recipe", "words"),
    [
        ({"norm": (CLIP_MEAN, (0.0, 1.0, 1.0))}, "std > 0"),
        ({"norm": (CLIP_MEAN, CLIP_STD), "patches": pixels.Patches(size=3)}, "multiples of 6"),
        ({"patches": pixels.Patches()}, "without norm"),
        ({"sizes": ((4, 4),) * 3}, "at most 2"),
        ({"sizes": ((4, -1),)}, "pixels a side"),
    ],
)
def test_senseless_recipes_are_refused(recipe, words):
    with pytest.raises(ArgumentError, match=words):
        pixels.see(Picture(planes=None, rgb=noise(8, 8, 3)), pixels.Recipe(**recipe))


def test_write_refuses_an_array_of_another_recipe():
    with pytest.raises(ArgumentError, match="48 elements"):
        pixels.write(noise(4, 4, 3), pixels.Recipe(), np.empty((1, 5, 4, 3), np.uint8))
