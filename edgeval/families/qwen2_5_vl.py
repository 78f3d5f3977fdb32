"""Qwen2.5-VL: as Qwen2-VL, but a frame pair's position is its time, so many positions a second.

lmms-eval@v0.7.3 takes an even 32 frames and makes small pictures larger (models/chat/
qwen2_5_vl.py); the times in the positions are those of the frames really taken.
"""

from __future__ import annotations

import dataclasses
from functools import partial

from edgeval.families import Family
from edgeval.mrope import Grid
from edgeval.processor import LMMS_EVAL, ClipFacts, Setup
from edgeval.qwenvl.constants import Constants
from edgeval.qwenvl.processor import Style, Way, open_qwen
from edgeval.qwenvl.ways import CHAT, LMMS_FRAMES, PROTOCOLS, one_run, own_way, utils_budget
from edgeval.types import FrameRule

LMMS_LEAST, LMMS_MOST = 200704, 1605632


def way(c: Constants, setup: Setup) -> Way:
    """What a protocol decides."""
    if setup.protocol != LMMS_EVAL:
        return own_way(c, setup)
    rule = FrameRule(
        how="linspace_round",
        n=LMMS_FRAMES,
        multiple=2,
        short="fewer",
        rate="packets",
        source="lmms-eval@v0.7.3 models/chat/qwen2_5_vl.py",
    )
    budget = utils_budget(c, setup, least=LMMS_LEAST, most=LMMS_MOST)
    return Way(rule=rule, budget=budget, conduct=CHAT, floats=True)


def runs(facts: ClipFacts, grid: Grid, c: Constants) -> list[Grid]:
    """One run, a frame group's seconds apart.

    Source: second_per_grid_ts of transformers 5.23.0 processing_qwen2_5_vl.py, from sampled_fps of
    video_utils.py.
    """
    sampled_fps = facts.n_frames / facts.n_source * facts.fps
    return [dataclasses.replace(grid, seconds=c.frames / sampled_fps, rate=c.rate)]


FAMILY = Family(
    name="qwen2_5_vl",
    open=partial(open_qwen, Style(way=way, video=one_run, runs=runs)),
    protocols=PROTOCOLS,
)
