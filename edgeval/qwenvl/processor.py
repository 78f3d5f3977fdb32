"""The processor of one Qwen-VL checkpoint under one protocol."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from edgeval import floatresize, mrope, pixels
from edgeval import frames as frame_rules
from edgeval.chat.template import Template, read_template
from edgeval.errors import ManifestError
from edgeval.modelfolder import Manifest
from edgeval.mrope import Grid
from edgeval.patches import Budget, fitted
from edgeval.processor import (
    PLAIN,
    ClipFacts,
    Conduct,
    Features,
    Feeds,
    Floats,
    Places,
    PromptText,
    Setup,
    Shrink,
    Talk,
    gathered,
)
from edgeval.qwenvl.constants import Constants, constants
from edgeval.types import FramePlan, FrameRule, Picture, Turn

START, END = "<|vision_start|>", "<|vision_end|>"
VIDEO, IMAGE = "<|video_pad|>", "<|image_pad|>"
# Scores of one attention head over the patches of a bite, about 16 MB.
BITE_SCORES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """What a protocol decides: frames, pixels, the system turn it adds, what it cuts from text.

    ``floats``: frames are resized in float32, as qwen-vl-utils does it, not in integers.
    """

    rule: FrameRule
    budget: Budget
    conduct: Conduct
    floats: bool = False
    system: str = ""
    cuts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """What differs between the families.

    ``way``: the protocol's decisions for a checkpoint. ``video``: the text in the place of a
    video's placeholder, whose tokens lie in ``Grid``. ``runs``: the runs of image tokens in it.
    ``interleaves``: captions stand in the video's text, else between the video and the question.
    """

    way: Callable[[Constants, Setup], Way]
    video: Callable[[ClipFacts, Grid], str]
    runs: Callable[[ClipFacts, Grid, Constants], list[Grid]]
    interleaves: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class QwenVL:
    """See Processor."""

    style: Style
    constants: Constants
    way: Way
    template: Template

    @property
    def conduct(self) -> Conduct:
        """See Processor."""
        return self.way.conduct

    @property
    def image_tokens(self) -> tuple[str, ...]:
        """See Processor."""
        return VIDEO, IMAGE

    @property
    def visual_tokens(self) -> frozenset[str]:
        """See Processor."""
        return frozenset({VIDEO, IMAGE, START, END})

    def frame_rule(self) -> FrameRule:
        """See Processor."""
        return self.way.rule

    def shrinker(self, plan: FramePlan, *, still: bool = False) -> Shrink:
        """All frames of a video get one size, which depends on how many share the budget."""
        c, info = self.constants, plan.info
        size = (info.height, info.width)
        if info.rotation_deg % 180:
            size = (info.width, info.height)
        budget, n_frames = self.way.budget, len(plan.indices)
        if still:
            budget, n_frames = Budget(least=c.image_least, most=c.image_most), 1
        elif plan.rule.how == "fps_linspace":
            n_frames = frame_rules.rate_count(info.n_frames, info.fps, plan.rule)
        target = fitted(size, budget, factor=c.factor, frames=c.frames, n_frames=n_frames)
        recipe = pixels.Recipe(sizes=(target,), resample="bicubic")

        def shrink(picture: Picture) -> NDArray[np.uint8]:
            return np.asarray(pixels.see(picture, recipe), np.uint8)

        def shrink_in_floats(picture: Picture) -> NDArray[np.uint8]:
            high, wide = target
            return floatresize.resize(pixels.to_rgb(picture), height=high, width=wide)

        return shrink_in_floats if self.way.floats and not still else shrink

    def feeds(self, images: Sequence[NDArray[np.generic]], *, n_stills: int = 0) -> Iterator[Feeds]:
        """pixel_values float32 [patches, 3 * frames * patch * patch] and their grid [1, 3].

        Attention stays inside the frames of a patch, so bites of whole patches change nothing. The
        grid goes by both names that exports use.
        """
        c = self.constants
        n_frames = len(images) - n_stills
        video, stills = images[:n_frames], images[n_frames:]
        bites: list[Sequence[NDArray[np.generic]]] = []
        if video:
            height, width = video[0].shape[:2]
            n_patches = (height // c.patch) * (width // c.patch)
            step = c.frames * max(1, BITE_SCORES // n_patches**2)
            bites = [video[start : start + step] for start in range(0, n_frames, step)]
        for bite in (*bites, *([still] for still in stills)):
            stack = np.stack([np.asarray(image, np.uint8) for image in bite])
            values = pixels.normalise(
                stack,
                mean=c.mean,
                std=c.std,
                patches=pixels.Patches(size=c.patch, merge=c.merge, frames=c.frames),
            )
            t, (height, width) = -(-len(stack) // c.frames), stack.shape[1:3]
            grid = np.array([[t, height // c.patch, width // c.patch]], np.int64)
            yield {"pixel_values": values, "grid_thw": grid, "image_grid_thw": grid}

    def gather(self, outputs: Sequence[Mapping[str, Floats]]) -> Features:
        """See Processor."""
        return gathered(outputs)

    def text(self, question: str, facts: ClipFacts | None, talk: Talk = PLAIN) -> PromptText:
        """Render the turns, then put the tokens where the placeholders are."""
        for cut in self.way.cuts:
            question = question.replace(cut, "")
        turns = [*talk.history, Turn(role="user", text=question)]
        messages: list[dict[str, object]] = [
            {"role": turn.role, "content": [{"type": "text", "text": turn.text}]} for turn in turns
        ]
        if facts is not None:
            shown: list[object] = [{"type": "video"}] if facts.n_frames else []
            shown += [{"type": "image"}] * facts.n_stills
            if not self.style.interleaves:
                shown += [{"type": "text", "text": f"{text}\n"} for _, text in facts.captions]
            messages[0] = {"role": "user", "content": [*shown, *_content(messages[0])]}
        if system := talk.system or self.way.system:
            said = [{"type": "text", "text": system}]
            messages.insert(0, {"role": "system", "content": said})
        short = self.template.render(messages) + talk.prefill
        if facts is None:
            return PromptText(short=short, full=short)
        return PromptText(short=short, full=self._expanded(short, facts))

    def places(self, kinds: NDArray[np.int8], facts: ClipFacts | None) -> Places | None:
        """M-RoPE's times, rows and columns [3, S]."""
        if facts is None:
            return None
        video, stills = self._grids(facts)
        runs = [] if video is None else self.style.runs(facts, video, self.constants)
        return mrope.positions(kinds >= 0, [*runs, *stills], self.constants.positions)

    def card(self) -> Mapping[str, object]:
        """The constants, and what the protocol made of them."""
        return {
            **asdict(self.constants),
            "budget": asdict(self.way.budget),
            "resize": "float32" if self.way.floats else "uint8",
            "system": self.way.system,
        }

    def _expanded(self, short: str, facts: ClipFacts) -> str:
        # One placeholder at a time and from the front: what follows is the user's.
        video, stills = self._grids(facts)
        texts = [] if video is None else [(VIDEO, self.style.video(facts, video))]
        texts += [(IMAGE, IMAGE * (grid.h * grid.w)) for grid in stills]
        done, left = "", short
        for placeholder, text in texts:
            before, _, left = left.partition(placeholder)
            done += before + text
        return done + left

    def _grids(self, facts: ClipFacts) -> tuple[Grid | None, list[Grid]]:
        """Tokens of the video and of each still, in times, rows and columns."""
        c = self.constants
        grids = [Grid(t=1, h=h // c.factor, w=w // c.factor) for h, w in facts.sizes]
        stills = grids[facts.n_frames :]
        if not facts.n_frames:
            return None, stills
        return Grid(t=-(-facts.n_frames // c.frames), h=grids[0].h, w=grids[0].w), stills


def _content(message: Mapping[str, object]) -> list[object]:
    content = message["content"]
    return content if isinstance(content, list) else [content]


def open_qwen(style: Style, manifest: Manifest, setup: Setup) -> QwenVL:
    """The processor of a model folder. ManifestError names what is missing or senseless."""
    if "template" not in manifest.files:
        raise ManifestError(f"{manifest.folder}: no chat_template.jinja or chat_template.json")
    found = constants(manifest)
    source = read_template(manifest.files["template"].path)
    return QwenVL(
        style=style,
        constants=found,
        way=style.way(found, setup),
        template=Template(source),
    )
