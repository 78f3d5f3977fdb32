"""The training as a whole, at a size where it learns nothing: resume, refusals, the log."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

STEPS = {"vision": 2, "recall": 2, "letters": 1, "drills": 2, "steps": 2, "final": 1}


def plan(folder: Path, tokenizer_file: Path, **other: object):  # type: ignore[no-untyped-def]
    from training.loop import Plan

    folder.mkdir()
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copyfile(tokenizer_file.with_name(name), folder / name)
    return Plan(folder=folder, scale="smoke", workers=0, half=False, steps=STEPS, **other)


def test_a_training_that_was_stopped_ends_as_one_that_was_not(
    tmp_path: Path, tokenizer_file: Path, hf: None
) -> None:
    from dataclasses import replace

    from safetensors.torch import load_file
    from training.loop import LOG, Stopped, train

    whole = plan(tmp_path / "whole", tokenizer_file)
    halted = plan(tmp_path / "halted", tokenizer_file, stop_after=5)
    said: list[str] = []
    expected = load_file(train(whole, said.append) / "model.safetensors")
    # Once inside a stage's group of batches, once more at the last step.
    with pytest.raises(Stopped):
        train(halted, said.append)
    found = load_file(train(replace(halted, stop_after=None), said.append) / "model.safetensors")
    assert any("resumed at stage 2, step 1" in line for line in said)
    assert expected.keys() == found.keys()
    assert [name for name in expected if not torch.equal(expected[name], found[name])] == []
    rows = [json.loads(line) for line in (tmp_path / "whole" / LOG).read_text().splitlines()]
    assert [(row["stage"], row["step"]) for row in rows] == list(STEPS.items())
    assert {"slots", "slot word", "rate"} <= rows[0].keys()
    assert {"answers", "tokens", "rate"} <= rows[-1].keys()


def test_lines_of_steps_that_are_done_again_are_forgotten(tmp_path: Path, hf: None) -> None:
    from training.loop import forget

    path = tmp_path / "log.jsonl"
    rows = [{"stage": name, "step": n} for name in ("vision", "recall") for n in (25, 50, 75)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows) + '{"stage": "rec')
    forget(path, ["vision", "recall"], 1, 60)
    left = [json.loads(line) for line in path.read_text().splitlines()]
    assert left == rows[:5]
    forget(path, ["vision", "recall"], 0, 0)
    assert path.read_text() == ""


def test_the_folder_of_another_training_is_refused(
    tmp_path: Path, tokenizer_file: Path, hf: None
) -> None:
    from dataclasses import replace

    from training.loop import Stopped, train

    first = plan(tmp_path / "one", tokenizer_file, stop_after=1)
    with pytest.raises(Stopped):
        train(first, len)
    with pytest.raises(ValueError, match="of another training"):
        train(replace(first, run=1), len)


def test_a_folder_that_is_being_trained_in_is_refused(
    tmp_path: Path, tokenizer_file: Path, hf: None
) -> None:
    """Two processes would write over each other's state."""
    from training.loop import LOG, train

    only = plan(tmp_path / "one", tokenizer_file)
    refused: list[str] = []

    def second(line: str) -> None:
        if not refused:
            with pytest.raises(ValueError, match="another process trains there"):
                train(only, len)
            refused.append(line)

    train(only, second)
    assert refused
    rows = (tmp_path / "one" / LOG).read_text().splitlines()
    assert len(rows) == len(STEPS)


@pytest.mark.parametrize("told", [0.0, 1.0])
def test_a_blind_training_sees_nothing(
    tmp_path: Path, tokenizer_file: Path, hf: None, told: float
) -> None:
    """Other pictures, or other words in their place: the same weights."""
    from dataclasses import replace

    from training import loop
    from training.optimiser import Optimiser

    model = []
    for name in ("a", "b"):
        only = plan(tmp_path / name, tokenizer_file, blind=True)
        training = loop.Training(only, len)
        stage = replace(training._stages[-1], told=told)
        (one,) = next(iter(loop.batches(training._recipe, stage, 0, 0)))
        assert len(one.slots)
        assert bool(len(one.pixels)) == (told == 0)
        if name == "b":
            one.pixels[:] = 255 - one.pixels
            one.slots[one.slots > 0] -= 1
        training.gradients(stage, Optimiser(training._model, stage)).of(0, [one])
        model.append(training._model.lm_head.weight.grad)
    assert model[0] is not None
    assert torch.equal(model[0], model[1])


def test_a_blind_training_comes_to_its_end(tmp_path: Path, tokenizer_file: Path, hf: None) -> None:
    from training.loop import CHECKPOINT, LOG, train

    train(plan(tmp_path / "blind", tokenizer_file, blind=True), len)
    assert (tmp_path / "blind" / CHECKPOINT / "model.safetensors").exists()
    rows = [json.loads(line) for line in (tmp_path / "blind" / LOG).read_text().splitlines()]
    assert [row["stage"] for row in rows] == [name for name in STEPS if name != "vision"]


@pytest.mark.parametrize("name", ["vision", "recall", "letters", "final"])
def test_parts_side_by_side_have_the_gradients_of_the_whole(
    tokenizer_file: Path, hf: None, name: str
) -> None:
    """Noise apart, which every part has its own of; how many threads there are changes no bit."""
    from dataclasses import replace

    from tokenizers import Tokenizer
    from training import gradients, network
    from training.optimiser import Optimiser
    from training.recipe import Recipe, group
    from training.stages import SCALES, stages

    raw = Tokenizer.from_file(str(tokenizer_file))
    (stage,) = (one for one in stages(SCALES["smoke"]) if one.name == name)
    recipe = Recipe(run=5, tokenizer=tokenizer_file)
    found = []
    for n_parts, threads in ((1, 1), (2, 1), (2, 2)):
        cut = replace(stage, parts=n_parts)
        model = network.fresh(raw, 0)
        optimiser = Optimiser(model, cut)
        learner = gradients.Gradients(
            model=model,
            trained=optimiser.trained,
            slot_ids=network.slot_ids(raw),
            stage=cut,
            run=5,
            blind=name == "final",
            dtype=torch.float32,
            threads=threads,
        )
        batch = group(recipe, cut, 0)[0]
        assert len(batch) == n_parts
        told = learner.of(0, batch)
        found.append((told, [weight.grad for weight in optimiser.trained]))
    (whole, of_whole), (parts, of_parts), (threaded, of_threads) = found
    assert parts == threaded
    for one, other in zip(of_parts, of_threads, strict=True):
        assert (one is None) == (other is None)
        assert one is None or torch.equal(one, other)
    if name == "vision":
        return  # Every group of words is a mean of its own in each part.
    assert parts["answers"] == pytest.approx(whole["answers"], rel=1e-5)
    for one, other in zip(of_whole, of_parts, strict=True):
        if one is not None:
            torch.testing.assert_close(other, one, rtol=1e-3, atol=1e-5)


def test_told_tokens_are_nearest_to_the_words_that_are_told(tokenizer_file: Path, hf: None) -> None:
    from tokenizers import Tokenizer
    from training import network
    from training.words import GROUP_NAMES, GROUPS, UNSAID

    raw = Tokenizer.from_file(str(tokenizer_file))
    model = network.fresh(raw, 0)
    ids = network.slot_ids(raw)
    slots = torch.full((1, 2, len(GROUPS)), UNSAID)
    slots[0, 0, GROUP_NAMES.index("x")] = 3
    slots[0, 0, GROUP_NAMES.index("y")] = 7
    slots[0, 1, GROUP_NAMES.index("word")] = 5
    with torch.no_grad():
        tokens = network.told_tokens(model, slots, ids)
        loss, right = network.slot_loss(model, tokens, slots, ids)
        assert {right[name] for name in ("x", "y", "word")} == {1.0}
        assert right["off"] < 0.5
        exact = network.told_tokens(model, slots, ids, noise=0)
        assert network.slot_loss(model, exact, slots, ids)[1]["off"] == 0
        assert float(loss) > float(network.slot_loss(model, exact, slots, ids)[0])
        other = slots.clone()
        other[0, 1, GROUP_NAMES.index("word")] = 6
        assert network.slot_loss(model, tokens, other, ids)[1]["word"] == 0


def test_what_vision_learnt_stays(tmp_path: Path, tokenizer_file: Path, hf: None) -> None:
    """The tower, and the words that it says; all else of the table goes on."""
    from dataclasses import replace

    from safetensors.torch import load_file
    from tokenizers import Tokenizer
    from training import network
    from training.loop import STATE, Stopped, train

    first = plan(tmp_path / "one", tokenizer_file, stop_after=2)
    with pytest.raises(Stopped):
        train(first, len)
    before = torch.load(tmp_path / "one" / STATE, weights_only=True)["model"]
    after = load_file(train(replace(first, stop_after=None), len) / "model.safetensors")
    looking = [name for name in after if "vision_model" in name or "connector" in name]
    assert len(looking) > 20
    assert [name for name in looking if not torch.equal(before[name], after[name])] == []
    said = {
        word
        for group in network.slot_ids(Tokenizer.from_file(str(tokenizer_file)))
        for word in group
    }
    (table,) = (name for name in after if "embed_tokens" in name)
    moved = (before[table] != after[table]).any(-1).nonzero().flatten().tolist()
    assert moved
    assert not said & set(moved)
