"""Qwen3-VL: the time of every frame pair in words before its tokens; features on several layers.

Native is the checkpoint's processor: two frames a second, a budget of pixels over all frames.
lmms-eval@v0.7.3 takes 32 frames, refuses a video of fewer, and bounds each frame instead
(models/chat/qwen3_vl.py).
"""

from __future__ import annotations

from functools import partial

from edgeval.families import Family
from edgeval.mrope import Grid
from edgeval.patches import Budget
from edgeval.processor import LMMS_EVAL, NATIVE, ClipFacts, Conduct, Setup
from edgeval.qwenvl.constants import Constants
from edgeval.qwenvl.processor import END, START, VIDEO, Style, Way, open_qwen
from edgeval.qwenvl.ways import CHAT, HELPFUL, LMMS_FRAMES, UTILS_FPS, limited, utils_budget
from edgeval.types import FrameRule

LMMS_LEAST, LMMS_MOST = 200704, 1605632
PAIR = 2


def way(c: Constants, setup: Setup) -> Way:
    """What a protocol decides."""
    if setup.protocol == LMMS_EVAL:
        return Way(
            rule=FrameRule(
                how="linspace_round",
                n=LMMS_FRAMES,
                multiple=2,
                short="refuse",
                rate="packets",
                source="lmms-eval@v0.7.3 models/chat/qwen3_vl.py",
            ),
            budget=utils_budget(c, setup, least=LMMS_LEAST, most=LMMS_MOST),
            conduct=CHAT,
            floats=True,
            system=HELPFUL,
        )
    rule = FrameRule(
        how="fps",
        fps=c.fps or UTILS_FPS,
        min_n=c.min_frames,
        max_n=c.max_frames,
        source="transformers 5.23.0 Qwen3VLVideoProcessor.sample_frames",
    )
    capped_at = c.max_tokens * c.factor**2 if c.capped else None
    budget = Budget(least=c.least, most=c.most, together=True, capped_at=capped_at)
    return Way(rule=rule, budget=limited(budget, setup), conduct=Conduct(protocol=NATIVE))


def video(facts: ClipFacts, grid: Grid) -> str:
    """Each frame pair after its mean time; a missing second frame is the first again.

    Source: replace_video_token of transformers 5.23.0 processing_qwen3_vl.py.
    """
    times_s = facts.times_s[: facts.n_frames]
    pairs = [times_s[at : at + PAIR] for at in range(0, len(times_s), PAIR)]
    tokens = START + VIDEO * (grid.h * grid.w) + END
    parts = [f"<{(pair[0] + pair[-1]) / 2:.1f} seconds>{tokens}" for pair in pairs]
    # From the last on, so that the places of those before stay what they are.
    for before, text in reversed(facts.captions):
        parts.insert((before + 1) // PAIR, f"{text}\n")
    return "".join(parts)


def runs(_facts: ClipFacts, grid: Grid, _constants: Constants) -> list[Grid]:
    """A run for each frame pair: the words before it tell its time."""
    return [Grid(t=1, h=grid.h, w=grid.w)] * grid.t


FAMILY = Family(
    name="qwen3_vl",
    open=partial(open_qwen, Style(way=way, video=video, runs=runs, interleaves=True)),
)
