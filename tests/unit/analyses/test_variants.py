"""Ablations: what is asked, and what three models of known nature are found to be."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from edgeval import frames
from edgeval.analyses import variants
from edgeval.errors import UnknownName
from edgeval.types import Clip, FrameRule, Generation, Question, Record, Score, Timing, VideoInfo

RULE = FrameRule(how="linspace_floor", n=8)
N_FRAMES = 64
# What a scripted model is shown: the frame numbers, in the order shown, of the video it is about.
Seen = tuple[str, tuple[int, ...]] | None


def make_clips(n: int) -> tuple[Clip, ...]:
    clips = []
    for i in range(n):
        question = Question(
            id=f"t:{i}",
            row_id=str(i),
            clip_id=f"c{i}",
            task="t",
            text="?",
            answer="A",
            kind="choice",
            choices=("x", "y", "z", "w"),
            tags={},
        )
        clips.append(
            Clip(id=f"c{i}", setting="video", video=Path(f"{i}.mp4"), questions=(question,))
        )
    return tuple(clips)


def shown(clip: Clip) -> Seen:
    if clip.video is None:
        return None
    info = VideoInfo(
        path=clip.video,
        n_frames=N_FRAMES,
        fps=8.0,
        duration_s=8.0,
        width=8,
        height=8,
        rotation_deg=0,
        pix_fmt="yuv420p",
        codec="h264",
        pts_s=np.arange(N_FRAMES) / 8.0,
    )
    return clip.video.stem, frames.plan(info, variants.rule_of(clip.variant, RULE)).indices


def luck(key: str) -> bool:
    """A guess among four, the same whenever it is asked the same."""
    return sum(key.encode()) % 4 == 0


def text_only(_seen: Seen, clip: Clip) -> bool:
    return int(clip.id[1:]) % 2 == 0


def bag_of_frames(seen: Seen, clip: Clip) -> bool:
    right = seen is not None and seen[0] == clip.id[1:] and len(set(seen[1])) == 8
    return right or luck(f"{clip.id}{clip.variant}")


def order_aware(seen: Seen, clip: Clip) -> bool:
    right = seen is not None and seen[0] == clip.id[1:] and list(seen[1]) == sorted(seen[1])
    return (right and len(set(seen[1] if seen else ())) == 8) or luck(f"{clip.id}{clip.variant}")


def asked(model: Callable[[Seen, Clip], bool], clips: Sequence[Clip]) -> list[Record]:
    records = []
    for clip in variants.spread(clips, variants.ABLATIONS):
        value = float(model(shown(clip), clip))
        records.append(
            Record(
                question=clip.questions[0],
                setting=clip.setting,
                variant=clip.variant,
                generation=Generation(text="A", token_ids=(1,), stop="eos", timing=Timing()),
                scores={"r": Score(rule="r", value=value, parsed="A", status="scored")},
            )
        )
    return records


@pytest.mark.parametrize("n", [40, 100, 300])
@pytest.mark.parametrize(
    ("model", "wanted"),
    [
        (text_only, "no sign that it watches"),
        (bag_of_frames, "not the order"),
        (order_aware, "and the order of its frames"),
    ],
)
def test_models_of_known_nature_are_told_apart(
    model: Callable[[Seen, Clip], bool], wanted: str, n: int
) -> None:
    figures = variants.figures(asked(model, make_clips(n)), ("r",))
    assert wanted in variants.verdict(figures, "r")


def test_drops_are_paired_and_named() -> None:
    figures = variants.figures(asked(order_aware, make_clips(40)), ("r",))
    drops = {figure.group: figure for figure in figures if figure.name == variants.DROP}
    assert set(drops) == set(variants.ABLATIONS)
    for figure in drops.values():
        assert figure.n == 40
        assert figure.low is not None
        assert figure.value is not None
        assert figure.low <= figure.value


def test_every_variant_stands_behind_its_clip_with_ids_of_its_own() -> None:
    clips = make_clips(3)
    spread = list(variants.spread(clips, ("blind", "reverse")))
    assert [clip.variant for clip in spread] == ["", "blind", "reverse"] * 3
    assert [clip.id for clip in spread] == ["c0"] * 3 + ["c1"] * 3 + ["c2"] * 3
    ids = [question.id for clip in spread for question in clip.questions]
    assert len(set(ids)) == len(ids)


def test_the_wrong_video_is_another_of_the_same_setting() -> None:
    clips = (*make_clips(3), dataclasses.replace(make_clips(1)[0], setting="other"))
    wrong = [clip for clip in variants.spread(clips, ("wrong-video",)) if clip.variant]
    assert [str(clip.video) for clip in wrong] == ["1.mp4", "2.mp4", "0.mp4", "0.mp4"]


def test_a_clip_without_video_has_no_variants() -> None:
    clip = dataclasses.replace(make_clips(1)[0], video=None)
    assert list(variants.spread([clip], variants.ABLATIONS)) == [clip]


def test_budgets_are_nested() -> None:
    names = variants.budgets((4, 1, 2, 8, 2))
    assert names == ("frames=1", "frames=2", "frames=4", "frames=8")
    sets = []
    for name in names:
        clip = dataclasses.replace(make_clips(1)[0], variant=name)
        seen = shown(clip)
        assert seen is not None
        sets.append(set(seen[1]))
    assert [len(one) for one in sets] == [1, 2, 4, 8]
    assert all(small < large for small, large in itertools.pairwise(sets))


def test_an_unknown_ablation_is_named() -> None:
    with pytest.raises(UnknownName, match="did you mean shuffle"):
        variants.check(["shufle"])


@pytest.mark.parametrize("needed", [2, 4, 8])
def test_the_knee_is_where_frames_stop_helping(needed: int) -> None:
    records = []
    for clip in variants.spread(make_clips(60), variants.budgets((1, 2, 4, 8, 16))):
        seen = shown(clip)
        value = float((seen is not None and len(set(seen[1])) >= needed) or luck(clip.id))
        records.append(
            Record(
                question=clip.questions[0],
                setting=clip.setting,
                variant=clip.variant,
                scores={"r": Score(rule="r", value=value, parsed="A", status="scored")},
            )
        )
    figures = variants.figures(records, ("r",))
    (knee,) = [figure for figure in figures if figure.name == variants.KNEE]
    assert knee.value == needed
    assert (knee.low, knee.high) == (needed, needed)
    assert knee.n == 60


def told(n: int) -> list[Record]:
    """Track a is learnt from the transcript, track b is not helped; odd questions are known."""
    clips = tuple(
        dataclasses.replace(
            clip,
            questions=tuple(
                dataclasses.replace(question, tags={"track": "ab"[i % 2]})
                for question in clip.questions
            ),
        )
        for i, clip in enumerate(make_clips(n))
    )
    known = {clip.id: "said" for clip in clips[: n // 2]}
    return [
        Record(
            question=clip.questions[0],
            setting=clip.setting,
            variant=clip.variant,
            scores={
                "r": Score(
                    rule="r",
                    value=float(
                        int(clip.id[1:]) % 4 == 1
                        or (clip.transcript == "said" and clip.questions[0].tags["track"] == "a")
                    ),
                    parsed="A",
                    status="scored",
                )
            },
        )
        for clip in variants.spread(clips, (), known)
    ]


def test_budgets_are_told_from_the_smallest_whatever_order_they_were_asked_in() -> None:
    records = asked(text_only, list(variants.spread(make_clips(6), variants.budgets((16, 2, 1)))))
    records.sort(key=lambda record: record.variant)
    groups = [figure.group for figure in variants.figures(records, ("r",))]
    assert [name for name in dict.fromkeys(groups) if name.startswith("frames=")] == [
        "frames=1",
        "frames=2",
        "frames=16",
    ]


def test_a_knee_on_few_videos_has_no_interval() -> None:
    records = asked(text_only, list(variants.spread(make_clips(2), variants.budgets((1, 2)))))
    (knee,) = [f for f in variants.figures(records, ("r",)) if f.name == variants.KNEE]
    assert (knee.value, knee.low, knee.high) == (1, None, None)


def test_every_watched_clip_is_told_its_transcript_or_none() -> None:
    clips = (*make_clips(2), dataclasses.replace(make_clips(1)[0], setting="question-only"))
    spread = list(variants.spread(clips, ("blind",), {"c1": "said"}))
    assert [(clip.id, clip.setting, clip.variant, clip.transcript) for clip in spread] == [
        ("c0", "video", "", None),
        ("c0", "transcript", "transcript", None),
        ("c0", "video", "blind", None),
        ("c1", "video", "", None),
        ("c1", "transcript", "transcript", "said"),
        ("c1", "video", "blind", None),
        ("c0", "question-only", "", None),
        ("c0", "question-only", "blind", None),
    ]
    assert spread[1].video == clips[0].video
    assert spread[1].questions[0].id == "t:0#transcript"


def test_what_the_transcript_adds_is_told_by_tag() -> None:
    figures = variants.figures(told(40), ("r",), "track")
    found = {figure.group: figure for figure in figures if figure.name == variants.DIFFERENCE}
    values = {group: (figure.value, figure.n) for group, figure in found.items()}
    assert values == {
        "transcript": (25.0, 40),
        "transcript,track=a": (50.0, 20),
        "transcript,track=b": (0.0, 20),
    }
    gain = found["transcript,track=a"]
    assert gain.low is not None
    assert gain.high is not None
    assert 0 < gain.low < 50 < gain.high <= 100
    # None of twenty videos differs: up to 17 of a hundred others might, by the exact interval.
    same = found["transcript,track=b"]
    assert same.low == pytest.approx(-100 * (1 - 0.025 ** (1 / 20)))
    assert same.high == pytest.approx(100 * (1 - 0.025 ** (1 / 20)))


def test_a_transcript_is_no_sign_of_not_watching() -> None:
    assert variants.verdict(variants.figures(told(40), ("r",), "track"), "r") == ""
