"""What the protocols of the Qwen-VL families have in common.

Native is the checkpoint's own processor on two frames a second: sizes from its configuration, the
sum of a video's pixels bounded as transformers' ``cap_pixels_per_frame`` does it. "qwen-vl-utils"
is what the authors' package makes of a video before any processor sees it. Sources: qwen-vl-utils
0.0.14, vision_process.py; transformers 5.23.0, video_processing_qwen2_vl.py; lmms-eval@v0.7.3,
models/simple/qwen2_vl.py, models/chat/qwen2_5_vl.py, models/chat/qwen3_vl.py, api/task.py (which
suffixes are videos).
"""

from __future__ import annotations

import dataclasses

from edgeval.mrope import Grid
from edgeval.patches import Budget
from edgeval.processor import LMMS_EVAL, NATIVE, ClipFacts, Conduct, Setup
from edgeval.qwenvl.constants import Constants
from edgeval.qwenvl.processor import VIDEO, Way
from edgeval.types import FrameRule

UTILS = "qwen-vl-utils"
PROTOCOLS = (NATIVE, LMMS_EVAL, UTILS)
UTILS_FPS = 2.0
UTILS_LEAST_TOKENS, UTILS_MOST_TOKENS, UTILS_SHARED_TOKENS = 128, 768, 128000
USED_SHARE = 0.9
LMMS_FRAMES = 32
HELPFUL = "You are a helpful assistant."
UTILS_SOURCE = "qwen-vl-utils 0.0.14, smart_nframes"
# What lmms-eval's chat classes take for a picture or for sound.
NO_VIDEOS = (
    *(".jpg", ".jpeg", ".png", ".bmp", ".gif", ".tiff", ".webp"),
    *(".wav", ".mp3", ".m4a", ".aac", ".flac", ".ogg", ".opus", ".webm"),
)
CHAT = Conduct(protocol=LMMS_EVAL, obliging=False, tokenizer_stops=True, unshown=NO_VIDEOS)


def own_way(c: Constants, setup: Setup) -> Way:
    """Native, or qwen-vl-utils."""
    if setup.protocol == UTILS:
        return Way(
            rule=dataclasses.replace(utils_rule(c), rate="packets"),
            budget=utils_budget(c, setup),
            conduct=Conduct(protocol=UTILS),
            floats=True,
        )
    shared = float(int(c.max_tokens * c.factor**2 * USED_SHARE))
    budget = Budget(least=c.least, most=c.most, shared=shared)
    return Way(rule=utils_rule(c), budget=limited(budget, setup), conduct=Conduct(protocol=NATIVE))


def utils_rule(c: Constants) -> FrameRule:
    """Two frames a second, an even number."""
    return FrameRule(
        how="fps",
        fps=c.fps or UTILS_FPS,
        min_n=c.min_frames,
        max_n=c.max_frames,
        multiple=c.frames,
        short="fewer",
        source=UTILS_SOURCE,
    )


def utils_budget(
    c: Constants, setup: Setup, *, least: int | None = None, most: int | None = None
) -> Budget:
    """A frame's pixels as fetch_video bounds them; ``least`` and ``most`` as a caller asks."""
    area = c.factor**2
    cap = UTILS_MOST_TOKENS * area
    budget = Budget(
        least=UTILS_LEAST_TOKENS * area if least is None else least,
        most=cap if most is None else most,
        shared=UTILS_SHARED_TOKENS * area * USED_SHARE,
        capped_at=cap,
        rounding="qwen-vl-utils",
    )
    return limited(budget, setup)


def limited(budget: Budget, setup: Setup) -> Budget:
    """The budget with the user's largest picture over it."""
    if setup.max_pixels is None:
        return budget
    most = min(budget.most, setup.max_pixels)
    return dataclasses.replace(budget, most=most, least=min(budget.least, most))


def one_run(facts: ClipFacts, grid: Grid) -> str:
    """A video whose tokens stand in one run."""
    del facts
    return VIDEO * (grid.t * grid.h * grid.w)
