"""What a training asks is what a run asks, and what it teaches to answer is what rules read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from training import seeds, wordings
from training.scene import Sample
from training.skills import SKILLS
from training.view import Seer

from edgeval import benchmarks, frames
from edgeval.media.decode import decode
from edgeval.media.encode import encode
from edgeval.media.probe import probe
from edgeval.synth import films_dataset, lessons_dataset, rooms_dataset
from edgeval.types import Ask, Clip
from edgeval.view import facts_of

UNREAD = "captioning"
SEED = seeds.FIRST + 3


@pytest.fixture(scope="module")
def seer(tokenizer_file: Path) -> Seer:
    return Seer(tokenizer_file)


@pytest.mark.parametrize("name", benchmarks.names())
def test_every_final_answer_is_right_under_the_first_rule(name: str) -> None:
    benchmark = benchmarks.load(name)
    settings = [s for s in benchmark.settings if s not in ("transcript", "debiased", "pruned")]
    assert benchmark.embedded is not None
    wrong, n = [], 0
    for clip in benchmark.clips(benchmark.embedded, settings, ()):
        for question in clip.questions:
            if UNREAD in question.task:
                continue
            worked = wordings.right_text(question)
            asked = wordings.final(benchmark, clip, question, worked)
            value = benchmark.score(question, asked.said)[0].value
            n += 1
            if value != 1:
                wrong.append((question.id, asked.said, value))
    assert n > 10
    assert wrong == []


def made(skill: str, folder: Path) -> tuple[str, str, list[Sample]]:
    """Benchmark, setting and the samples of the clip that ``folder`` holds encoded."""
    if skill == "rooms":
        rooms_dataset.write(folder, n_rooms=1, seed0=SEED)
        return "vsibench", "full", SKILLS[skill]([SEED])
    if skill == "films":
        samples = SKILLS[skill]([SEED])
        assert {one.clip.setting for one in samples} & {"interleaved", "video"}
        films_dataset.write("mvbench", folder, n_clips=1, seed0=mvbench_seed())
        return "mvbench", "video", SKILLS[skill]([mvbench_seed()])
    films_dataset.write("seedbench-r1", folder, n_clips=1, seed0=SEED)
    return "seedbench-r1", "video", SKILLS[skill]([SEED])


def mvbench_seed() -> int:
    """A film that is asked about as MVBench, the second of the layouts."""
    return next(seed for seed in range(SEED, SEED + 99) if seed % 6 == 1)


def real(name: str, setting: str, folder: Path) -> Iterator[tuple[Clip, Ask]]:
    benchmark = benchmarks.load(name)
    for clip in benchmark.clips(folder, (setting,), ()):
        for question in clip.questions:
            yield clip, benchmark.ask(clip, question)


@pytest.mark.parametrize(("skill", "off"), [("rooms", 9), ("films", 3), ("routines", 3)])
def test_clips_are_shown_and_asked_as_a_run_does(
    tmp_path: Path, seer: Seer, skill: str, off: float
) -> None:
    name, setting, samples = made(skill, tmp_path / "data")
    encoded = list(real(name, setting, tmp_path / "data"))
    compared = 0
    for sample in samples:
        same = [
            (clip, ask)
            for clip, ask in encoded
            if (clip.id, clip.segment_s, clip.image and clip.image.name)
            == (sample.clip.id, sample.clip.segment_s, sample.clip.image and sample.clip.image.name)
        ]
        if not same or sample.clip.system != same[0][0].system:
            continue
        view = seer.view(sample)
        clip = same[0][0]
        assert clip.video is not None
        plan = frames.plan(probe(clip.video), seer.plan(sample, 16).rule, segment_s=clip.segment_s)
        shown = decode(plan, shrink=seer.processor.shrinker(plan))
        assert plan.indices == seer.plan(sample, 16).indices
        pairs = zip(shown.pixels, view.pixels, strict=False)
        assert max(np.abs(a.astype(float) - b).mean() for a, b in pairs) < off
        if not sample.still_says:
            assert facts_of(shown, clip.captions) == view.facts
        asked = {one.ask.text for one in sample.asked if one.final}
        real_texts = {ask.text for _, ask in same}
        if skill == "rooms":  # Which of its many questions are asked is drawn anew.
            real_texts, asked = endings(real_texts), endings(asked)
        assert real_texts <= asked
        compared += 1
    assert compared


def endings(texts: set[str]) -> set[str]:
    """First and last lines."""
    return {f"{text.splitlines()[0]} ... {text.splitlines()[-1]}" for text in texts}


def test_a_lesson_is_shown_and_asked_as_a_run_does(tmp_path: Path, seer: Seer) -> None:
    sample = SKILLS["lessons"]([SEED])[0]
    scene = sample.scene
    assert scene is not None
    path = tmp_path / "lesson.mp4"
    images = (scene.picture(at) for at in range(scene.n_frames))
    encode(path, images, fps=lessons_dataset.FPS, crf=lessons_dataset.CRF)
    plan = frames.plan(probe(path), seer.plan(sample, 16).rule)
    shown = decode(plan, shrink=seer.processor.shrinker(plan))
    view = seer.view(sample)
    assert facts_of(shown, ()) == view.facts
    pairs = zip(shown.pixels, view.pixels, strict=True)
    assert max(np.abs(a.astype(float) - b).mean() for a, b in pairs) < 4
    endings = {one.ask.text.rsplit("\n", 1)[-1] for one in sample.asked if one.final}
    assert "Please ignore the Quiz question in last frame of the video." in endings


@pytest.mark.parametrize("skill", SKILLS)
def test_what_stands_before_a_question_is_the_same_for_all(seer: Seer, skill: str) -> None:
    for sample in SKILLS[skill]([SEED, SEED + 1]):
        view = seer.view(sample, most_frames=9)
        for asked in sample.asked:
            line = seer.line(sample, view, asked)
            said = [token for token, taught in zip(line.ids, line.taught, strict=True) if taught]
            text = seer.tokenizer.decode(said)
            # A frame's word has the space before it within itself.
            assert text.strip() == asked.answer.strip().replace(" <", "<")


def test_every_word_a_frame_says_is_known() -> None:
    from training.words import numbered

    for deal in SKILLS.values():
        for sample in deal([SEED + at for at in range(3)]):
            assert sample.scene is not None
            for frame in range(0, sample.scene.n_frames, 5):
                assert len(numbered(sample.scene.says(frame))) == 4
