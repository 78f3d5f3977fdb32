"""LLaVA-OneVision (the layout of transformers): square frames pooled to a quarter, one newline.

Source: transformers 5.23.0, models/llava_onevision/; lmms-eval@v0.7.3, models/simple/llava_hf.py
(--force_simple: its chat class shows every frame and dies under transformers 5). A picture that is
not of the video is shown as one more frame: the patches of large images are not made.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgeval.chat.template import Template, read_template
from edgeval.chat.turns import Said, as_texts, in_parts, said
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
from edgeval.types import FramePlan, FrameRule

# In no file of the checkpoint: max_frames_num of lmms-eval@v0.7.3's llava_onevision.py, which the
# model's authors wrote, and of llava_hf.py.
N_FRAMES = 32
NEWLINE = "image_newline"


@dataclass(frozen=True, slots=True, kw_only=True)
class LlavaOnevision:
    """The processor of one LLaVA-OneVision checkpoint.

    ``template``: the processor's, of turns in parts; the tokenizer's, of turns that are texts,
    under lmms-eval's protocol.
    """

    frame: FixedFrame
    video_token: str
    image_token: str
    template: Template
    conduct: Conduct

    @property
    def image_tokens(self) -> tuple[str, ...]:
        """See Processor."""
        return (self.video_token,)

    @property
    def visual_tokens(self) -> frozenset[str]:
        """See Processor."""
        return frozenset({self.video_token})

    def frame_rule(self) -> FrameRule:
        """N frames from the first to the last, some twice in a video of fewer."""
        native = self.conduct.protocol == NATIVE
        return FrameRule(
            how="linspace_floor",
            n=(self.frame.n_frames or N_FRAMES) if native else N_FRAMES,
            counts="shown" if native else "packets",
            source=f"lmms-eval@v0.7.3 {'llava_onevision' if native else 'llava_hf'}.load_video",
        )

    def shrinker(self, plan: FramePlan, *, still: bool = False) -> Shrink:
        """Every picture becomes the same square, whatever the plan."""
        del plan, still
        return self.frame.shrink

    def feeds(self, images: Sequence[NDArray[np.generic]], *, n_stills: int = 0) -> Iterator[Feeds]:
        """pixel_values float32 [n, 3, S, S]."""
        del n_stills
        yield from self.frame.feeds(images)

    def gather(self, outputs: Sequence[Mapping[str, Floats]]) -> Features:
        """See Processor. ManifestError for a graph without newline."""
        return with_newline(outputs)

    def places(self, kinds: NDArray[np.int8], facts: ClipFacts | None) -> None:
        """0, 1, 2 ..."""
        del kinds, facts

    def text(self, question: str, facts: ClipFacts | None, talk: Talk = PLAIN) -> PromptText:
        """Render the turns, then repeat the video's token. Captions stand before the question."""
        captions = tuple(caption for _, caption in facts.captions) if facts is not None else ()
        turns = said(question, talk.history, system=talk.system, before=captions)
        if self.conduct.protocol == NATIVE:
            messages = in_parts(turns, () if facts is None else ("video",))
        else:
            messages = as_texts(turns if facts is None else self._marked(turns))
        short = self.template.render(messages) + talk.prefill
        if facts is None:
            return PromptText(short=short, full=short)
        n_tokens = len(facts.times_s) * self.frame.tokens + 1
        full = short.replace(self.video_token, self.video_token * n_tokens, 1)
        return PromptText(short=short, full=full)

    def _marked(self, turns: Sequence[Said]) -> list[Said]:
        """The first user's text behind the video's token, unless it names an image itself."""
        at = next(at for at, (role, _) in enumerate(turns) if role == "user")
        role, text = turns[at]
        marked = text if self.image_token in text else f"{self.video_token}\n{text}"
        return [*turns[:at], (role, marked), *turns[at + 1 :]]

    def card(self) -> Mapping[str, object]:
        """The constants."""
        return self.frame.card()


def with_newline(outputs: Sequence[Mapping[str, Floats]]) -> Features:
    """The rows of all frames and the newline behind the last. ManifestError without one."""
    if NEWLINE not in outputs[-1]:
        raise ManifestError(
            f"vision graph: gives {', '.join(outputs[-1])}; wants {NEWLINE}, export it again"
        )
    rows = gathered(outputs).rows
    # One row or one a frame, all alike.
    newlines = np.asarray(outputs[-1][NEWLINE], np.float32).reshape(-1, rows.shape[1])
    return Features(rows=np.concatenate([rows, newlines[-1:]]))


def known(manifest: Manifest) -> FixedFrame:
    """The numbers of a checkpoint or of a folder made of one. Raises ManifestError."""
    if manifest.image:
        return fixed_frame(manifest, {})
    vision = as_object(manifest.read("config").get("vision_config"))
    n_patches = manifest.read("processor").get("num_image_tokens")
    size, patch = vision.get("image_size"), vision.get("patch_size")
    if n_patches is None and isinstance(size, int) and isinstance(patch, int):
        n_patches = (size // patch) ** 2
    if not isinstance(n_patches, int) or n_patches < 1:
        raise ManifestError(
            f"{manifest.folder}: got num_image_tokens = {n_patches!r}; wants a whole number >= 1"
        )
    # Pooling halves each side, up. Source: replace_video_token in processing_llava_onevision.py.
    tokens = math.ceil(math.isqrt(n_patches) / 2) ** 2
    return fixed_frame(manifest, {**from_checkpoint(manifest), "tokens": tokens})


def open_llava_onevision(manifest: Manifest, setup: Setup = DEFAULT) -> LlavaOnevision:
    """The processor of a model folder.

    ManifestError names what is missing or senseless, ArgumentError refuses a largest picture: the
    square is the checkpoint's.
    """
    if setup.max_pixels is not None:
        raise ArgumentError(
            f"--max-pixels: got {setup.max_pixels}; LLaVA-OneVision's frames have one size, "
            "leave it out"
        )
    native = setup.protocol == NATIVE
    config, processor = manifest.read("tokenizer_config"), manifest.read("processor")
    return LlavaOnevision(
        frame=known(manifest),
        video_token=str(processor.get("video_token") or "<video>"),
        image_token=str(processor.get("image_token") or "<image>"),
        template=Template(
            _processor_template(manifest) if native else _tokenizer_template(manifest, config),
            eos_token=str(config.get("eos_token") or ""),
        ),
        conduct=Conduct(protocol=setup.protocol, obliging=native, tokenizer_stops=not native),
    )


def _processor_template(manifest: Manifest) -> str:
    if "template" not in manifest.files:
        raise ManifestError(
            f"{manifest.folder}: no chat template; wants chat_template.jinja or chat_template.json"
        )
    return read_template(manifest.files["template"].path)


def _tokenizer_template(manifest: Manifest, config: Mapping[str, object]) -> str:
    """Its own file before the one in tokenizer_config.json, as transformers 5.23.0 has it."""
    file = manifest.files.get("template")
    if file is not None and file.path.suffix == ".jinja":
        return read_template(file.path)
    source = config.get("chat_template")
    if isinstance(source, list):
        named = {as_object(entry).get("name"): as_object(entry).get("template") for entry in source}
        source = named.get("default")
    if not isinstance(source, str):
        raise ManifestError(
            f"{manifest.folder}: tokenizer_config.json has no chat_template, which lmms-eval's "
            "protocol takes; use --protocol native"
        )
    return source


FAMILY = Family(name="llava_onevision", open=open_llava_onevision)
