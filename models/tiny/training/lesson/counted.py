"""Answers as the figures of the page: plain JSON, so that the page and its tests read the same."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edgeval import tally
from edgeval.analyses import variants
from edgeval.figures import Figure
from edgeval.modelfolder import manifest, sha256
from edgeval.synth import lessons_dataset
from edgeval.synth.nouns import TRACKS, Lesson, Slide
from edgeval.types import Record
from training import evaluation
from training.lesson.asking import QUESTION_ONLY, RUNS, TRUE, Answered, Asking, Sight, asking

Row = dict[str, Any]
SEED = 800_008
_FIRST, _N = lessons_dataset.FIRST_SEED, lessons_dataset.N_LESSONS
SEEDS = range(_FIRST, _FIRST + _N)
MODEL = "tiny"
_A_SLIDE = lessons_dataset.FPS * lessons_dataset.SECONDS_PER_SLIDE


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """The page's figures; of each change what the lesson then was to the model; its video."""

    figures: Row
    sights: Mapping[str, Sight]
    video: Path


def lesson_of(seed: int) -> tuple[str, Lesson]:
    """An embedded lesson by its seed, one of SEEDS, and its id."""
    made = {one.seed: one for one, _ in lessons_dataset.lessons_of(_FIRST, _N)}
    return lessons_dataset.lesson_id(made[seed]), made[seed]


def model_sha256() -> str:
    """Of the manifest of the model that ships, which holds those of all its files."""
    return sha256(manifest.find(MODEL) / manifest.FILE)


def measured(seed: int = SEED) -> Measured:
    """Ask everything: a minute and a quarter of one core."""
    keep, lesson = lesson_of(seed)
    everything: list[Answered] = []
    first: Asking | None = None
    for run in RUNS:
        now = asking(run, keep=keep)
        first = first or now
        everything += [one for one in now.answers if one.record.variant or now is first]
    assert first is not None
    own = [one for one in everything if one.record.question.clip_id == keep]
    sights = {one.record.variant: one.sight for one in own if one.sight is not None}
    shown = [one.record for one in own if not one.record.variant]
    video = first.work.root / shown[0].video
    return Measured(
        figures={
            "model": _model(first.card),
            "lesson": _lesson(lesson, shown[0], sights[TRUE], video),
            "questions": [_question(record, first) for record in shown],
            "changes": _changes(everything, keep, sights),
            "guess": _guess([one.record for one in everything if not one.record.variant]),
            "verdict": _verdict(everything),
        },
        sights=sights,
        video=video,
    )


def _model(card: Mapping[str, Any]) -> Row:
    model = card["identity"]["model"]
    image = manifest.load(manifest.find(MODEL)).image
    return {
        "name": model["name"],
        "manifest_sha256": model_sha256(),
        "precision": model["precision"],
        "engine": f"{model['engine_version']}, {model['engine']}",
        "square": image["square"],
        "tokens": image["tokens"],
    }


def _lesson(lesson: Lesson, shown: Record, sight: Sight, video: Path) -> Row:
    each = len(sight.words) // len(sight.squares)
    slides = [lesson.slides[index // _A_SLIDE] for index in shown.frame_indices]
    return {
        "seed": lesson.seed,
        "id": shown.question.clip_id,
        "kind": lesson.kind,
        "discipline": lesson.discipline,
        "video": shown.video,
        "bytes": video.stat().st_size,
        "sha256": shown.video_sha256,
        "sent": sight.sent,
        "frames": [
            {
                "index": index,
                "second": index / lessons_dataset.FPS,
                "slide": slide.kind,
                "shows": _shows(slide),
                "words": list(sight.words[each * at : each * (at + 1)]),
            }
            for at, (index, slide) in enumerate(zip(shown.frame_indices, slides, strict=True))
        ],
    }


def _shows(slide: Slide) -> str:
    if slide.kind in ("title", "rule"):
        return " ".join(slide.lines) or slide.header
    return " ".join(str(one) if hasattr(one, "colour") else one.text for one in slide.things)


def _question(record: Record, first: Asking) -> Row:
    question, prompt = record.question, record.prompt
    assert prompt is not None
    assert record.stages is not None
    token = first.work.model.tokenizer.id(first.work.model.processor.image_tokens[0])
    return {
        "track": question.tags["track"],
        "text": question.text,
        "choices": list(question.choices),
        "answer": question.answer,
        "prompt": prompt.text,
        "tokens": prompt.n_tokens,
        "shared": prompt.shared_prefix_len,
        "pictures": sum(times for one, times in record.stages.prompt_ids if one == token),
    }


def _changes(everything: Sequence[Answered], keep: str, sights: Mapping[str, Sight]) -> Row:
    found: dict[str, list[Answered]] = {}
    for one in everything:
        found.setdefault(one.record.variant, []).append(one)
    true = {_plain(one.record): one.record for one in found[TRUE]}
    rule = next(iter(found[TRUE][0].record.scores))
    drops = {
        figure.group: _figure(figure)
        for figure in variants.figures([one.record for one in everything], (rule,))
        if figure.name == variants.DROP
    }
    return {
        name: {
            "frames": len(_of(answers, keep)[0].record.frame_indices),
            "like": _like(name, sights),
            "slides": _slides(_of(answers, keep)[0].record),
            "lesson": {
                one.record.question.tags["track"]: answer(one) for one in _of(answers, keep)
            },
            **_scores([one.record for one in answers], rule),
            "drop": drops.get(name),
            "same": sum(_said(one.record) == _said(true[_plain(one.record)]) for one in answers),
            "margin": _median([one.margin for one in answers if one.margin is not None]),
            "n_margin": sum(one.margin is not None for one in answers),
        }
        for name, answers in found.items()
    }


def _like(name: str, sights: Mapping[str, Sight]) -> str:
    """The first change that shows the very same squares in the same order; itself where none."""
    if name not in sights:
        return name
    mine = np.stack(sights[name].squares)
    same = (
        other for other, sight in sights.items() if np.array_equal(np.stack(sight.squares), mine)
    )
    return next(same)


def _slides(record: Record) -> list[int]:
    """Which slide each frame is of, from 1; none where the video is no lesson."""
    if record.variant == QUESTION_ONLY:
        return []
    return [index // _A_SLIDE + 1 for index in record.frame_indices]


def _of(answers: Sequence[Answered], keep: str) -> list[Answered]:
    return [one for one in answers if one.record.question.clip_id == keep]


def answer(one: Answered) -> Row:
    """An answer about the lesson as the page has it."""
    score = next(iter(one.record.scores.values()))
    return {
        "said": _said(one.record),
        "value": score.value,
        "margin": None if one.margin is None else round(one.margin, 2),
    }


def _scores(records: Sequence[Record], rule: str) -> Row:
    by_track: dict[str, list[Record]] = {track: [] for track in TRACKS}
    for record in records:
        by_track[record.question.tags["track"]].append(record)
    halves: dict[bool, list[Record]] = {True: [], False: []}
    for record in records:
        halves[bool([*evaluation.by_order([record])])].append(record)
    cells = tally.cells(records, rule)
    return {
        "tracks": {track: _accuracy(held, rule) for track, held in by_track.items() if held},
        "all": _accuracy(records, rule),
        "order": _accuracy(halves[True], rule) if halves[True] else None,
        "lookup": _accuracy(halves[False], rule) if halves[False] else None,
        "unread": sum(cell.status == "unparsed" for cell in cells),
    }


def _accuracy(records: Sequence[Record], rule: str) -> Row:
    cells = tally.cells(records, rule)
    return _figure(tally.accuracy(("accuracy", rule, ""), cells, tally.mean(cells)))


def _figure(figure: Figure) -> Row:
    values = (figure.value, figure.low, figure.high)
    value, low, high = (None if one is None else round(one, 2) for one in values)
    return {"value": value, "low": low, "high": high, "n": figure.n}


def _guess(records: Sequence[Record]) -> Row:
    """What a guesser gets of each track, in percent; an open question is never guessed."""
    shares: dict[str, list[float]] = {}
    for record in records:
        n = len(record.question.choices)
        shares.setdefault(record.question.tags["track"], []).append(1 / n if n else 0.0)
    shares["all"] = [share for held in shares.values() for share in held]
    return {track: _guessed(held) for track, held in shares.items()}


def _guessed(shares: Sequence[float]) -> Row:
    n = len(shares)
    low, high = (round(100 * hits / n, 2) for hits in evaluation.middle(shares))
    return {"value": round(100 * sum(shares) / n, 2), "low": low, "high": high, "n": n}


def _verdict(everything: Sequence[Answered]) -> str:
    records = [one.record for one in everything]
    rule = next(iter(records[0].scores))
    return variants.verdict(variants.figures(records, (rule,)), rule)


def _plain(record: Record) -> str:
    return record.question.id.removesuffix(f"#{record.variant}")


def _said(record: Record) -> str:
    return record.answer.strip()


def _median(margins: Sequence[float]) -> float | None:
    return round(statistics.median(margins), 2) if margins else None
