"""The numbers of a SmolVLM checkpoint: from its manifest or its processor files, not from code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeGuard, get_args

from edgeval.errors import ManifestError
from edgeval.modelfolder import Manifest, numbers
from edgeval.modelfolder.manifest import check_keys

Resample = Literal["bilinear", "bicubic", "lanczos"]
# Pillow's numbers, which processor configs use.
RESAMPLE: Mapping[int, Resample] = {1: "lanczos", 2: "bilinear", 3: "bicubic"}
IMAGE_KEYS = ("longest_edge", "square", "resample", "mean", "std", "tokens")
VIDEO_KEYS = ("fps", "max_frames")


@dataclass(frozen=True, slots=True, kw_only=True)
class Constants:
    """``longest_edge`` and ``square`` in pixels, ``mean`` and ``std`` of pixels in 0..1.

    ``tokens`` a frame.

    ``fps`` in frames/s, ``max_frames`` None when the checkpoint has no rule for videos.
    """

    longest_edge: int
    square: int
    resample: Resample
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    tokens: int
    fps: float | None = None
    max_frames: int | None = None


def constants(manifest: Manifest) -> Constants:
    """From the manifest's [image] and [video] when it has them.

    Else from the checkpoint's processor files.
    """
    if manifest.image:
        check_keys(manifest.image, IMAGE_KEYS, f"{manifest.folder} [image]")
        check_keys(manifest.video, VIDEO_KEYS, f"{manifest.folder} [video]")
        table = {**manifest.image, **manifest.video}
    else:
        table = from_checkpoint(manifest)
    where = str(manifest.folder)
    resample = table.get("resample")
    if not _is_resample(resample):
        raise ManifestError(
            f"{where}: got resample {resample!r}; wants {', '.join(get_args(Resample))}"
        )
    return Constants(
        longest_edge=numbers.whole(table, "longest_edge", where, most=numbers.MOST_EDGE),
        square=numbers.whole(table, "square", where, most=numbers.MOST_EDGE),
        resample=resample,
        mean=numbers.triple(table, "mean", where),
        std=numbers.spread(table, "std", where),
        tokens=numbers.whole(table, "tokens", where, most=numbers.MOST_TOKENS),
        fps=None if table.get("fps") is None else numbers.positive(table, "fps", where),
        max_frames=None
        if table.get("max_frames") is None
        else numbers.whole(table, "max_frames", where, most=numbers.MOST_FRAMES),
    )


def from_checkpoint(manifest: Manifest) -> dict[str, object]:
    """The constants as the checkpoint's processor files say them.

    Order of files as transformers looks: processor_config.json's video_processor,
    video_preprocessor_config.json, preprocessor_config.json. ``size`` wins over video_sampling's
    video_size, as in SmolVLMVideoProcessor.__init__.
    """
    processor = manifest.read("processor")
    video = (
        _object(processor.get("video_processor"))
        or manifest.read("video_preprocessor")
        or manifest.read("preprocessor")
    )
    if not video:
        raise ManifestError(
            f"{manifest.folder}: no processor_config.json, video_preprocessor_config.json or "
            "preprocessor_config.json; wants the sizes and the video sampling of the checkpoint"
        )
    for switch in ("do_resize", "do_rescale", "do_normalize"):
        if video.get(switch, True) is not True:
            raise ManifestError(f"{manifest.folder}: got {switch} = false; only true is known here")
    numbers.check_rescale(video, str(manifest.folder))
    sampling = _object(video.get("video_sampling"))
    size = _object(video.get("size")) or _object(sampling.get("video_size"))
    number = video.get("resample", 1)
    return {
        "longest_edge": size.get("longest_edge"),
        "square": _object(video.get("max_image_size")).get("longest_edge"),
        "resample": RESAMPLE.get(number if isinstance(number, int) else -1, number),
        "mean": video.get("image_mean"),
        "std": video.get("image_std"),
        "tokens": processor.get("image_seq_len") or _tokens_of(manifest.read("config")),
        "fps": sampling.get("fps", video.get("fps")),
        "max_frames": sampling.get("max_frames", video.get("num_frames")),
    }


def _tokens_of(config: Mapping[str, object]) -> int | None:
    vision = _object(config.get("vision_config"))
    size, patch, scale = (
        vision.get("image_size"),
        vision.get("patch_size"),
        config.get("scale_factor"),
    )
    if not (isinstance(size, int) and isinstance(patch, int) and isinstance(scale, int)):
        return None
    return (size // patch) ** 2 // scale**2


def _object(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def _is_resample(value: object) -> TypeGuard[Resample]:
    return value in get_args(Resample)
