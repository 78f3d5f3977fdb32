"""Batches: the same for the same step, packed so that no line sees another."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from training.batch import UNTAUGHT, packed
from training.recipe import Recipe, group
from training.stages import SCALES, Stage, stages
from training.view import BLIND, Line, Seer

SMOKE = {stage.name: stage for stage in stages(SCALES["smoke"])}


@pytest.fixture(scope="module")
def recipe(tokenizer_file: Path) -> Recipe:
    return Recipe(run=5, tokenizer=tokenizer_file)


@pytest.mark.parametrize("name", ["vision", "recall", "letters", "final"])
def test_a_group_is_a_function_of_run_stage_and_number(recipe: Recipe, name: str) -> None:
    stage = SMOKE[name]
    one, again, other = group(recipe, stage, 1), group(recipe, stage, 1), group(recipe, stage, 2)
    assert len(one) == stage.reuse
    for (a,), (b,) in zip(one, again, strict=True):
        assert a.blocks == b.blocks
        arrays = ("pixels", "slots", "ids", "places", "labels", "meant")
        assert all(np.array_equal(getattr(a, field), getattr(b, field)) for field in arrays)
    assert not np.array_equal(one[0][0].ids, other[0][0].ids)


def test_batches_of_a_group_show_the_same_and_ask_other_things(recipe: Recipe) -> None:
    (first,), (second,) = group(recipe, SMOKE["steps"], 0)
    assert np.array_equal(first.pixels, second.pixels)
    assert not np.array_equal(first.ids, second.ids)


def test_frames_that_are_told_stand_where_drawn_ones_would(recipe: Recipe) -> None:
    """The same tokens before the questions and the same words to be said, and no pictures."""
    shown = replace(SMOKE["steps"], told=0.0, rehearsed=0)
    drawn, told = (group(recipe, stage, 0)[0][0] for stage in (shown, replace(shown, told=1.0)))
    assert len(drawn.pixels) == len(drawn.slots)
    assert len(told.pixels) == 0
    for field in ("slots", "ids", "places", "labels"):
        assert np.array_equal(getattr(drawn, field), getattr(told, field)), field


def test_recall_is_rehearsed_beside_told_frames_alone(recipe: Recipe) -> None:
    drills, steps = SMOKE["drills"], replace(SMOKE["steps"], told=0.0)
    for stage, more in ((drills, True), (steps, False)):
        assert stage.rehearsed
        with_it, without = (
            group(recipe, one, 0)[0][0] for one in (stage, replace(stage, rehearsed=0))
        )
        taught = [int((batch.labels != UNTAUGHT).sum()) for batch in (with_it, without)]
        assert (taught[0] > taught[1]) == more
        assert (len(with_it.slots) > len(without.slots)) == more


def test_image_tokens_are_as_many_as_the_pictures_have(recipe: Recipe) -> None:
    image = Seer(recipe.tokenizer).tokenizer.id("<image>")
    for (batch,) in group(recipe, SMOKE["final"], 0):
        assert int((batch.ids == image).sum()) == batch.slots.shape[0] * batch.slots.shape[1]


def test_what_is_taught_is_the_next_token_of_the_same_line(recipe: Recipe) -> None:
    batch = group(recipe, SMOKE["steps"], 0)[0][0]
    begin, taught = 0, 0
    for number, block in enumerate(batch.blocks):
        end = begin + block.n * block.length
        ids, labels = (a[begin:end].reshape(block.n, -1) for a in (batch.ids, batch.labels))
        begin = end
        held = labels != UNTAUGHT
        assert not held[:, -1].any()
        assert np.array_equal(labels[held], np.roll(ids, -1, 1)[held])
        prefixes = any(other.behind == number for other in batch.blocks)
        assert held.any() != prefixes
        taught += int(held.sum())
    assert begin == len(batch.ids)
    assert taught


def test_little_of_a_batch_is_padding(recipe: Recipe) -> None:
    stage = stages(SCALES["cpu"])[1]
    batch = group(recipe, stage, 0)[0][0]
    assert (batch.ids != 0).mean() > 0.7


def test_blind_rows_show_nothing(recipe: Recipe) -> None:
    blind = Stage(
        name="final", kind="answers", steps=2, skills={"lessons": 2, "films": 2}, lines=2, blind=1.0
    )
    batch = group(recipe, blind, 0)[0][0]
    assert batch.pixels.shape[0] == 0
    assert all(block.behind is None for block in batch.blocks)


def test_packed_lines_are_answered_as_each_alone(recipe: Recipe, hf: None) -> None:
    torch = pytest.importorskip("torch")
    from tokenizers import Tokenizer
    from training import network

    model = network.fresh(Tokenizer.from_file(str(recipe.tokenizer)), 0).eval()
    lines = [
        Line(ids=tuple(range(300, 300 + n)), taught=(False, *(True,) * (n - 1))) for n in (5, 9)
    ]
    with torch.no_grad():
        both, _ = network.answer_loss(model, None, packed([(BLIND, lines)]), torch.float32)
        alone = [
            network.answer_loss(model, None, packed([(BLIND, [line])]), torch.float32)[0]
            for line in lines
        ]
    assert float(both) == pytest.approx(float((4 * alone[0] + 8 * alone[1]) / 12), rel=1e-4)


def test_what_is_to_be_known_early_goes_through_the_first_layers_alone(
    recipe: Recipe, hf: None
) -> None:
    import torch
    from tokenizers import Tokenizer
    from training import network

    (batch,) = group(recipe, SMOKE["recall"], 0)[0]
    assert batch.depth == 4
    model = network.fresh(Tokenizer.from_file(str(recipe.tokenizer)), 0)
    with torch.no_grad():
        early, _ = network.answer_loss(model, None, batch, torch.float32)
        late, _ = network.answer_loss(model, None, replace(batch, depth=None), torch.float32)
        model.model.text_model.layers = model.model.text_model.layers[:4]
        cut, _ = network.answer_loss(model, None, replace(batch, depth=None), torch.float32)
    assert float(early) == float(cut)
    assert float(early) != float(late)
