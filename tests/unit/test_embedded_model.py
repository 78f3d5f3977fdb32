"""The carried model on the carried lessons, by the same path as a run: frame to score."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pytest

from edgeval import benchmarks, frames, model
from edgeval.media.decode import decode
from edgeval.media.probe import probe
from edgeval.modelfolder import manifest
from edgeval.types import Clip, Decoding, Prompt, Question

BENCHMARK = benchmarks.load("videommmu")
GREEDY = Decoding()
# The trained answer has at most twenty tokens; a blind one may go round in circles.
LONGEST = 48
FLOORS = {"perception": 70, "comprehension": 85, "adaptation": 90}
BLIND = [("question-only", "adaptation"), *(("blind", track) for track in FLOORS)]
# sha256 of the JSON of every prompt's token ids, one after the other: the tokens the model was
# trained on, made by the code that trained it.
TOKENS_SHA256 = "03677e21acfde20901df9540083f985a1308cd95c03c54f54316675086982c29"
MAX_BYTES = 12_000_000


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """One answered question: what was seen and asked, and its value under each rule."""

    setting: str
    question: Question
    prompt: Prompt
    frame_indices: tuple[int, ...]
    values: Mapping[str, float]


@pytest.fixture(scope="module")
def root() -> Path:
    """The embedded lessons."""
    assert BENCHMARK.embedded is not None
    return BENCHMARK.embedded


@pytest.fixture(scope="module")
def answered(root: Path) -> list[Answered]:
    """Every question in every setting, answered in full precision."""
    return run(root, precision="fp32", settings=("video", "question-only", "blind"))


@pytest.fixture(scope="module")
def answered_in_4_bits(root: Path) -> list[Answered]:
    """Every question with its video, answered by the small graphs."""
    return run(root, precision="q4", settings=("video",))


def run(root: Path, *, precision: str, settings: tuple[str, ...]) -> list[Answered]:
    """All questions of ``settings``."""
    tiny = model.open_model(manifest.find("tiny"), engine="cpu", precision=precision, threads=1)
    done = [
        answer for clip in BENCHMARK.clips(root, settings, ()) for answer in answers(tiny, clip)
    ]
    tiny.close()
    return done


def answers(tiny: model.Model, clip: Clip) -> Iterator[Answered]:
    """Look at a clip as a run does, and answer its questions."""
    seen = None
    if clip.video is not None:
        rule = dataclasses.replace(tiny.frame_rule(), include_last=clip.must_see_last)
        plan = frames.plan(probe(clip.video), rule)
        seen = decode(plan, shrink=tiny.shrinker(plan), workers=1)
    view = tiny.see(seen)
    for question in clip.questions:
        prompt = tiny.prompt(view, BENCHMARK.ask(clip, question))
        said = tiny.answer(view, prompt, GREEDY, LONGEST)
        scores = BENCHMARK.score(question, said.text)
        yield Answered(
            setting=clip.setting,
            question=question,
            prompt=prompt,
            frame_indices=seen.plan.indices if seen else (),
            values={score.rule: score.value or 0.0 for score in scores},
        )


def chosen(answered: list[Answered], setting: str, track: str) -> list[Answered]:
    """The sixty answers of one track in one setting."""
    found = [a for a in answered if a.setting == setting and a.question.tags["track"] == track]
    assert len(found) == 60
    return found


@pytest.mark.parametrize("rule", BENCHMARK.rules)
@pytest.mark.parametrize("track", FLOORS)
def test_with_the_video_it_learns_the_lesson(
    track: str, rule: str, answered: list[Answered]
) -> None:
    right = [a.values[rule] for a in chosen(answered, "video", track)]
    assert 100 * sum(right) / len(right) >= FLOORS[track]


@pytest.mark.parametrize("track", FLOORS)
def test_four_bits_are_enough(track: str, answered_in_4_bits: list[Answered]) -> None:
    right = [a.values["official"] for a in chosen(answered_in_4_bits, "video", track)]
    assert 100 * sum(right) / len(right) >= FLOORS[track]


@pytest.mark.parametrize("rule", BENCHMARK.rules)
@pytest.mark.parametrize(("setting", "track"), BLIND)
def test_without_the_video_it_guesses(
    setting: str, track: str, rule: str, answered: list[Answered]
) -> None:
    asked = chosen(answered, setting, track)
    low, high = guessing([a.question for a in asked])
    assert low <= sum(a.values[rule] for a in asked) <= high


def guessing(questions: list[Question]) -> tuple[int, int]:
    """The central 95 % of how many a guesser gets right; an open question is never guessed."""
    spread = np.ones(1)
    for question in questions:
        p = 1 / len(question.choices) if question.choices else 0.0
        spread = np.convolve(spread, [1 - p, p])
    low, high = np.searchsorted(spread.cumsum(), [0.025, 0.975])
    return int(low), int(high)


def test_each_lesson_is_seen_once_a_slide_and_to_its_last_frame(answered: list[Answered]) -> None:
    plans = {a.frame_indices for a in answered if a.setting == "video"}
    assert plans == {(0, 8, 17, 25, 34, 43, 51, 60, 69, 77, 86, 95)}


def test_prompts_are_the_tokens_it_was_trained_on(answered: list[Answered]) -> None:
    digest = hashlib.sha256()
    for a in answered:
        if a.setting == "video":
            digest.update(json.dumps(list(a.prompt.token_ids)).encode())
    assert digest.hexdigest() == TOKENS_SHA256


def test_lessons_and_model_are_small(root: Path) -> None:
    carried = [root, manifest.find("tiny")]
    sizes = [p.stat().st_size for folder in carried for p in folder.rglob("*") if p.is_file()]
    assert sum(sizes) <= MAX_BYTES
