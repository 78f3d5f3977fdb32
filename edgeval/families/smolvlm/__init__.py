"""SmolVLM and SmolVLM2: square frames, one timestamp and one global image block a frame.

Source: transformers 5.23.0, models/smolvlm/video_processing_smolvlm.py and processing_smolvlm.py.
Every number comes from the checkpoint's own files (or the manifest that `edgeval export` made of
them); the sentences round the frames are in the processor's code, not in any file, so they are
here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from edgeval import pixels
from edgeval.chat.template import Template, read_template
from edgeval.errors import ArgumentError, ManifestError
from edgeval.families import Family
from edgeval.families.smolvlm.constants import Constants, constants
from edgeval.families.smolvlm.words import in_words
from edgeval.modelfolder import Manifest
from edgeval.processor import (
    DEFAULT,
    NATIVE,
    PLAIN,
    ClipFacts,
    Conduct,
    Features,
    Feeds,
    Floats,
    PromptText,
    Setup,
    Shrink,
    Talk,
    gathered,
)
from edgeval.types import FramePlan, FrameRule, Picture, Turn

# transformers caps the first resize there (MAX_IMAGE_SIZE).
LARGEST_EDGE = 4096
# Frames of 512 x 512 a bite: attention of one bite stays near 200 MB at 12 heads of 1024 patches.
BITE_PIXELS = 4 * 512 * 512

INTRO = (
    "You are provided the following series of {count} frames from a {duration} [H:MM:SS] video.\n"
)
FRAME = "\nFrame from {minutes:02d}:{seconds:02d}:"
OUTRO = "\n\n"
# transformers puts its own template in the place of the checkpoint's when a video is shown; same
# turns as that one.
VIDEO_TEMPLATE = (
    "<|im_start|>{% for turn in messages %}{{ turn.role | capitalize }}"
    "{{ ':' if turn.content[0].type == 'image' else ': ' }}"
    "{% for part in turn.content %}"
    "{{ part.text if part.type == 'text' else '<' ~ part.type ~ '>' }}"
    "{% endfor %}<end_of_utterance>\n{% endfor %}"
    "{% if add_generation_prompt %}Assistant:{% endif %}"
)


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
    conduct: Conduct

    @property
    def image_tokens(self) -> tuple[str, ...]:
        """See Processor."""
        return (self.tokens.image,)

    @property
    def visual_tokens(self) -> frozenset[str]:
        """See Processor."""
        return frozenset({self.tokens.image, self.tokens.fake, self.tokens.global_image})

    def frame_rule(self) -> FrameRule:
        """The sampling of SmolVLMVideoProcessor.

        ManifestError when the checkpoint names no rate.
        """
        if self.constants.fps is None or self.constants.max_frames is None:
            raise ManifestError(
                "this checkpoint has no video sampling (fps, max_frames): name a frame rule, or "
                "add [video] "
                "fps and max_frames to its manifest.toml"
            )
        return FrameRule(
            how="smolvlm",
            fps=self.constants.fps,
            max_n=self.constants.max_frames,
            source="transformers 5.23.0 SmolVLMVideoProcessor.sample_frames",
        )

    def shrinker(self, plan: FramePlan, *, still: bool = False) -> Shrink:
        """Every picture becomes the same square, whatever the plan."""
        del plan, still
        return self.shrink

    def shrink(self, picture: Picture) -> NDArray[np.uint8]:
        """Longest edge first, keeping the aspect with an even other side; then the square."""
        c = self.constants
        sizes = (first_size(*_shown_size(picture), c.longest_edge), (c.square, c.square))
        return np.asarray(
            pixels.see(picture, pixels.Recipe(sizes=sizes, resample=c.resample)), np.uint8
        )

    def feeds(self, images: Sequence[NDArray[np.generic]], *, n_stills: int = 0) -> Iterator[Feeds]:
        """pixel_values float32 [1, n, 3, S, S] and a mask that hides nothing."""
        del n_stills
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

    def gather(self, outputs: Sequence[Mapping[str, Floats]]) -> Features:
        """See Processor."""
        return gathered(outputs)

    def places(self, kinds: NDArray[np.int8], facts: ClipFacts | None) -> None:
        """0, 1, 2 ..."""
        del kinds, facts

    def text(self, question: str, facts: ClipFacts | None, talk: Talk = PLAIN) -> PromptText:
        """Render the turns, then put the frames where the video's placeholder is."""
        turns = [*talk.history, Turn(role="user", text=question)]
        messages: list[dict[str, object]] = [
            {"role": turn.role, "content": [{"type": "text", "text": turn.text}]} for turn in turns
        ]
        if facts is not None:
            first = [{"type": "video"}, {"type": "text", "text": turns[0].text}]
            messages[0] = {"role": "user", "content": first}
        if talk.system:
            said = [{"type": "text", "text": talk.system}]
            messages.insert(0, {"role": "system", "content": said})
        begun = f" {talk.prefill}" if talk.prefill else ""
        if facts is None:
            blind = self.blind_template.render(messages) + begun
            return PromptText(short=blind, full=blind)
        short = self.video_template.render(messages) + begun
        return PromptText(short=short, full=short.replace(self.tokens.video, self._video(facts), 1))

    def _video(self, facts: ClipFacts) -> str:
        t = self.tokens
        block = t.fake + t.global_image + t.image * self.constants.tokens + t.fake
        duration = timedelta(seconds=int(facts.duration_s))
        parts = [
            FRAME.format(minutes=int(second // 60), seconds=int(second % 60)) + block
            for second in facts.times_s
        ]
        # From the last on, so that the places of those before stay what they are.
        for before, caption in reversed(facts.captions):
            parts.insert(before, f"\n{caption}")
        intro = INTRO.format(count=in_words(len(facts.times_s)), duration=duration)
        return intro + "".join(parts) + OUTRO

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
    """(height, width) in pixels after the first resize.

    Source: get_resize_output_image_size in transformers' video_processing_smolvlm.py.
    """
    edge = min(LARGEST_EDGE, longest_edge)
    ratio = width / height
    if width >= height:
        other = int(edge / ratio)
        return max(other + other % 2, 1), edge
    other = int(edge * ratio)
    return edge, max(other + other % 2, 1)


def open_smolvlm(manifest: Manifest, setup: Setup = DEFAULT) -> SmolVLM:
    """The processor of a model folder.

    lmms-eval has no class for this family that runs; its protocol here is the model card's own way
    with nothing that a benchmark wishes for. ManifestError names the constant that is missing or
    senseless, ArgumentError refuses a largest picture: the square is the checkpoint's.
    """
    if setup.max_pixels is not None:
        raise ArgumentError(
            f"--max-pixels: got {setup.max_pixels}; SmolVLM's frames have one size, leave it out"
        )
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
        conduct=Conduct(protocol=setup.protocol, obliging=setup.protocol == NATIVE),
    )


def _token(config: Mapping[str, object], key: str, fallback: str) -> str:
    value = config.get(key, fallback)
    if isinstance(value, dict):
        value = value.get("content", fallback)
    return value if isinstance(value, str) else fallback


FAMILY = Family(name="smolvlm", open=open_smolvlm)
