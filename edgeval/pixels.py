"""From decoded planes to what a vision tower eats: colour, antialiased resize, normalise, layout.

One pass over rows in C++ with the GIL released. ``exact`` is the arithmetic of the Hugging Face
processors (ATen's uint8 antialias kernel); ``fast`` states its error at ``resize``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from types import MappingProxyType
from typing import Final, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from edgeval import _core
from edgeval.errors import ArgumentError
from edgeval.types import ChromaSite, Picture

Resample = Literal["bilinear", "bicubic", "lanczos"]
Mode = Literal["exact", "fast"]
DType = Literal["float32", "float16"]
Triple: TypeAlias = tuple[float, float, float]
Size: TypeAlias = tuple[int, int]
Pixels: TypeAlias = NDArray[np.uint8] | NDArray[np.float32] | NDArray[np.float16]

MAX_SIDE = 65535
_PIX_FMT = re.compile(r"yuvj?(420|422|444)p(?:(\d+)le)?")
# (x, y) of the first chroma sample right of and below the first luma sample, in 1/256 of a step.
_SITES: Final = MappingProxyType[ChromaSite, Size](
    {
        "left": (0, 128),
        "center": (128, 128),
        "topleft": (0, 0),
        "top": (128, 0),
        "bottomleft": (0, 256),
        "bottom": (128, 256),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Patches:
    """Patches of a vision transformer: ``size`` pixels a side, ``merge`` x ``merge`` to a token.

    ``frames`` pictures go into one patch (Qwen2-VL: 14, 2, 2).
    """

    size: int = 14
    merge: int = 2
    frames: int = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """What to do with every picture of a clip.

    ``sizes``: (height, width) of each resize in turn, none to two, in pixels after rotation.
    ``norm``: (mean, std) per channel with white = 1, or None for uint8 RGB. ``patches``: the patch
    layout, or None for planes (needs ``norm``). ``kernel``: 'auto' or one of ``kernel_paths()``.
    """

    sizes: tuple[Size, ...] = ()
    resample: Resample = "bicubic"
    mode: Mode = "exact"
    norm: tuple[Triple, Triple] | None = None
    dtype: DType = "float32"
    patches: Patches | None = None
    kernel: str = "auto"

    def __post_init__(self) -> None:
        """Raise ArgumentError for senseless sizes and for patches that are not normalised."""
        if len(self.sizes) > 2:
            raise ArgumentError(f"recipe: got {len(self.sizes)} resizes; wants at most 2")
        if any(not 1 <= side <= MAX_SIDE for size in self.sizes for side in size):
            raise ArgumentError(
                f"recipe: got sizes {self.sizes}; wants 1..{MAX_SIDE} pixels a side"
            )
        if self.patches is not None and self.norm is None:
            raise ArgumentError("recipe: got patches without norm; wants mean and std as well")


def kernel_paths() -> tuple[str, ...]:
    """Kernels this machine runs, fastest first; all give the same bits."""
    return tuple(_core.pixels_paths())


def kernel_path() -> str:
    """The kernel that 'auto' runs here: avx512, avx2, neon or scalar."""
    return kernel_paths()[0]


def takes(
    pix_fmt: str,
    width: int,
    height: int,
    matrix: str,
    full_range: bool,  # noqa: FBT001 - the decoder's five facts, in the order it tells them
    *,
    interlaced: bool = False,
) -> bool:
    """Whether ``to_rgb`` of such planes equals FFmpeg's rgb24 bit for bit (x86, PyAV's flags).

    True for 4:2:0 and 4:2:2 of any size and 4:4:4 from two columns on, of 8 and 10 bits, in three
    matrices and both ranges; interlaced where the height is even, in 4:2:0 a multiple of four (else
    swscale reads below the chroma). Of the rest, let swscale make ``Picture.rgb``.
    """
    match = _PIX_FMT.fullmatch(pix_fmt)
    if match is None or matrix not in ("bt601", "bt709", "bt2020") or full_range not in (0, 1):
        return False
    return _core.pixels_takes(match[1], int(match[2] or 8), width, height, interlaced)


def mixes_chroma(pix_fmt: str, height: int, *, interlaced: bool = False) -> bool:
    """Whether pixels depend on ``Picture.site``: swscale's scaler makes such pictures.

    So it is for 4:2:0 and 4:2:2 of 10 bits, or where the picture's or its fields' height is odd.
    Raises ArgumentError for a format that ``takes`` refuses.
    """
    match = _PIX_FMT.fullmatch(pix_fmt)
    if match is None:
        raise ArgumentError(f"picture: got format {pix_fmt}; ask takes() first")
    return _core.pixels_mixes_chroma(match[1], int(match[2] or 8), height, interlaced)


def to_rgb(picture: Picture, *, kernel: str = "auto") -> NDArray[np.uint8]:
    """The picture as uint8 RGB [H, W, 3], rotation applied; PyAV's ``to_ndarray("rgb24")``.

    Raises ArgumentError for planes that ``takes`` refuses. Source: FFmpeg@n8.1 libswscale, the
    unscaled yuv2rgb of x86; yuv2rgb_full_1 for 4:4:4; yuv2rgb_1 after its chroma scaler elsewhere.
    """
    if picture.rgb is not None:
        rgb = np.ascontiguousarray(picture.rgb)
    else:
        rgb = np.empty((*_size(picture), 3), np.uint8)
        upright = replace(picture, rotation_deg=0)
        write(upright, Recipe(kernel=kernel), rgb[np.newaxis])
    return _rotate(rgb, picture.rotation_deg)


def resize(
    image: NDArray[np.uint8],
    *,
    height: int,
    width: int,
    resample: Resample,
    mode: Mode = "exact",
    kernel: str = "auto",
) -> NDArray[np.uint8]:
    """uint8 [H, W, 3] -> uint8 [height, width, 3], antialiased.

    ``exact``: bit-equal to torchvision v2 ``resize(antialias=True)`` on uint8. ``fast``: weights of
    7 bits (6 when enlarging); against exact at most 6 of 255 on real video, 0.3 on average, and at
    most 16 on black and white noise. Raises TypeError for another dtype, ArgumentError for another
    shape or a side outside 1..65535. Source: pytorch@v2.13 UpSampleKernel.cpp.
    """
    recipe = Recipe(sizes=((height, width),), resample=resample, mode=mode, kernel=kernel)
    out = np.empty((1, height, width, 3), np.uint8)
    write(image, recipe, out)
    return np.asarray(out[0])


def normalise(
    images: NDArray[np.uint8],
    *,
    mean: Triple,
    std: Triple,
    dtype: DType = "float32",
    patches: Patches | None = None,
    kernel: str = "auto",
) -> Pixels:
    """uint8 [T, H, W, 3] -> (float(u8) - mean * 255f) / (std * 255f), made in float32.

    Gives [T, 3, H, W], or with ``patches`` [ceil(T/frames) * H/size * W/size, 3 * frames * size *
    size], a missing last frame repeated. float16 is rounded from float32, to nearest even.
    Source: transformers@v5.23 rescale_and_normalize, and its qwen2_vl video processor.
    """
    if images.ndim != 4 or not len(images):
        raise ArgumentError(f"images: got shape {images.shape}; wants [T, H, W, 3] with T >= 1")
    recipe = Recipe(norm=(mean, std), dtype=dtype, patches=patches, kernel=kernel)
    n_frames, height, width = images.shape[:3]
    out = empty(recipe, n_frames=n_frames, height=height, width=width)
    for index in range(padded(recipe, n_frames)):
        write(images[min(index, n_frames - 1)], recipe, out, index=index)
    return out


def see(picture: Picture, recipe: Recipe) -> Pixels:
    """One picture through the whole recipe in one pass; thread-safe, GIL released.

    Gives uint8 [h, w, 3], normalised [3, h, w], or patches with the picture in every frame slot.
    Raises ArgumentError where planes are not taken or sizes do not fit.
    """
    n_frames = padded(recipe, 1)
    height, width = recipe.sizes[-1] if recipe.sizes else _size(picture, turned=True)
    out = empty(recipe, n_frames=n_frames, height=height, width=width)
    for index in range(n_frames):
        write(picture, recipe, out, index=index)
    return out if recipe.patches else out[0]


def padded(recipe: Recipe, n_frames: int) -> int:
    """How many pictures to write for n_frames: the next multiple of ``patches.frames``."""
    frames = recipe.patches.frames if recipe.patches else 1
    return -(-n_frames // frames) * frames


def empty(recipe: Recipe, *, n_frames: int, height: int, width: int) -> Pixels:
    """An array for ``write``: n_frames pictures of height x width as the recipe lays them.

    uint8 [T, h, w, 3], normalised [T, 3, h, w], or patches [ceil(T/frames) * h/size * w/size,
    3 * frames * size * size]. Uninitialised: write all ``padded(recipe, n_frames)`` pictures.
    """
    if recipe.norm is None:
        return np.empty((n_frames, height, width, 3), np.uint8)
    dtype = np.float16 if recipe.dtype == "float16" else np.float32
    if recipe.patches is None:
        return np.empty((n_frames, 3, height, width), dtype)
    size, frames = recipe.patches.size, recipe.patches.frames
    rows = padded(recipe, n_frames) // frames * (height // size) * (width // size)
    return np.empty((rows, 3 * frames * size * size), dtype)


def write(
    source: Picture | NDArray[np.uint8], recipe: Recipe, out: Pixels, *, index: int = 0
) -> str:
    """Put a picture (or uint8 [H, W, 3]) into place ``index`` of an array made by ``empty``.

    Threads may write to different places of one array. Gives the name of the kernel that ran.
    """
    if isinstance(source, Picture) and (source.rotation_deg or source.planes is None):
        source = to_rgb(source, kernel=recipe.kernel)
    size = _size(source)
    steps = _plan(size, recipe)
    height, width = recipe.sizes[-1] if recipe.sizes else size
    target = _target(recipe, (height, width))
    slot = 0
    if recipe.patches:
        rows = (height // recipe.patches.size) * (width // recipe.patches.size)
        group, slot = divmod(index, recipe.patches.frames)
        part = out[group * rows : (group + 1) * rows]
    else:
        part = out[index]
    if not isinstance(source, Picture):
        return _core.pixels_rgb(source, steps, target, part, slot, recipe.kernel)
    if source.planes is None:
        raise ArgumentError("picture: got neither planes nor rgb; wants one of them")
    colour = (source.matrix, source.full_range)
    depth, site = source.bit_depth, (*_SITES[source.site], source.interlaced)
    return _core.pixels_yuv(
        source.planes, depth, colour, site, steps, target, part, slot, recipe.kernel
    )


def _size(source: Picture | NDArray[np.uint8], *, turned: bool = False) -> Size:
    if not isinstance(source, Picture):
        return source.shape[0], source.shape[1]
    plane = source.rgb if source.planes is None else source.planes[0]
    if plane is None:
        raise ArgumentError("picture: got neither planes nor rgb; wants one of them")
    height, width = plane.shape[:2]
    return (width, height) if turned and source.rotation_deg % 180 else (height, width)


def _rotate(rgb: NDArray[np.uint8], clockwise_deg: int) -> NDArray[np.uint8]:
    if clockwise_deg % 90:
        raise ArgumentError(f"picture: got rotation_deg={clockwise_deg}; wants a multiple of 90")
    turns = clockwise_deg // 90 % 4
    return np.ascontiguousarray(np.rot90(rgb, -turns)) if turns else rgb


@lru_cache(maxsize=8)
def _plan(size: Size, recipe: Recipe) -> list[_core.PixelResize]:
    """The resizes of a recipe for pictures of one size: weights are made once, not per picture."""
    steps = []
    for target in recipe.sizes:
        steps.append(_core.PixelResize(size, target, recipe.resample, recipe.mode, recipe.kernel))
        size = target
    return steps


@lru_cache(maxsize=8)
def _target(recipe: Recipe, size: Size) -> _core.PixelTarget:
    layout = "rgb" if recipe.norm is None else "patches" if recipe.patches else "chw"
    mean, std = recipe.norm or ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
    grid = recipe.patches or Patches()
    dtype = "uint8" if recipe.norm is None else recipe.dtype
    return _core.PixelTarget(layout, dtype, size, mean, std, (grid.size, grid.merge, grid.frames))
