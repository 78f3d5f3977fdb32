"""SmolVLM and SmolVLM2: square frames, one timestamp and one global image block a frame.

Source: transformers 5.23.0, models/smolvlm/video_processing_smolvlm.py and processing_smolvlm.py. Every number comes
from the checkpoint's own files (or the manifest that `edgeval export` made of them); the sentences round the frames
are in the processor's code, not in any file, so they are here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Literal, TypeGuard, get_args

import numpy as np
from numpy.typing import NDArray

from edgeval import pixels
from edgeval.errors import ArgumentError, ManifestError
from edgeval.families import ClipFacts, Family, Feeds, PromptText
from edgeval.manifest import check_keys
from edgeval.modelfolder import Manifest
from edgeval.template import Template, read_template
from edgeval.types import FrameRule, Picture

Resample = Literal["bilinear", "bicubic", "lanczos"]
# Pillow's numbers, which processor configs use.
RESAMPLE: Mapping[int, Resample] = {1: "lanczos", 2: "bilinear", 3: "bicubic"}
IMAGE_KEYS = ("longest_edge", "square", "resample", "mean", "std", "tokens")
VIDEO_KEYS = ("fps", "max_frames")
# transformers caps the first resize there (MAX_IMAGE_SIZE).
LARGEST_EDGE = 4096
# Frames of 512 x 512 a bite: attention of one bite stays near 200 MB at 12 heads of 1024 patches.
BITE_PIXELS = 4 * 512 * 512

INTRO = (
    "You are provided the following series of {count} frames from a {duration} [H:MM:SS] video.\n"
)
FRAME = "\nFrame from {minutes:02d}:{seconds:02d}:"
OUTRO = "\n\n"
# transformers puts its own template in the place of the checkpoint's when a video is shown; same turns as that one.
VIDEO_TEMPLATE = (
    "<|im_start|>{% for turn in messages %}{{ turn.role | capitalize }}"
    "{{ ':' if turn.content[0].type == 'image' else ': ' }}"
    "{% for part in turn.content %}"
    "{{ part.text if part.type == 'text' else '<' ~ part.type ~ '>' }}"
    "{% endfor %}<end_of_utterance>\n{% endfor %}"
    "{% if add_generation_prompt %}Assistant:{% endif %}"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Constants:
    """``longest_edge`` and ``square`` in pixels, ``mean`` and ``std`` of pixels in 0..1, ``tokens`` a frame.

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """The texts of the special tokens."""

    image: str
    fake: str
    global_image: str
    video: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SmolVLM:
    """The processor of one SmolVLM checkpoint."""

    constants: Constants
    tokens: Tokens
    blind_template: Template
    video_template: Template

    @property
    def image_token(self) -> str:
        """See Processor."""
        return self.tokens.image

    @property
    def visual_tokens(self) -> frozenset[str]:
        """See Processor."""
        return frozenset({self.tokens.image, self.tokens.fake, self.tokens.global_image})

    def frame_rule(self) -> FrameRule:
        """The sampling of SmolVLMVideoProcessor; ManifestError when the checkpoint names no rate."""
        if self.constants.fps is None or self.constants.max_frames is None:
            raise ManifestError(
                "this checkpoint has no video sampling (fps, max_frames): name a frame rule, or add [video] "
                "fps and max_frames to its manifest.toml"
            )
        return FrameRule(
            how="smolvlm",
            fps=self.constants.fps,
            max_n=self.constants.max_frames,
            source="transformers 5.23.0 SmolVLMVideoProcessor.sample_frames",
        )

    def shrink(self, picture: Picture) -> NDArray[np.uint8]:
        """Longest edge first, keeping the aspect with an even other side; then the square."""
        c = self.constants
        sizes = (first_size(*_shown_size(picture), c.longest_edge), (c.square, c.square))
        return pixels.see(picture, pixels.Recipe(sizes=sizes, resample=c.resample))

    def feeds(self, images: Sequence[NDArray[np.generic]]) -> Iterator[Feeds]:
        """pixel_values float32 [1, n, 3, S, S] and a mask that hides nothing."""
        c = self.constants
        bite = max(1, BITE_PIXELS // (c.square * c.square))
        for start in range(0, len(images), bite):
            stack = np.stack(
                [np.asarray(image, np.uint8) for image in images[start : start + bite]]
            )
            values = pixels.normalise(stack, mean=c.mean, std=c.std)
            yield {
                "pixel_values": values[None],
                "pixel_attention_mask": np.ones((1, len(stack), c.square, c.square), np.bool_),
            }

    def text(self, question: str, facts: ClipFacts | None) -> PromptText:
        """Render the turn, then put the frames where the video's placeholder is."""
        part = {"type": "text", "text": question}
        if facts is None:
            blind = self.blind_template.render([{"role": "user", "content": [part]}])
            return PromptText(short=blind, full=blind)
        content = [{"type": "video"}, part]
        short = self.video_template.render([{"role": "user", "content": content}])
        return PromptText(short=short, full=short.replace(self.tokens.video, self._video(facts), 1))

    def _video(self, facts: ClipFacts) -> str:
        t = self.tokens
        block = t.fake + t.global_image + t.image * self.constants.tokens + t.fake
        duration = timedelta(seconds=int(facts.duration_s))
        frames = "".join(
            FRAME.format(minutes=int(second // 60), seconds=int(second % 60)) + block
            for second in facts.times_s
        )
        return INTRO.format(count=in_words(len(facts.times_s)), duration=duration) + frames + OUTRO

    def card(self) -> Mapping[str, object]:
        """The constants."""
        return asdict(self.constants)


def _shown_size(picture: Picture) -> tuple[int, int]:
    """(height, width) in pixels after rotation."""
    plane = picture.rgb if picture.planes is None else picture.planes[0]
    if plane is None:
        raise ArgumentError("picture: got neither planes nor rgb; wants one of them")
    height, width = plane.shape[:2]
    return (width, height) if picture.rotation_deg % 180 else (height, width)


def first_size(height: int, width: int, longest_edge: int) -> tuple[int, int]:
    """(height, width) in pixels after the first resize: get_resize_output_image_size of the video processor."""
    edge = min(LARGEST_EDGE, longest_edge)
    ratio = width / height
    if width >= height:
        other = int(edge / ratio)
        return max(other + other % 2, 1), edge
    other = int(edge * ratio)
    return edge, max(other + other % 2, 1)


def open_smolvlm(manifest: Manifest) -> SmolVLM:
    """The processor of a model folder; ManifestError names the constant that is missing or senseless."""
    config = manifest.read("tokenizer_config")
    bos, eos = (_token(config, key, "") for key in ("bos_token", "eos_token"))
    video_template = Template(VIDEO_TEMPLATE, bos_token=bos, eos_token=eos)
    blind = video_template
    if "template" in manifest.files:
        source = read_template(manifest.files["template"].path)
        blind = Template(source, bos_token=bos, eos_token=eos)
    return SmolVLM(
        constants=constants(manifest),
        tokens=Tokens(
            image=_token(config, "image_token", "<image>"),
            fake=_token(config, "fake_image_token", "<fake_token_around_image>"),
            global_image=_token(config, "global_image_token", "<global-img>"),
            video=_token(config, "video_token", "<video>"),
        ),
        blind_template=blind,
        video_template=video_template,
    )


def constants(manifest: Manifest) -> Constants:
    """From the manifest's [image] and [video] when it has them, else from the checkpoint's processor files."""
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
    fps, max_frames = table.get("fps"), table.get("max_frames")
    return Constants(
        longest_edge=_whole(table, "longest_edge", where),
        square=_whole(table, "square", where),
        resample=resample,
        mean=_triple(table, "mean", where),
        std=_triple(table, "std", where),
        tokens=_whole(table, "tokens", where),
        fps=None if fps is None else _positive(fps, "fps", where),
        max_frames=None if max_frames is None else _whole(table, "max_frames", where),
    )


def from_checkpoint(manifest: Manifest) -> dict[str, object]:
    """The constants as the checkpoint's processor files say them.

    Order of files as transformers looks: processor_config.json's video_processor, video_preprocessor_config.json,
    preprocessor_config.json. ``size`` wins over video_sampling's video_size, as in SmolVLMVideoProcessor.__init__.
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
    if abs(float(str(video.get("rescale_factor", 1 / 255))) * 255 - 1) > 1e-9:
        raise ManifestError(
            f"{manifest.folder}: got rescale_factor {video['rescale_factor']}; wants 1/255"
        )
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


def _whole(table: Mapping[str, object], key: str, where: str) -> int:
    value = table.get(key)
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ManifestError(f"{where}: got {key} = {value!r}; wants a whole number >= 1")
    return value


def _positive(value: object, key: str, where: str) -> float:
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not value > 0:
        raise ManifestError(f"{where}: got {key} = {value!r}; wants a number > 0")
    return float(value)


def _triple(table: Mapping[str, object], key: str, where: str) -> tuple[float, float, float]:
    value = table.get(key)
    if (
        not isinstance(value, list)
        or len(value) != 3
        or not all(isinstance(v, (int, float)) for v in value)
    ):
        raise ManifestError(f"{where}: got {key} = {value!r}; wants three numbers")
    return float(value[0]), float(value[1]), float(value[2])


def _token(config: Mapping[str, object], key: str, fallback: str) -> str:
    value = config.get(key, fallback)
    if isinstance(value, dict):
        value = value.get("content", fallback)
    return value if isinstance(value, str) else fallback


ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen"
).split()
TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()


def in_words(n: int) -> str:
    """A whole number 0 <= n < 10**6 in English words, as num2words says it: "one thousand, two hundred and six"."""
    if n < 20:
        return ONES[n]
    if n < 100:
        return TENS[n // 10 - 2] + (f"-{ONES[n % 10]}" if n % 10 else "")
    if n < 1000:
        return f"{ONES[n // 100]} hundred" + (f" and {in_words(n % 100)}" if n % 100 else "")
    thousands, rest = f"{in_words(n // 1000)} thousand", n % 1000
    if not rest:
        return thousands
    return f"{thousands} and {in_words(rest)}" if rest < 100 else f"{thousands}, {in_words(rest)}"


FAMILY = Family(name="smolvlm", open=open_smolvlm)
