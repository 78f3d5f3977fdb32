"""Frames of one fixed size: the numbers of a checkpoint that has such, its pixels, its feeds.

What LLaVA-OneVision and InternVL share. Source: transformers 5.23.0, BaseVideoProcessor in
video_processing_utils.py with ``size = {height, width}``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from edgeval import pixels
from edgeval.errors import ManifestError
from edgeval.modelfolder import Manifest, numbers
from edgeval.modelfolder.manifest import check_keys
from edgeval.processor import Feeds
from edgeval.types import Picture

# Pillow's numbers, which processor configs use.
RESAMPLE: Mapping[object, pixels.Resample] = {1: "lanczos", 2: "bilinear", 3: "bicubic"}
IMAGE_KEYS = ("height", "width", "resample", "mean", "std", "tokens")
VIDEO_KEYS = ("n_frames",)
# Pixels a bite: attention of one bite stays near 400 MB at 16 heads of 1025 patches.
BITE_PIXELS = 5 * 448 * 448


@dataclass(frozen=True, slots=True, kw_only=True)
class FixedFrame:
    """``height`` x ``width`` in pixels, ``mean`` and ``std`` of pixels in 0..1.

    ``tokens`` a frame; ``n_frames`` a video, None where the checkpoint does not say.
    """

    height: int
    width: int
    resample: pixels.Resample
    mean: pixels.Triple
    std: pixels.Triple
    tokens: int
    n_frames: int | None = None

    def shrink(self, picture: Picture) -> NDArray[np.uint8]:
        """Straight to the size, whatever the aspect."""
        recipe = pixels.Recipe(sizes=((self.height, self.width),), resample=self.resample)
        return np.asarray(pixels.see(picture, recipe), np.uint8)

    def feeds(self, images: Sequence[NDArray[np.generic]]) -> Iterator[Feeds]:
        """pixel_values float32 [n, 3, height, width], some frames a bite."""
        bite = max(1, BITE_PIXELS // (self.height * self.width))
        for start in range(0, len(images), bite):
            some = [np.asarray(image, np.uint8) for image in images[start : start + bite]]
            yield {"pixel_values": pixels.normalise(np.stack(some), mean=self.mean, std=self.std)}

    def card(self) -> Mapping[str, object]:
        """The constants."""
        return asdict(self)


def fixed_frame(manifest: Manifest, found: Mapping[str, object]) -> FixedFrame:
    """From the manifest's [image] and [video] when it has them, else from ``found``.

    ManifestError names the constant that is missing or senseless.
    """
    where = str(manifest.folder)
    table = found
    if manifest.image:
        check_keys(manifest.image, IMAGE_KEYS, f"{where} [image]")
        check_keys(manifest.video, VIDEO_KEYS, f"{where} [video]")
        table = {**manifest.image, **manifest.video}
    resample = table.get("resample")
    if resample not in ("bilinear", "bicubic", "lanczos"):
        raise ManifestError(f"{where}: got resample {resample!r}; wants bilinear, bicubic, lanczos")
    return FixedFrame(
        height=numbers.whole(table, "height", where, most=numbers.MOST_EDGE),
        width=numbers.whole(table, "width", where, most=numbers.MOST_EDGE),
        resample=resample,
        mean=numbers.triple(table, "mean", where),
        std=numbers.spread(table, "std", where),
        tokens=numbers.whole(table, "tokens", where, most=numbers.MOST_TOKENS),
        n_frames=None
        if table.get("n_frames") is None
        else numbers.whole(table, "n_frames", where, most=numbers.MOST_FRAMES),
    )


def from_checkpoint(manifest: Manifest) -> dict[str, object]:
    """All but ``tokens`` as the checkpoint's processor files say it.

    Order of files as transformers looks: processor_config.json's video_processor,
    video_preprocessor_config.json, preprocessor_config.json.
    """
    video = (
        as_object(manifest.read("processor").get("video_processor"))
        or manifest.read("video_preprocessor")
        or manifest.read("preprocessor")
    )
    where = str(manifest.folder)
    if not video:
        raise ManifestError(
            f"{where}: no processor_config.json, video_preprocessor_config.json or "
            "preprocessor_config.json; wants the size and the colours of the checkpoint"
        )
    for switch, wanted in (
        ("do_resize", True),
        ("do_rescale", True),
        ("do_normalize", True),
        ("do_center_crop", False),
    ):
        if video.get(switch) not in (None, wanted):
            raise ManifestError(
                f"{where}: got {switch} = {video[switch]!r}; only {wanted} is known here"
            )
    numbers.check_rescale(video, where)
    size = as_object(video.get("size"))
    number = video.get("resample", 3)
    return {
        "height": size.get("height"),
        "width": size.get("width"),
        "resample": RESAMPLE.get(number, number),
        "mean": video.get("image_mean"),
        "std": video.get("image_std"),
        "n_frames": video.get("num_frames"),
    }


def as_object(value: object) -> Mapping[str, object]:
    """A JSON object, an empty one for anything else."""
    return value if isinstance(value, dict) else {}
