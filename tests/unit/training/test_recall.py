"""Recall: made-up clips are asked as they are shown, one skill after the other."""

from __future__ import annotations

import math
import re
from itertools import pairwise
from pathlib import Path

import pytest
from training import curriculum, recall, seeds
from training.skills import SKILLS
from training.view import Seer

from edgeval.synth.draws import scene_draws


def test_cues_come_back_with_the_same_answer(tokenizer_file: Path) -> None:
    """Drawn with replacement: what was said does not rule out what is asked next."""
    pairs = [("red star", "Zuro"), ("blue moon", "Kema")]
    drill = recall.cued(scene_draws(0, "x"), "Beside", pairs)
    assert len(drill.pairs) == 8
    assert set(drill.pairs) == set(pairs)
    text = (seer := Seer(tokenizer_file)).tokenizer.decode(seer.drill(drill).ids)
    assert text.count("red star Zuro") + text.count("blue moon Kema") == 8


@pytest.mark.parametrize("stage", sorted(curriculum.PHASES))
@pytest.mark.parametrize("share", [0.0, 0.3, 0.5, 0.7, 0.99])
def test_made_up_clips_stand_in_a_videos_own_prompt(
    tokenizer_file: Path, stage: str, share: float
) -> None:
    """As many image tokens as words are told, and the frames' times before them."""
    seer = Seer(tokenizer_file)
    image = seer.tokenizer.id("<image>")
    rows = curriculum.rows(scene_draws(3, "made up"), seer, stage, share, 32)
    assert len([line for _, lines in rows for line in lines]) == 32
    with_clip = [view for view, _ in rows if view.prefix]
    # Words come first.
    assert bool(with_clip) == (stage == "letters" or share >= 0.36)
    for view in with_clip:
        assert view.prefix.count(image) == view.slots.shape[0] * view.slots.shape[1]
        assert len(view.pixels) == 0
        assert "Frame from 00:00:" in seer.tokenizer.decode(view.prefix)


@pytest.mark.parametrize("stage", sorted(curriculum.PHASES))
def test_each_skill_is_practised_from_easy_to_hard(tokenizer_file: Path, stage: str) -> None:
    """What a phase is about is most of what is asked, of clips that grow longer."""
    seer, began = Seer(tokenizer_file), 0.0
    for phase in curriculum.PHASES[stage]:
        ends = (began, began + 0.999 * (phase.until - began))
        easy, hard = (
            curriculum.rows(scene_draws(5, f"phase {share}"), seer, stage, share, 160)
            for share in ends
        )
        began = phase.until
        for rows in (easy, hard):
            texts = [seer.tokenizer.decode(line.ids) for _, lines in rows for line in lines]
            if phase.heads[0] in curriculum.CLIPS:
                about = [text for text in texts if any(f"{head}:" in text for head in phase.heads)]
                assert len(about) > 0.5 * len(texts)
        if phase.others < 0.4 and phase.heads[0] in curriculum.CLIPS:
            frames = [sum(len(view.slots) for view, _ in rows) for rows in (easy, hard)]
            assert frames[1] > 1.2 * frames[0]
    assert began == 1.0


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


@pytest.mark.parametrize("skill", sorted(SKILLS))
def test_what_exercises_begin_with_is_a_token(tokenizer_file: Path, skill: str) -> None:
    """Though the tokenizer is built of questions: what is practised may change, and it stays."""
    tokenizer = Seer(tokenizer_file).tokenizer
    heads = set(curriculum.CLIPS)
    for sample in SKILLS[skill]([seeds.deal(5, "steps", skill, 0, at) for at in range(8)]):
        heads |= {drill.head[:-1] for drill in sample.drills if drill.head[0] != "\n"}
    assert [head for head in sorted(heads) if len(tokenizer.encode(head)) != 1] == []
