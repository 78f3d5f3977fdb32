"""Letters: options to choose from, what the right one stands for, layers that find it."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from training import seeds, wordings
from training.batch import UNTAUGHT, packed
from training.scene import Drill
from training.skills import SKILLS
from training.view import BLIND, Seer

from edgeval.synth.draws import scene_draws


def test_a_drill_by_letter_asks_the_same_and_wants_the_letter() -> None:
    drill = Drill(head="Next:", pairs=(("red star", "blue moon"), ("blue moon", "teal heart")))
    told = set()
    for seed in range(8):
        asked = wordings.lettered(drill, scene_draws(seed, "letters"))
        before, _, head = asked.head.rpartition("Next:")
        assert not head
        told.add(bool(before))
        for (cue, answer), (posed, letter) in zip(drill.pairs, asked.pairs, strict=True):
            # Options stand once, before all cues, or behind each its own.
            assert posed == cue if before else posed.startswith(f"{cue}?\n")
            options = re.findall(r"\n([A-J])\. ([^\n:]+)", before or posed)
            assert dict(options)[letter] == answer
            assert len({text for _, text in options}) == len(options) > 1
    assert told == {True, False}
    # Of letters already, or with one answer alone, there is nothing to choose.
    for other in (replace(drill, head="\nA. 1"), replace(drill, pairs=drill.pairs[:1] * 2)):
        assert wordings.lettered(other, scene_draws(0, "letters")) == other


@pytest.mark.parametrize(
    ("cue", "answer", "fits"),
    [
        # One of the things that are named is mistaken for another, an order for another order.
        ("sofa, bed, tv", "bed", {"sofa", "bed", "tv"}),
        ("sofa, bed", "bed, sofa", {"bed, sofa", "sofa, bed"}),
    ],
)
def test_options_are_what_an_answer_may_be_mistaken_for(
    cue: str, answer: str, fits: set[str]
) -> None:
    drill = Drill(head="Asked:", pairs=((cue, answer), ("lamp", "stove")))
    behind = 0
    for seed in range(12):
        (posed, _), _ = wordings.lettered(drill, scene_draws(seed, "letters")).pairs
        found = set(re.findall(r"\n[A-J]\. ([^\n:]+)", posed))
        assert found <= fits
        assert not found or answer in found
        behind += bool(found)
    assert behind


def test_later_layers_begin_as_the_early_ones_are(tokenizer_file: Path, hf: None) -> None:
    import torch
    from tokenizers import Tokenizer
    from training import network

    model = network.fresh(Tokenizer.from_file(str(tokenizer_file)), 0)
    layers = model.model.text_model.layers
    before = [layer.mlp.up_proj.weight.clone() for layer in layers]
    network.deepen(model)
    for at, layer in enumerate(layers):
        assert torch.equal(layer.mlp.up_proj.weight, before[at % 4])
    assert not torch.equal(before[0], before[4])


def test_a_letter_tells_what_it_stands_for(tokenizer_file: Path) -> None:
    """Where the letter is to be said, the first two tokens of its option are to be known."""
    seer = Seer(tokenizer_file)
    said = seer.tokenizer.decode
    drill = Drill(
        head="Next:", pairs=(("heart", "blue moon"), ("moon", "4"), ("cross", "red star"))
    )
    line = seer.drill(wordings.lettered(drill, scene_draws(1, "letters")))
    assert [said([line.ids[at]]).strip() in "ABC" for at, _ in line.meant] == [True] * 3
    assert [said(list(tokens)).split() for _, tokens in line.meant] == [
        ["blue", "moon"],
        ["4", "4"],
        ["red", "star"],
    ]
    assert not seer.drill(drill).meant
    # Labels stand where the token before the letter is.
    batch = packed([(BLIND, [line])])
    at, tokens = line.meant[1]
    assert tuple(batch.meant[at - 1]) == tokens
    assert batch.labels[at - 1] == line.ids[at]
    assert (batch.meant[:, 0] != UNTAUGHT).sum() == 3


@pytest.mark.parametrize("skill", sorted(SKILLS))
def test_bare_letters_of_questions_stand_for_something(tokenizer_file: Path, skill: str) -> None:
    seer = Seer(tokenizer_file)
    found = 0
    for sample in SKILLS[skill]([seeds.deal(5, "steps", skill, 0, at) for at in range(2)]):
        view = seer.view(sample, told=True)
        for asked in sample.asked:
            line = seer.line(sample, view, asked)
            bare = len(re.sub(r"^Option |\)$", "", asked.answer)) == 1
            lettered = bare and re.search(r"\n\(?[AO]", asked.ask.text)
            assert len(line.meant) == bool(lettered), asked.answer
            for at, _ in line.meant:
                letter = seer.tokenizer.decode([line.ids[at]]).strip()
                assert letter in asked.answer
                assert line.taught[at]
                found += 1
    assert bool(found) == (skill != "routines")


def test_what_a_letter_stands_for_counts_beside_it(tokenizer_file: Path, hf: None) -> None:
    import torch
    from tokenizers import Tokenizer
    from training import network

    drill = Drill(head="Next:", pairs=(("heart", "moon"), ("moon", "4")))
    line = Seer(tokenizer_file).drill(wordings.lettered(drill, scene_draws(1, "letters")))
    batch = packed([(BLIND, [line])])
    model = network.fresh(Tokenizer.from_file(str(tokenizer_file)), 0)
    without = replace(batch, meant=np.full_like(batch.meant, UNTAUGHT))
    with torch.no_grad():
        both, right = network.answer_loss(model, None, batch, torch.float32)
        alone, as_right = network.answer_loss(model, None, without, torch.float32)
        # The same words, taught as answers of the early layers.
        labels = np.where(batch.meant[:, 0] != UNTAUGHT, batch.meant[:, 0], UNTAUGHT)
        early = replace(without, labels=labels, depth=4)
        word, _ = network.answer_loss(model, None, early, torch.float32)
    assert right == as_right
    assert float(both) == pytest.approx(float(alone + word), rel=1e-5)
