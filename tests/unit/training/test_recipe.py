"""Batches: the same for the same step, packed so that no line sees another."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from training import recall, wordings
from training.batch import UNTAUGHT, packed
from training.recipe import Recipe, group
from training.scene import Drill
from training.stages import SCALES, Stage, stages
from training.view import BLIND, Line, Seer

from edgeval.synth.draws import scene_draws

SMOKE = {stage.name: stage for stage in stages(SCALES["smoke"])}


@pytest.fixture(scope="module")
def recipe(tokenizer_file: Path) -> Recipe:
    return Recipe(run=5, tokenizer=tokenizer_file)


@pytest.mark.parametrize("name", ["vision", "recall", "final"])
def test_a_group_is_a_function_of_run_stage_and_number(recipe: Recipe, name: str) -> None:
    stage = SMOKE[name]
    one, again, other = group(recipe, stage, 1), group(recipe, stage, 1), group(recipe, stage, 2)
    assert len(one) == stage.reuse
    for (a,), (b,) in zip(one, again, strict=True):
        assert a.blocks == b.blocks
        arrays = ("pixels", "slots", "ids", "places", "labels")
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


def test_cues_come_back_with_the_same_answer(recipe: Recipe) -> None:
    """Drawn with replacement: what was said does not rule out what is asked next."""
    pairs = [("red star", "Zuro"), ("blue moon", "Kema")]
    drill = recall._cued(scene_draws(0, "x"), "Beside", pairs)
    assert len(drill.pairs) == 8
    assert set(drill.pairs) == set(pairs)
    text = (seer := Seer(recipe.tokenizer)).tokenizer.decode(seer.drill(drill).ids)
    assert text.count("red star Zuro") + text.count("blue moon Kema") == 8


@pytest.mark.parametrize("share", [0.0, 0.2, 0.31, 0.5, 0.99])
def test_made_up_clips_stand_in_a_videos_own_prompt(recipe: Recipe, share: float) -> None:
    """As many image tokens as words are told, and the frames' times before them."""
    seer = Seer(recipe.tokenizer)
    image = seer.tokenizer.id("<image>")
    rows, _ = recall.rows(scene_draws(3, "made up"), seer, share, 32)
    assert len([line for _, lines in rows for line in lines]) == 32
    with_clip = [view for view, _ in rows if view.prefix]
    assert bool(with_clip) == (share >= recall._PLACED)
    for view in with_clip:
        assert view.prefix.count(image) == view.slots.shape[0] * view.slots.shape[1]
        assert len(view.pixels) == 0
        assert "Frame from 00:00:" in seer.tokenizer.decode(view.prefix)


def test_slides_are_asked_as_they_are_shown() -> None:
    frames, facts = recall.slides(scene_draws(1, "slides"), 1.0)
    shown = list(
        dict.fromkeys(tuple(word for said in slots for word in said.values()) for slots in frames)
    )
    names = [
        " ".join(word for word in (a, b) if word not in ("none", "grey")) for a, b, *_ in shown
    ]
    values = [value for _, _, value, _ in shown]
    assert facts["Beside"] == list(zip(names, values, strict=True))
    assert facts["Back"] == list(zip(values, names, strict=True))
    assert facts["Next"] == list(pairwise(names))
    assert facts["Before"] == [(after, before) for before, after in facts["Next"]]


def test_a_tour_is_asked_as_it_is_shown() -> None:
    frames, facts = recall.tour(scene_draws(2, "tour"), 1.0)
    shown = [{name: word for said in slots for name, word in said.items()} for slots in frames]
    first = list(dict.fromkeys(said["thing"] for said in shown))
    place = {said["thing"]: tuple(int(said[axis][2:-1]) for axis in "xy") for said in shown}
    told = dict(facts["Look"])
    for said in shown:
        assert told[f"count {said['thing']}"] == said["many"]
        assert told[f"across {said['thing']}"] == said["x"]
        assert told[f"along {said['thing']}"] == said["y"]
    for cue, sooner in facts["Sooner"]:
        assert sooner == min(cue.split(", "), key=first.index)
    for cue, order in facts["Order"]:
        assert order.split(", ") == sorted(cue.split(", "), key=first.index)
    for cue, steps in facts["Off"]:
        axis, one, other = re.fullmatch(r"(across|along) (\w+), (\w+)", cue).groups()  # type: ignore[union-attr]
        at = ("across", "along").index(axis)
        assert int(steps) == place[other][at] - place[one][at]
    for cue, nearer in facts["Nearer"]:
        one, *others = cue.split(", ")
        assert nearer == min(others, key=lambda to: math.dist(place[one], place[to]))


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


def test_a_drill_by_letter_asks_the_same_and_wants_the_letter() -> None:
    drill = Drill(head="Next:", pairs=(("red star", "blue moon"), ("blue moon", "teal heart")))
    asked = wordings.lettered(drill, scene_draws(0, "letters"))
    options = dict(re.findall(r"\n([A-J])\. (.+)", asked.head))
    assert asked.head.endswith("\nNext:")
    assert [(cue, options[letter]) for cue, letter in asked.pairs] == list(drill.pairs)
    # Of letters already, or with one answer alone, there is nothing to choose.
    for other in (replace(drill, head="\nA. 1"), replace(drill, pairs=drill.pairs[:1] * 2)):
        assert wordings.lettered(other, scene_draws(0, "letters")) == other


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
