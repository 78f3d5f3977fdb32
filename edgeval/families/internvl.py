"""InternVL (the layout of transformers, 2.5 and later): square frames, each under its number.

Source: transformers 5.23.0, models/internvl/processing_internvl.py and
video_processing_internvl.py; lmms-eval@v0.7.3, models/chat/internvl_hf.py. A picture that is not of
the video is shown in tiles, as its processor does with pictures.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from edgeval.chat.template import Template, read_template
from edgeval.chat.turns import in_parts, said
from edgeval.errors import ArgumentError, ManifestError
from edgeval.families import Family
from edgeval.fixedframe import FixedFrame, as_object, fixed_frame, from_checkpoint
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
from edgeval.tiles import Tiling
from edgeval.types import FramePlan, FrameRule

# In no file of the checkpoint: lmms-eval@v0.7.3, internvl3.py (num_segments) and internvl_hf.py.
N_FRAMES = 32
MOST_TILES = 64
# What lmms-eval@v0.7.3 takes for a picture or for sound (api/task.py), whatever is in the file.
# fmt: off
NO_VIDEOS = (
    ".jpg", ".jpeg", ".png", ".bmp", ".gif", ".tiff", ".webp",
    ".wav", ".mp3", ".m4a", ".aac", ".flac", ".ogg", ".opus", ".webm",
)
# fmt: on


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """The texts of the special tokens."""

    image: str
    start: str
    end: str
    video: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InternVL:
    """The processor of one InternVL checkpoint."""

    frame: FixedFrame
    tokens: Tokens
    template: Template
    conduct: Conduct
    tiling: Tiling

    @property
    def image_tokens(self) -> tuple[str, ...]:
        """See Processor."""
        return (self.tokens.image,)

    @property
    def visual_tokens(self) -> frozenset[str]:
        """See Processor."""
        return frozenset({self.tokens.image, self.tokens.start, self.tokens.end})

    def frame_rule(self) -> FrameRule:
        """The middle of each of n equal parts; a shorter video gives all it has, or is refused."""
        native = self.conduct.protocol == NATIVE
        return FrameRule(
            how="segment_centres",
            n=(self.frame.n_frames or N_FRAMES) if native else N_FRAMES,
            short="fewer" if native else "refuse",
            source="transformers 5.23.0 InternVLVideoProcessor.sample_frames"
            if native
            else "lmms-eval@v0.7.3 internvl_hf",
        )

    def shrinker(self, plan: FramePlan, *, still: bool = False) -> Shrink:
        """A frame becomes the square, a still as many as its aspect asks for."""
        if not still:
            return self.frame.shrink
        info = plan.info
        turned = info.rotation_deg % 180
        sides = (info.width, info.height) if turned else (info.height, info.width)
        return partial(self.tiling.views, grid=self.tiling.grid(*sides))

    def feeds(self, images: Sequence[NDArray[np.generic]], *, n_stills: int = 0) -> Iterator[Feeds]:
        """pixel_values float32 [n, 3, S, S], the views of a still one after the other."""
        del n_stills
        side = (self.frame.height, self.frame.width, 3)
        views = [view for image in images for view in np.asarray(image).reshape(-1, *side)]
        yield from self.frame.feeds(views)

    def gather(self, outputs: Sequence[Mapping[str, Floats]]) -> Features:
        """See Processor."""
        return gathered(outputs)

    def places(self, kinds: NDArray[np.int8], facts: ClipFacts | None) -> None:
        """0, 1, 2 ..."""
        del kinds, facts

    def text(self, question: str, facts: ClipFacts | None, talk: Talk = PLAIN) -> PromptText:
        """Render the turns, then put the frames where the video's placeholder is."""
        n_stills = facts.n_stills if facts is not None else 0
        # A picture without a video is told by having more views than a frame.
        alone = facts is not None and facts.n_frames == 1 and self._n_views(facts, 0) > 1
        seen = () if facts is None or alone else ("video",)
        kinds = (*seen, *("image",) * (n_stills + alone))
        turns = said(question, talk.history, system=talk.system)
        short = self.template.render(in_parts(turns, kinds)) + talk.prefill
        if facts is None:
            return PromptText(short=short, full=short)
        before, found, after = short.partition(self.tokens.image if alone else self.tokens.video)
        first = self._view(facts, 0) if alone else self._video(facts)
        for still in range(facts.n_frames, len(facts.times_s)):
            head, _, after = after.partition(self.tokens.image)
            first += head + self._view(facts, still)
        return PromptText(short=short, full=before + (first if found else "") + after)

    def _n_views(self, facts: ClipFacts, at: int) -> int:
        """How many squares a picture is shown in."""
        return facts.sizes[at][0] // self.frame.height if at < len(facts.sizes) else 1

    def _view(self, facts: ClipFacts, at: int) -> str:
        t = self.tokens
        return t.start + t.image * (self.frame.tokens * self._n_views(facts, at)) + t.end

    def _video(self, facts: ClipFacts) -> str:
        lines = [f"Frame{at + 1}: {self._view(facts, at)}" for at in range(facts.n_frames)]
        # From the last on, so that the places of those before stay what they are.
        for before, caption in reversed(facts.captions):
            lines.insert(before, caption)
        return "\n".join(lines)

    def card(self) -> Mapping[str, object]:
        """The constants."""
        return self.frame.card()


def known(manifest: Manifest) -> FixedFrame:
    """The numbers of a checkpoint or of a folder made of one. Raises ManifestError."""
    if manifest.image:
        return fixed_frame(manifest, {})
    config = manifest.read("config")
    tokens = manifest.read("processor").get("image_seq_length") or config.get("image_seq_length")
    return fixed_frame(manifest, {**from_checkpoint(manifest), "tokens": tokens})


def _tiling(manifest: Manifest, frame: FixedFrame) -> Tiling:
    """What the processor does to pictures; its defaults are transformers'."""
    image = as_object(manifest.read("processor").get("image_processor"))
    image = image or manifest.read("preprocessor")
    least, most = image.get("min_patches", 1), image.get("max_patches", 12)
    if not (isinstance(least, int) and isinstance(most, int) and 1 <= least <= most <= MOST_TILES):
        raise ManifestError(
            f"{manifest.folder}: got min_patches {least!r} and max_patches {most!r}; wants 1 to "
            f"{MOST_TILES}"
        )
    # Whatever its file says, InternVLProcessor has crop_to_patches = True.
    return Tiling(
        height=frame.height,
        width=frame.width,
        resample=frame.resample,
        least=least,
        most=most,
    )


def open_internvl(manifest: Manifest, setup: Setup = DEFAULT) -> InternVL:
    """The processor of a model folder.

    ManifestError names what is missing or senseless, ArgumentError refuses a largest picture: the
    square is the checkpoint's.
    """
    if setup.max_pixels is not None:
        raise ArgumentError(
            f"--max-pixels: got {setup.max_pixels}; InternVL's frames have one size, leave it out"
        )
    if "template" not in manifest.files:
        raise ManifestError(f"{manifest.folder}: no chat template; wants chat_template.jinja")
    config = manifest.read("tokenizer_config")
    extra = as_object(config.get("extra_special_tokens"))
    names = {
        "image": ("context_image_token", "<IMG_CONTEXT>"),
        "start": ("start_image_token", "<img>"),
        "end": ("end_image_token", "</img>"),
        "video": ("video_token", "<video>"),
    }
    native = setup.protocol == NATIVE
    frame = known(manifest)
    return InternVL(
        frame=frame,
        tiling=_tiling(manifest, frame),
        tokens=Tokens(
            **{
                field: str(config.get(key) or extra.get(key) or fallback)
                for field, (key, fallback) in names.items()
            }
        ),
        template=Template(read_template(manifest.files["template"].path)),
        conduct=Conduct(
            protocol=setup.protocol,
            obliging=native,
            tokenizer_stops=not native,
            unshown=() if native else NO_VIDEOS,
        ),
    )


FAMILY = Family(name="internvl", open=open_internvl)
