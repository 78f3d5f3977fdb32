"""M-RoPE positions: transformers' own, a beginning that does not change, names that are checked."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from edgeval import mrope
from edgeval.errors import ArgumentError, UnknownName
from edgeval.mrope import Grid

MERGE, VIDEO = 2, 2
GRIDS = ((3, 10, 6), (30, 8, 12), (1, 4, 40), (7, 24, 42))


def laid(runs: list[Grid]) -> np.ndarray:
    """Five words before every run, seven behind the last."""
    parts = [[False] * 5 + [True] * (run.t * run.h * run.w) for run in runs]
    return np.array([flag for part in parts for flag in part] + [False] * 7)


def theirs(family: str, visual: np.ndarray, grid: tuple[int, int, int], **extra: Any) -> np.ndarray:
    """get_rope_index of transformers on a bare object."""
    import importlib

    import torch

    module = importlib.import_module(f"transformers.models.{family}.modeling_{family}")
    name = {"qwen2_vl": "Qwen2VLModel", "qwen2_5_vl": "Qwen2_5_VLModel", "qwen3_vl": "Qwen3VLModel"}
    kind = getattr(module, name[family])
    bare = SimpleNamespace(
        config=SimpleNamespace(
            vision_config=SimpleNamespace(spatial_merge_size=MERGE, tokens_per_second=2)
        )
    )
    bare.get_vision_position_ids = lambda *a, **k: kind.get_vision_position_ids(bare, *a, **k)
    places, _ = kind.get_rope_index(
        bare,
        torch.zeros(1, len(visual), dtype=torch.int64),
        mm_token_type_ids=torch.from_numpy(visual.astype(np.int64) * VIDEO)[None],
        video_grid_thw=torch.tensor([grid]),
        **extra,
    )
    return np.asarray(places[:, 0].numpy())


@pytest.mark.parametrize("grid", GRIDS)
def test_counted_times_equal_transformers(hf, grid):
    t, h, w = grid
    runs = [Grid(t=t, h=h // MERGE, w=w // MERGE)]
    visual = laid(runs)
    np.testing.assert_array_equal(mrope.positions(visual, runs), theirs("qwen2_vl", visual, grid))


@pytest.mark.parametrize("seconds", [0.2998, 0.5, 1.5098416, 3.25324988, 41.7])
@pytest.mark.parametrize("grid", GRIDS)
def test_times_in_seconds_equal_transformers(hf, grid, seconds):
    import torch

    t, h, w = grid
    runs = [Grid(t=t, h=h // MERGE, w=w // MERGE, seconds=seconds, rate=2)]
    visual = laid(runs)
    want = theirs("qwen2_5_vl", visual, grid, second_per_grid_ts=torch.tensor([seconds]))
    np.testing.assert_array_equal(mrope.positions(visual, runs), want)


@pytest.mark.parametrize("grid", GRIDS)
def test_a_run_for_each_frame_pair_equals_transformers(hf, grid):
    t, h, w = grid
    runs = [Grid(t=1, h=h // MERGE, w=w // MERGE)] * t
    visual = laid(runs)
    np.testing.assert_array_equal(mrope.positions(visual, runs), theirs("qwen3_vl", visual, grid))


# Where the text behind the video starts, by the semantics, for a grid of 30 x 8 x 12 patches.
@pytest.mark.parametrize(
    ("semantics", "rate", "want"), [(mrope.V5, 2, 13 - 2), (mrope.V4, 2, 124 - 2)]
)
def test_semantics_differ_in_the_text_behind_a_video(semantics, rate, want):
    runs = [Grid(t=30, h=4, w=6, seconds=2.0, rate=rate)]
    visual = laid(runs)
    places = mrope.positions(visual, runs, semantics)
    assert places[:, np.flatnonzero(visual)[-1] + 1].tolist() == [want] * 3


def test_a_beginning_does_not_depend_on_what_follows():
    runs = [Grid(t=4, h=3, w=5), Grid(t=1, h=2, w=2)]
    visual = laid(runs)
    whole = mrope.positions(visual, runs)
    beginning = np.flatnonzero(visual)[-1] + 1
    np.testing.assert_array_equal(mrope.positions(visual[:beginning], runs), whole[:, :beginning])


def test_words_alone_are_counted():
    np.testing.assert_array_equal(mrope.positions(np.zeros(4, bool), [])[1], range(4))


def test_runs_that_do_not_fill_their_grids_are_refused():
    with pytest.raises(ArgumentError, match="wants as many"):
        mrope.positions(laid([Grid(t=1, h=2, w=2)]), [Grid(t=1, h=2, w=3)])


def test_an_unknown_semantics_gets_a_suggestion():
    with pytest.raises(UnknownName, match=r"did you mean transformers-5\.23"):
        mrope.check("transformers-5.2")
