"""Cognitive maps out of a model: asked for scene by scene, judged, and handed back with questions.

The same clips are asked again as in a run: for a map of the scene, then what is relatively near
with no map, with the model's own and with the true one.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from edgeval.analyses import prompting
from edgeval.analyses.cognitive_map import CognitiveMap, accuracy, asking, truth
from edgeval.errors import ArgumentError
from edgeval.figures import Report
from edgeval.run import steps
from edgeval.scenes import Scene
from edgeval.seeing import Work
from edgeval.types import Ask, Clip, Question, Record

BENCHMARK = "vsibench"
NEAREST = "object_rel_distance"
NO_MAP, OWN_MAP, TRUE_MAP = WAYS = ("no map", "own map", "true map")

Maps = Mapping[str, CognitiveMap]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapped:
    """One clip's true map, what the model said when asked for it, and the map read in that.

    ``clip``: the clip's id; ``own``: None where no whole map was said.
    """

    clip: str
    true: CognitiveMap
    said: str
    own: CognitiveMap | None


def known_clips(work: Work, scenes: Sequence[Scene], *, grid: int) -> tuple[Work, Maps]:
    """The work's clips that are shown as they are, once each, of scenes with objects; true maps.

    A scene is known by its dataset and name. Raises ArgumentError where none of them is.
    """
    if work.benchmark.name != BENCHMARK:
        raise ArgumentError(f"maps: got a run of {work.benchmark.name}; wants one of {BENCHMARK}")
    every = {f"{one.dataset}/{one.name}": truth.true_map(one, grid=grid) for one in scenes}
    true = {name: found for name, found in every.items() if len(found.places) > 1}
    first: dict[str, Clip] = {}
    for clip in work.clips:
        if clip.video is not None and not clip.variant and clip.id in true:
            first.setdefault(clip.id, clip)
    if not first:
        raise ArgumentError(
            f"maps: got {len(every)} scenes, and none of them is shown in the run; wants the scene "
            "geometry of its own videos, --scenes META.json"
        )
    return dataclasses.replace(work, clips=tuple(first.values())), {key: true[key] for key in first}


def mapped(work: Work, true: Maps) -> Iterator[Mapped]:
    """Each clip's map as the model has it. Raises ArgumentError for what cannot be shown."""

    def ask(clip: Clip, _question: Question) -> Ask:
        known = true[clip.id]
        text = asking.prompt(list(known.places), grid=known.grid)
        return Ask(text=text, max_new_tokens=prompting.THINKING_TOKENS)

    once = [dataclasses.replace(clip, questions=clip.questions[:1]) for clip in work.clips]
    plain = dataclasses.replace(work, prompting=prompting.DIRECT)
    for clip, record in zip(once, _asked(plain, once, ask), strict=True):
        known = true[clip.id]
        own = asking.read_map(record.answer, known.places, grid=known.grid)
        yield Mapped(clip=clip.id, true=known, said=record.answer, own=own)


def answered(work: Work, found: Sequence[Mapped]) -> dict[str, tuple[Record, ...]]:
    """What is nearest to what: the records of each of WAYS.

    Own maps stand where the model has said one; the other questions are not asked with one.
    """
    maps: dict[str, Maps] = {
        OWN_MAP: {one.clip: one.own for one in found if one.own is not None and one.own.places},
        TRUE_MAP: {one.clip: one.true for one in found},
    }
    asked: dict[str, tuple[Record, ...]] = {}
    for way in WAYS:
        held = maps.get(way)
        clips = [left for clip in work.clips if (left := _about_distance(clip)).questions]
        if held is not None:
            clips = [clip for clip in clips if clip.id in held]
        asked[way] = tuple(_asked(work, clips, _with(work, held or {})))
    return asked


def reports(
    work: Work, found: Sequence[Mapped], asked: Mapping[str, Sequence[Record]]
) -> tuple[Report, Report | None]:
    """How right the maps are; what they do to answers, None where nothing was asked."""
    figures = accuracy.figures(
        [pair for one in found for pair in accuracy.pairs(one.clip, one.own, one.true)]
    )
    unread = sum(one.own is None for one in found)
    note = f"{len(found)} scenes, in {unread} of them no whole map was said; its pairs are wrong"
    of_maps = Report(
        benchmark=BENCHMARK,
        figures=figures,
        headline=tuple((f.name, f.rule, f.group) for f in figures),
        references=accuracy.PUBLISHED,
        notes=(note,),
    )
    held = {way: records for way, records in asked.items() if records}
    if not held:
        return of_maps, None
    answers = tuple(f for rule in work.benchmark.rules for f in accuracy.compared(held, rule))
    of_answers = Report(
        benchmark=BENCHMARK,
        figures=answers,
        headline=tuple((f.name, f.rule, f.group) for f in answers),
        references=accuracy.WITH_MAPS,
        notes=(f"relative distance, over the questions asked with {', '.join(held)}",),
    )
    return of_maps, of_answers


def _about_distance(clip: Clip) -> Clip:
    left = tuple(one for one in clip.questions if one.tags.get("question_type") == NEAREST)
    return dataclasses.replace(clip, questions=left)


def _with(work: Work, maps: Maps) -> Callable[[Clip, Question], Ask]:
    def ask(clip: Clip, question: Question) -> Ask:
        asked = work.benchmark.ask(clip, question)
        known = maps.get(clip.id)
        if known is None:
            return asked
        return dataclasses.replace(asked, text=asking.with_map(asked.text, known))

    return ask


def _asked(
    work: Work, clips: Sequence[Clip], ask: Callable[[Clip, Question], Ask]
) -> Iterator[Record]:
    benchmark = dataclasses.replace(work.benchmark, ask=ask)
    other = dataclasses.replace(work, clips=tuple(clips), benchmark=benchmark)
    for step in steps(other):
        yield step.record
