"""Does it really watch? The same questions with the video taken away, thinned or put out of order.

Each variant asks everything again; what it changes in the score, question by question, says what
the model used. Frame budgets are variants too: nested sets, so a larger one only adds frames. So is
the transcript of what is said, told beside the video.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from edgeval import tally
from edgeval.errors import UnknownName
from edgeval.figures import Figure
from edgeval.tally import Cell
from edgeval.types import Clip, FrameRule, Record

ABLATIONS = ("blind", "single", "shuffle", "reverse", "wrong-video")
BUDGET = "frames="
TRUE = "as it is"
DROP = "drop"
TRANSCRIPT = "transcript"
WATCHED = "video"
DIFFERENCE = "difference"
KNEE = "knee"
KNEE_POINTS = 1.0


def check(names: Sequence[str]) -> tuple[str, ...]:
    """The names, each once, in order. Raises UnknownName."""
    for name in names:
        if name not in ABLATIONS:
            raise UnknownName("ablation", name, ABLATIONS)
    return tuple(dict.fromkeys(names))


def budgets(counts: Sequence[int]) -> tuple[str, ...]:
    """Variant names of frame budgets, the smallest first."""
    return tuple(f"{BUDGET}{count}" for count in sorted(set(counts)))


def spread(
    clips: Sequence[Clip], names: Sequence[str], told: Mapping[str, str] | None = None
) -> Iterator[Clip]:
    """Every clip followed by its variants, so that what was asked stays paired when a run stops.

    A clip without a video has none: there is nothing to take away. Question ids of a variant are
    those of the true asking with "#<variant>" behind. The wrong video is the next other one, in
    the order of the clips, of the same setting; its whole length stands for the asked segment.
    ``told``: clip id to transcript; every clip of the setting WATCHED is then also asked as in the
    setting TRANSCRIPT, those without a transcript too.
    """
    following = _following(clips)
    for clip in clips:
        yield clip
        if told is not None and clip.setting == WATCHED:
            said = dataclasses.replace(clip, setting=TRANSCRIPT, transcript=told.get(clip.id))
            yield _named(said, TRANSCRIPT)
        if clip.video is None:
            continue
        for name in names:
            if name == "blind":
                changed = dataclasses.replace(clip, video=None, image=None, captions=())
            elif name == "wrong-video":
                other = following[(clip.setting, clip.video)]
                changed = dataclasses.replace(clip, video=other, segment_s=None)
            else:
                changed = clip
            yield _named(changed, name)


def _named(clip: Clip, variant: str) -> Clip:
    questions = tuple(
        dataclasses.replace(question, id=f"{question.id}#{variant}") for question in clip.questions
    )
    return dataclasses.replace(clip, questions=questions, variant=variant)


def _following(clips: Sequence[Clip]) -> Mapping[tuple[str, Path], Path]:
    """(setting, video) to the next video of that setting; to itself where it is the only one."""
    videos: dict[str, dict[Path, None]] = {}
    for clip in clips:
        if clip.video is not None:
            videos.setdefault(clip.setting, {})[clip.video] = None
    following = {}
    for setting, known in videos.items():
        ring = list(known)
        for here, after in zip(ring, ring[1:] + ring[:1], strict=True):
            following[(setting, here)] = after
    return following


def rule_of(variant: str, rule: FrameRule) -> FrameRule:
    """The frame rule of a variant, made from the true one."""
    if variant == "single":
        return dataclasses.replace(
            rule, how="segment_midpoints", n=1, order="forward", short="repeat"
        )
    if variant == "reverse":
        return dataclasses.replace(rule, order="reverse")
    if variant == "shuffle":
        return dataclasses.replace(rule, order="shuffle")
    if variant.startswith(BUDGET):
        return dataclasses.replace(
            rule, how="nested", n=int(variant.removeprefix(BUDGET)), short="repeat"
        )
    return rule


def figures(records: Sequence[Record], rules: Sequence[str], by: str = "") -> tuple[Figure, ...]:
    """Per rule and variant: its accuracy, and how far it falls below the true asking, paired.

    Only questions asked both ways count; intervals resample whole videos. What the transcript adds
    is told for each value of the tag ``by`` as well.
    """
    names = sorted({record.variant for record in records if record.variant}, key=_place)
    found = [
        figure for rule in rules for name in names for figure in _pair(records, rule, name, by)
    ]
    if sum(name.startswith(BUDGET) for name in names) > 1:
        found += [_knee(records, rule) for rule in rules]
    return tuple(found)


def _place(name: str) -> tuple[int, str]:
    """Ablations by name, then the transcript, then budgets from the smallest."""
    if name.startswith(BUDGET):
        return int(name.removeprefix(BUDGET)), ""
    return (0 if name == TRANSCRIPT else -1), name


def _knee(records: Sequence[Record], rule: str) -> Figure:
    """The smallest budget that comes within KNEE_POINTS of the largest (ours), resampled whole.

    Its value and interval are frames, not percent.
    """
    cells: dict[str, dict[int, Cell]] = {}
    for record in records:
        if record.variant.startswith(BUDGET):
            frames = int(record.variant.removeprefix(BUDGET))
            cells.setdefault(_true_id(record), {})[frames] = tally.cells([record], rule)[0]
    known = sorted({frames for asked in cells.values() for frames in asked})
    whole = [
        [asked[frames] for frames in known]
        for asked in cells.values()
        if all(frames in asked and asked[frames].value is not None for frames in known)
    ]
    every = [cell for row in whole for cell in row]
    key = (KNEE, rule, f"within {KNEE_POINTS:g} points of {known[-1]} frames")
    if not whole:
        return tally.figure(key, every, value=None, note=tally.NOTHING)
    columns = np.array([[cell.value or 0.0 for cell in row] + [1.0] for row in whole])

    def knees(sums: tally.Sums) -> tally.Sums:
        shares = tally.divided(sums[:, :-1], sums[:, -1:])
        near = shares >= shares[:, -1:] - KNEE_POINTS / 100 - 1e-12
        found: tally.Sums = np.asarray(known, np.float64)[near.argmax(axis=1)]
        return found

    value = float(knees(columns.sum(axis=0, keepdims=True))[0])
    clusters = [row[0].cluster for row in whole]
    found = tally.interval(columns, clusters, knees)
    bounds = (found[0] / 100, found[1] / 100) if found else None
    if bounds is None and len(set(clusters)) >= tally.MIN_CLUSTERS:
        bounds = (value, value)  # Every resample has it there.
    note = "in frames, not percent"
    return tally.figure(key, every, value=value, bounds=bounds, n=len(whole), note=note)


def _pair(records: Sequence[Record], rule: str, name: str, by: str) -> Iterator[Figure]:
    pairs = _pairs(records, rule, name)
    yield from _compared((rule, name), pairs, fell=name != TRANSCRIPT)
    if name != TRANSCRIPT:
        return
    tags = (before.question.tags for before, _ in pairs)
    for value in dict.fromkeys(tag[by] for tag in tags if by in tag):
        part = [pair for pair in pairs if pair[0].question.tags.get(by) == value]
        yield from _compared((rule, f"{name},{by}={value}"), part, fell=False)


def _compared(
    key: tuple[str, str], pairs: Sequence[tuple[Cell, Cell]], *, fell: bool
) -> Iterator[Figure]:
    """Both accuracies at (rule, group) and what lies between: the fall, or what was gained."""
    rule, group = key
    before = [cell for cell, _ in pairs]
    after = [cell for _, cell in pairs]
    name = group.split(",")[0]
    yield tally.accuracy((f"accuracy, {TRUE}", rule, group), before, tally.mean(before))
    yield tally.accuracy((f"accuracy, {name}", rule, group), after, tally.mean(after))
    if fell:
        yield _difference((DROP, rule, group), before, after, shown=after)
    else:
        yield _difference((DIFFERENCE, rule, group), after, before, shown=after)


def _pairs(records: Sequence[Record], rule: str, name: str) -> list[tuple[Cell, Cell]]:
    true = {record.question.id: record for record in records if not record.variant}
    varied = [record for record in records if record.variant == name]
    return [
        (cell, other)
        for cell, other in zip(
            tally.cells(
                [true[_true_id(record)] for record in varied if _true_id(record) in true], rule
            ),
            tally.cells([record for record in varied if _true_id(record) in true], rule),
            strict=True,
        )
        if cell.value is not None and other.value is not None
    ]


def _difference(
    key: tuple[str, str, str], upper: Sequence[Cell], lower: Sequence[Cell], shown: Sequence[Cell]
) -> Figure:
    """``upper`` less ``lower``, question by question; failures are counted in ``shown``."""
    if not upper:
        return tally.figure(key, shown, value=None, note=tally.NOTHING)
    columns = np.array(
        [[(a.value or 0.0) - (b.value or 0.0), 1.0] for a, b in zip(upper, lower, strict=True)]
    )
    value = 100 * float(columns[:, 0].mean())
    clusters = [cell.cluster for cell in upper]
    bounds = tally.interval(columns, clusters, tally.ratio)
    if bounds is None and not columns[:, 0].any():
        # Resampling shows no spread: so many videos without a difference bound the share with one.
        most = 100 * tally.exact(0, len(set(clusters)))[1]
        bounds = (-most, most)
    return tally.figure(key, shown, value=value, bounds=bounds)


def _true_id(record: Record) -> str:
    return record.question.id.removesuffix(f"#{record.variant}")


def verdict(found: Sequence[Figure], rule: str) -> str:
    """What the drops under one rule say: text only, a bag of frames, or frames in their order.

    A drop counts when its interval lies above 0. Without a blind pass nothing is said.
    """
    falls = {
        figure.group: figure.low is not None and figure.low > 0
        for figure in found
        if figure.name == DROP and figure.rule == rule
    }
    if "blind" not in falls:
        return ""
    if not falls["blind"]:
        return "no sign that it watches: without the video it does as well"
    orders = [name for name in ("shuffle", "reverse") if name in falls]
    if not orders:
        return "it uses the video"
    if any(falls[name] for name in orders):
        return "it uses the video, and the order of its frames"
    return "it uses the video, but not the order of its frames"
