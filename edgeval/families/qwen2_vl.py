"""Qwen2-VL: pairs of frames to a patch, one run of tokens a video, times counted.

lmms-eval@v0.7.3 takes qwen-vl-utils' two frames a second first and then an even 32 of them, while
the pixels stay bounded by how many there were at first (models/simple/qwen2_vl.py).
"""

from __future__ import annotations

from functools import partial

from edgeval.families import Family
from edgeval.mrope import Grid
from edgeval.processor import LMMS_EVAL, ClipFacts, Conduct, Setup
from edgeval.qwenvl.constants import Constants
from edgeval.qwenvl.processor import Style, Way, open_qwen
from edgeval.qwenvl.ways import (
    HELPFUL,
    LMMS_FRAMES,
    PROTOCOLS,
    UTILS_FPS,
    one_run,
    own_way,
    utils_budget,
)
from edgeval.types import FrameRule

LMMS_LEAST, LMMS_MOST = 3136, 602112


def way(c: Constants, setup: Setup) -> Way:
    """What a protocol decides."""
    if setup.protocol != LMMS_EVAL:
        return own_way(c, setup)
    return Way(
        rule=FrameRule(
            how="fps_linspace",
            n=LMMS_FRAMES,
            fps=UTILS_FPS,
            min_n=4,
            max_n=768,
            multiple=2,
            short="fewer",
            rate="packets",
            source="lmms-eval@v0.7.3 models/simple/qwen2_vl.py",
        ),
        budget=utils_budget(c, setup, least=LMMS_LEAST, most=LMMS_MOST),
        conduct=Conduct(
            protocol=LMMS_EVAL,
            obliging=False,
            tokenizer_stops=True,
            shown=(".mp4", ".avi", ".mov"),
            # TaskConfig's "until" where a task has none, which this class alone obeys.
            cut_before=("\n\n",),
        ),
        floats=True,
        system=HELPFUL,
        cuts=("<image>",),
    )


def runs(_facts: ClipFacts, grid: Grid, _constants: Constants) -> list[Grid]:
    """One run."""
    return [grid]


FAMILY = Family(
    name="qwen2_vl",
    open=partial(open_qwen, Style(way=way, video=one_run, runs=runs)),
    protocols=PROTOCOLS,
)
