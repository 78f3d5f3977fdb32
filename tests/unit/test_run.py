"""What the straight line hands to the model: segment, image, system turn, captions; what fails."""

from __future__ import annotations

import dataclasses
import gc
import weakref
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from edgeval import benchmarks, run, seeing
from edgeval.engines import Context
from edgeval.generate import Alone, Rows, Saying
from edgeval.media.encode import encode
from edgeval.pixels import to_rgb
from edgeval.png import write_png
from edgeval.processor import Conduct, Shrink
from edgeval.runfolder.journal import Journal
from edgeval.types import (
    Ask,
    Caption,
    Clip,
    Decoding,
    FramePlan,
    FrameRule,
    Frames,
    Generation,
    Prompt,
    Question,
    Timing,
)


class ScriptedView:
    """What a scripted model saw."""

    def __init__(self, frames: Frames | None, system: str, captions: Sequence[Caption]) -> None:
        self.frames, self.system, self.captions = frames, system, tuple(captions)

    def pixel_sha256(self) -> str:
        return ""


class ScriptedModel:
    """Answers B and remembers what it was shown and asked."""

    def __init__(self) -> None:
        self.views: list[ScriptedView] = []
        self.asks: list[Ask] = []

    conduct = Conduct()

    def shrinker(self, _plan: FramePlan, *, still: bool = False) -> Shrink:
        return to_rgb

    def see(
        self, frames: Frames | None, *, system: str = "", captions: Sequence[Caption] = ()
    ) -> ScriptedView:
        self.views.append(ScriptedView(frames, system, captions))
        return self.views[-1]

    def prompt(self, _view: ScriptedView, ask: Ask) -> Prompt:
        self.asks.append(ask)
        return Prompt(text=ask.text, token_ids=(1, 2), shared_prefix_len=0)

    def answering(
        self, _view: ScriptedView, _prompt: Prompt, _decoding: Decoding, max_new_tokens: int
    ) -> Saying[Context, Generation]:
        assert max_new_tokens > 0
        timing = Timing(prefill_s=2.0, step_s=(1.0,))
        yield from ()
        return Generation(text="B", token_ids=(3,), stop="eos", timing=timing)

    def rows(self, n: int) -> Rows[Context]:
        assert n == 1
        return Alone()


class Silent:
    """An observer that keeps the steps."""

    wants_digests = True

    def __init__(self) -> None:
        self.steps: list[run.Step] = []

    def started(self, *, total: int, records: object) -> None:
        assert total > 0

    def asked(self, step: run.Step) -> None:
        self.steps.append(step)

    def recorded(self, record: object) -> None:
        assert record


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """40 frames at 4 a second, each brighter than the one before."""
    path = tmp_path_factory.mktemp("video") / "v.mp4"
    encode(path, (np.full((32, 32, 3), 5 * i, np.uint8) for i in range(40)), fps=4, crf=10)
    return path


def make_clip(video: Path | None, **fields: object) -> Clip:
    question = Question(
        id="video_mmmu_perception:dev_Math_1",
        row_id="dev_Math_1",
        clip_id="c",
        task="video_mmmu_perception",
        text="Which?",
        answer="B",
        kind="choice",
        choices=("x", "y"),
        tags={
            "track": "perception",
            "subject": "Math",
            "discipline": "Science",
            "question_type": "multiple-choice",
            "video": "v",
        },
    )
    return Clip(id="c", setting="video", video=video, questions=(question,), **fields)


def work_of(model: ScriptedModel, clips: Sequence[Clip], root: Path) -> seeing.Work:
    return seeing.Work(
        benchmark=benchmarks.load("videommmu"),
        root=root,
        clips=tuple(clips),
        model=model,
        rule=FrameRule(how="linspace_floor", n=4),
        decoding=Decoding(),
    )


def asked(
    clip: Clip, folder: Path, how: str = "linspace_floor", prompting: str = "direct"
) -> tuple[ScriptedModel, run.Step]:
    model, observer = ScriptedModel(), Silent()
    work = dataclasses.replace(
        work_of(model, [clip], folder), rule=FrameRule(how=how, n=4), prompting=prompting
    )
    with Journal.create(folder / "run", {"identity": {}}) as journal:
        run.execute(work, journal, observer)
    return model, observer.steps[0]


def test_a_segment_is_all_that_is_seen(video: Path, tmp_path: Path) -> None:
    model, step = asked(make_clip(video, segment_s=(2.0, 5.0)), tmp_path)
    assert step.record.frame_indices == (8, 12, 16, 20)
    frames = model.views[0].frames
    assert frames is not None
    brightness = [float(np.mean(image)) for image in frames.pixels]
    assert brightness == pytest.approx([40, 60, 80, 100], abs=4)


class Forgetful(ScriptedModel):
    """Keeps no view, and says how many are alive when it looks."""

    def __init__(self) -> None:
        super().__init__()
        self.alive: list[int] = []
        self.known: list[weakref.ref[ScriptedView]] = []

    def see(
        self, frames: Frames | None, *, system: str = "", captions: Sequence[Caption] = ()
    ) -> ScriptedView:
        self.alive.append(sum(view() is not None for view in self.known))
        view = ScriptedView(frames, system, captions)
        self.known.append(weakref.ref(view))
        return view


class Passing(Silent):
    """An observer that keeps nothing."""

    def asked(self, step: run.Step) -> None:
        assert step.view is not None


def test_one_clips_view_is_let_go_before_the_next_is_made(video: Path, tmp_path: Path) -> None:
    """Two would need twice the memory of keys and values."""
    first = make_clip(video)
    clips = [
        dataclasses.replace(
            first,
            id=f"c{i}",
            questions=(dataclasses.replace(first.questions[0], id=f"video_mmmu_perception:{i}"),),
        )
        for i in range(3)
    ]
    model = Forgetful()
    work = work_of(model, clips, tmp_path)
    gc.disable()
    try:
        with Journal.create(tmp_path / "run", {"identity": {}}) as journal:
            run.execute(work, journal, Passing())
    finally:
        gc.enable()
    assert model.alive == [0, 0, 0]


def test_an_image_comes_behind_the_frames(video: Path, tmp_path: Path) -> None:
    image = tmp_path / "now.png"
    write_png(image, np.full((24, 24, 3), 200, np.uint8))
    model, step = asked(make_clip(video, image=image), tmp_path)
    frames = model.views[0].frames
    assert frames is not None
    assert len(frames.pixels) == 4
    assert [still.shape for still in frames.stills] == [(24, 24, 3)]
    assert int(np.mean(frames.stills[0])) == 200
    assert step.frames is not None
    assert len(step.frames.digests) == 5


def test_an_image_alone_is_seen_too(tmp_path: Path) -> None:
    image = tmp_path / "now.png"
    write_png(image, np.full((24, 24, 3), 200, np.uint8))
    model, _ = asked(make_clip(None, image=image), tmp_path)
    frames = model.views[0].frames
    assert frames is not None
    assert [int(np.mean(one)) for one in frames.stills] == [200]


def test_system_turn_and_captions_reach_the_model(video: Path, tmp_path: Path) -> None:
    model, _ = asked(make_clip(video, system="Watch.", captions=((1.0, "hello"),)), tmp_path)
    assert (model.views[0].system, model.views[0].captions) == ("Watch.", ((1.0, "hello"),))


def test_nothing_to_see_is_a_blind_view(tmp_path: Path) -> None:
    model, step = asked(make_clip(None), tmp_path)
    assert model.views[0].frames is None
    assert step.record.frame_indices == ()
    assert step.record.scores["official"].value == 1


def test_a_video_that_breaks_is_a_failure_worth_nothing(tmp_path: Path) -> None:
    broken = tmp_path / "b.mp4"
    broken.write_bytes(b"<html>")
    model, step = asked(make_clip(broken), tmp_path)
    assert model.views == []
    assert step.record.failure is not None
    assert step.record.failure.kind == "video"
    assert {score.status for score in step.record.scores.values()} == {"error"}
    assert {score.value for score in step.record.scores.values()} == {0.0}


@pytest.mark.parametrize(
    ("way", "others_s"), [("direct", 0.0), ("cot", 3.0), ("self-consistency", 12.0)]
)
def test_every_turn_of_a_way_of_prompting_is_paid_for(
    way: str, others_s: float, tmp_path: Path
) -> None:
    """Each turn of the scripted model takes 3 s; the last one stands under its own stages."""
    _, step = asked(make_clip(None), tmp_path, prompting=way)
    assert step.record.generation is not None
    timing = step.record.generation.timing
    assert timing.other_turns_s == others_s
    assert timing.question_s == others_s + 3.0
