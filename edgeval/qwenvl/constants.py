"""The numbers of a Qwen-VL checkpoint, from its own configuration files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from edgeval import mrope
from edgeval.errors import ManifestError
from edgeval.modelfolder import Manifest, numbers
from edgeval.modelfolder.manifest import check_keys

BICUBIC = 3
POSITIONS = "positions"
# Pixels of a patch, patches of a token, frames of a patch.
MOST_SIDE = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Constants:
    """``patch`` in pixels, ``merge`` patches a side to a token, ``frames`` to a patch.

    ``mean`` and ``std`` of pixels in 0..1. ``least`` and ``most`` pixels as the video processor
    bounds them, ``image_least`` and ``image_most`` the image processor. ``fps``, ``min_frames``,
    ``max_frames``: sampling; ``max_tokens``: of a video, as the processor's cap counts them.
    ``rate``: positions a second, None where frames are counted. ``positions``: M-RoPE's semantics.
    """

    patch: int
    merge: int
    frames: int
    mean: numbers.Triple
    std: numbers.Triple
    least: int
    most: int
    image_least: int
    image_most: int
    fps: float | None
    min_frames: int
    max_frames: int
    max_tokens: int
    capped: bool
    rate: int | None
    positions: str

    @property
    def factor(self) -> int:
        """Pixels a side to a token."""
        return self.patch * self.merge


def constants(manifest: Manifest) -> Constants:
    """As transformers finds them.

    processor_config.json's video_processor, else video_preprocessor_config.json, else
    preprocessor_config.json. Raises ManifestError for what is missing or senseless.
    """
    where = str(manifest.folder)
    check_keys(manifest.video, (POSITIONS,), f"{where} [video]")
    processor = manifest.read("processor")
    image = _table(processor.get("image_processor")) or manifest.read("preprocessor")
    video = _table(processor.get("video_processor")) or manifest.read("video_preprocessor") or image
    if not video:
        raise ManifestError(
            f"{where}: no processor_config.json, video_preprocessor_config.json or "
            "preprocessor_config.json; wants the patches and budgets of the checkpoint"
        )
    _check_switches(video, where)
    vision = _table(manifest.read("config").get("vision_config"))
    least, most = _edges(video, where)
    image_least, image_most = _edges(image or video, where)
    rate = numbers.number(vision.get("tokens_per_second"))
    fps = numbers.number(video.get("fps"))
    frames = numbers.MOST_FRAMES
    return Constants(
        patch=numbers.whole(video, "patch_size", where, most=MOST_SIDE),
        merge=numbers.whole(video, "merge_size", where, most=MOST_SIDE),
        frames=numbers.whole(video, "temporal_patch_size", where, most=MOST_SIDE),
        mean=numbers.triple(video, "image_mean", where),
        std=numbers.spread(video, "image_std", where),
        least=least,
        most=most,
        image_least=image_least,
        image_most=image_most,
        fps=fps if fps is not None and fps > 0 else None,
        min_frames=numbers.whole({"min_frames": 4, **video}, "min_frames", where, most=frames),
        max_frames=numbers.whole({"max_frames": 768, **video}, "max_frames", where, most=frames),
        max_tokens=numbers.whole({"max_video_tokens": 128000, **video}, "max_video_tokens", where),
        capped=video.get("cap_pixels_per_frame") is True,
        rate=None if rate is None else int(rate),
        positions=mrope.check(str(manifest.video.get(POSITIONS, mrope.V5))),
    )


def _check_switches(video: Mapping[str, object], where: str) -> None:
    for switch in ("do_resize", "do_rescale", "do_normalize"):
        if video.get(switch, True) is not True:
            raise ManifestError(f"{where}: got {switch} = false; only true is known here")
    numbers.check_rescale(video, where)
    if video.get("resample", BICUBIC) != BICUBIC:
        raise ManifestError(f"{where}: got resample {video['resample']}; wants 3 (bicubic)")


def _edges(table: Mapping[str, object], where: str) -> tuple[int, int]:
    """Least and most pixels: ``size``, which older files call min_pixels and max_pixels."""
    size = {**_table(table.get("size"))}
    for new, old in (("shortest_edge", "min_pixels"), ("longest_edge", "max_pixels")):
        if isinstance(table.get(old), int):
            size[new] = table[old]
    # A picture is enlarged to the least, so that is what could fill a memory.
    least = numbers.whole(size, "shortest_edge", where, most=numbers.MOST_PIXELS)
    most = numbers.whole(size, "longest_edge", where)
    if most < least:
        raise ManifestError(f"{where}: got at least {least} pixels and at most {most}")
    return least, most


def _table(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}
