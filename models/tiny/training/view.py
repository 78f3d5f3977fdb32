"""Samples as the family shows and asks them: its frame rule, its pixels, its prompt, its tokens."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeval import frames as frame_rules
from edgeval import pixels
from edgeval.chat.template import Template
from edgeval.chat.tokenizer import Tokenizer
from edgeval.families.smolvlm import VIDEO_TEMPLATE, SmolVLM, Tokens
from edgeval.families.smolvlm.constants import Constants
from edgeval.processor import ClipFacts, Conduct, Talk
from edgeval.types import FramePlan, FrameRule, Frames, Picture
from edgeval.view import facts_of
from training.scene import Asked, Drill, Sample
from training.words import TOKENS_A_FRAME, numbered

SQUARE = 64
# As the manifest says it: two a second, sixteen at most unless `--frames` says otherwise.
FPS, MOST_FRAMES = 2.0, 16
CONSTANTS = Constants(
    longest_edge=SQUARE,
    square=SQUARE,
    resample="bicubic",
    mean=(0.5, 0.5, 0.5),
    std=(0.5, 0.5, 0.5),
    tokens=TOKENS_A_FRAME,
    fps=FPS,
    max_frames=MOST_FRAMES,
)
Pixels = NDArray[np.uint8]
Meant = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A sample as it is shown. ``pixels`` uint8 [n, S, S, 3], ``slots`` [n, tokens, groups].

    Without pixels where its frames are told.
    """

    pixels: Pixels
    slots: NDArray[np.int64]
    facts: ClipFacts | None
    prefix: tuple[int, ...]


_UNDRAWN: Pixels = np.zeros((SQUARE, SQUARE, 3), np.uint8)
BLIND = View(
    pixels=np.zeros((0, SQUARE, SQUARE, 3), np.uint8),
    slots=np.zeros((0, TOKENS_A_FRAME, 0), np.int64),
    facts=None,
    prefix=(),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Tokens behind a prefix; ``taught``: which of them are learnt to be said.

    ``meant``: places of letters, and the first two tokens of what each stands for.
    """

    ids: tuple[int, ...]
    taught: tuple[bool, ...]
    meant: tuple[tuple[int, Meant], ...] = ()


class Seer:
    """Turns samples into views and lines, through the family's own processor."""

    def __init__(self, tokenizer: Path) -> None:
        self.tokenizer = Tokenizer(tokenizer, bos_token="")
        template = Template(
            VIDEO_TEMPLATE, bos_token="<|im_start|>", eos_token="<end_of_utterance>"
        )
        self.processor = SmolVLM(
            constants=CONSTANTS,
            tokens=Tokens(
                image="<image>",
                fake="<fake_token_around_image>",
                global_image="<global-img>",
                video="<video>",
            ),
            blind_template=template,
            video_template=template,
            conduct=Conduct(),
        )
        self._visual = {self.tokenizer.id(one) for one in self.processor.visual_tokens}
        self._end = self._id("<end_of_utterance>")

    def _id(self, token: str) -> int:
        found = self.tokenizer.id(token)
        if found is None:
            raise ValueError(f"tokenizer: has no token {token!r}")
        return found

    def view(
        self,
        sample: Sample,
        *,
        most_frames: int = MOST_FRAMES,
        size: float = 1.0,
        told: bool = False,
    ) -> View:
        """The frames that the rule takes, and the tokens that stand before every question.

        ``size``: how many times as large as drawn the film is before it is shrunk. ``told``: what
        frames say is enough, none is drawn.
        """
        scene = sample.scene
        if scene is None:
            return BLIND
        plan = self.plan(sample, most_frames)
        images = (
            [_UNDRAWN] * len(plan.indices)
            if told
            else [self._shrunk(scene.picture(at), size) for at in plan.indices]
        )
        slots = [numbered(scene.says(at)) for at in plan.indices]
        stills: tuple[Pixels, ...] = ()
        if sample.still is not None:
            stills = (_UNDRAWN if told else self._shrunk(sample.still, size),)
            slots.append(numbered(sample.still_says))
        seen = Frames(
            plan=plan,
            pixels=tuple(images),
            pts_s=np.asarray(plan.indices) / scene.fps,
            stills=stills,
        )
        facts = facts_of(seen, sample.clip.captions)
        text = self.processor.text("", facts, Talk(system=sample.clip.system)).full
        ids = self.tokenizer.encode(text)
        last = max(at for at, token in enumerate(ids) if token in self._visual)
        return View(
            pixels=BLIND.pixels if told else np.stack([*images, *stills]),
            slots=np.asarray(slots),
            facts=facts,
            prefix=ids[: last + 1],
        )

    def plan(self, sample: Sample, most_frames: int) -> FramePlan:
        """As a run plans it (edgeval.seeing)."""
        assert sample.scene is not None
        rule: FrameRule = self.processor.frame_rule()
        rule = replace(rule, max_n=most_frames, include_last=sample.clip.must_see_last)
        return frame_rules.plan(sample.scene.info, rule, segment_s=sample.clip.segment_s)

    def _shrunk(self, image: Pixels, size: float) -> Pixels:
        image = np.ascontiguousarray(image)
        if size != 1:
            height, width = (round(size * side) for side in image.shape[:2])
            image = pixels.resize(image, height=height, width=width, resample="bilinear")
        return self.processor.shrink(Picture(planes=None, rgb=image))

    def prompt(self, sample: Sample, view: View, asked: Asked) -> tuple[int, ...]:
        """The tokens of a question, prefix and all, as a run sends them."""
        talk = Talk(system=sample.clip.system, history=asked.ask.history, prefill=asked.ask.prefill)
        return self.tokenizer.encode(self.processor.text(asked.ask.text, view.facts, talk).full)

    def line(self, sample: Sample, view: View, asked: Asked) -> Line:
        """A question and its answer, behind the prefix."""
        ids = self.prompt(sample, view, asked)
        n = len(view.prefix)
        if ids[:n] != view.prefix:
            raise ValueError(f"{sample.clip.id}: a question changes the tokens before it")
        answer = (*self.tokenizer.encode(asked.said), self._end)
        meant: tuple[tuple[int, Meant], ...] = ()
        if asked.meant:
            # The letter or the number; before or behind it may stand what the benchmark wants.
            said = [self.tokenizer.decode([token]).strip() for token in answer]
            at = next(at for at, text in enumerate(said) if len(text) == 1 and text.isalnum())
            meant = ((len(ids) - n + at, self._begin(asked.meant)),)
        return Line(
            ids=(*ids[n:], *answer),
            taught=(*(False,) * (len(ids) - n), *(True,) * len(answer)),
            meant=meant,
        )

    def drill(self, drill: Drill) -> Line:
        """Cues and answers in a row; the answers are taught."""
        ids = list(self.tokenizer.encode(drill.head))
        taught = [False] * len(ids)
        said = []
        for cue, answer in drill.pairs:
            for text, learnt in ((cue, False), (answer, True)):
                part = self.tokenizer.encode(f" {text}")
                if learnt:
                    said.append(len(ids))
                ids += part
                taught += [learnt] * len(part)
        meant = zip(said, map(self._begin, drill.meant), strict=False)
        return Line(ids=tuple(ids), taught=tuple(taught), meant=tuple(meant))

    def _begin(self, text: str) -> Meant:
        """The first two tokens of an option, as it stands behind its letter; or one, twice."""
        first, *more = self.tokenizer.encode(f" {text}")
        second = next((one for one in more if self.tokenizer.decode([one]) not in ",."), first)
        return first, second
