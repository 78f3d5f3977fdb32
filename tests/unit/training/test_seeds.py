"""No training sees a held-out seed: every generator, stage and scale, and the embedded data."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from training import evaluation, recipe, seeds, stages, tokenizer
from training.skills import SKILLS

from edgeval.synth import films_dataset, lessons_dataset, rooms_dataset

ANY = st.integers(-(1 << 70), 1 << 70)


@given(st.integers(0, 1 << 40), st.text(max_size=8), st.text(max_size=8), ANY, ANY)
def test_every_seed_dealt_is_one_a_training_may_see(
    run: int, stage: str, skill: str, group: int, place: int
) -> None:
    seed = seeds.deal(run, stage, skill, group, place)
    assert seed >= seeds.FIRST
    assert seed not in seeds.HELD_OUT


@pytest.mark.parametrize("scale", stages.SCALES)
def test_every_clip_of_every_stage_is_dealt_by_that(scale: str) -> None:
    for stage in stages.stages(stages.SCALES[scale]):
        for group in (0, 1, stage.steps // stage.reuse):
            dealt = [s for _, held in recipe.dealt_seeds(0, stage, group) for s in held]
            assert (dealt == []) == (stage.kind == "recall")
            assert {seeds.checked(seed) for seed in dealt} == set(dealt)
            assert len(set(dealt)) == len(dealt)


@pytest.mark.parametrize("skill", SKILLS)
@pytest.mark.parametrize("seed", [800_000, 899_999, 810_003, 0, seeds.FIRST - 1])
def test_every_generator_refuses_what_is_held_out(skill: str, seed: int) -> None:
    with pytest.raises(seeds.HeldOutSeed, match=str(seed)):
        SKILLS[skill]([seed])


def test_what_is_embedded_lies_in_what_is_held_out(repo: Path) -> None:
    named = [
        int(found.group(1))
        for path in (repo / "edgeval" / "embedded").rglob("*")
        if (found := re.search(r"_(\d{6,})(?:_|\.|$)", path.name))
    ]
    # mmvu's films have other names; they are the first of the films.
    first = [(layout.seed0, layout.n) for layout in films_dataset.LAYOUTS.values()]
    first += [
        (lessons_dataset.FIRST_SEED, lessons_dataset.N_LESSONS),
        (rooms_dataset.FIRST_SEED, rooms_dataset.N_ROOMS),
    ]
    assert len(named) > 100
    assert [seed for seed in named if seed not in seeds.HELD_OUT] == []
    assert [one for one in first if not {one[0], sum(one) - 1} <= set(seeds.HELD_OUT)] == []


def test_what_is_evaluated_lies_in_what_is_held_out_and_is_not_embedded() -> None:
    for track in evaluation.TRACKS:
        clips = range(track.seed, track.seed + track.clips)
        assert clips.start in seeds.HELD_OUT
        assert clips.stop - 1 in seeds.HELD_OUT
        assert clips.start >= 840_000


def test_tests_of_the_generators_draw_below_what_a_training_draws(repo: Path) -> None:
    files = [
        path
        for pattern in ("test_lessons*", "test_rooms*", "test_films*", "test_motions*", "test_vsi*")
        for path in (repo / "tests").rglob(f"{pattern}.py")
    ]
    numbers = [
        node.value
        for path in files
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and type(node.value) is int
    ]
    assert len(files) > 5
    assert [number for number in numbers if number >= seeds.FIRST] == []


def test_the_tokenizer_learns_from_seeds_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    deal = seeds.deal
    monkeypatch.setattr(seeds, "deal", lambda *parts: seen.append(deal(*parts)) or seen[-1])

    def stop(*_: object) -> None:
        raise StopIteration

    monkeypatch.setattr(tokenizer, "found_phrases", stop)
    with pytest.raises(StopIteration):
        tokenizer.build(Path("unused"), run=0, share=0)
    assert len(seen) == 4 * len(SKILLS)
    assert all(seed not in seeds.HELD_OUT for seed in seen)
