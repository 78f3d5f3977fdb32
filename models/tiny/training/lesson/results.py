"""The page's results: each change on one lesson, on sixty, and in words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from edgeval.synth.nouns import TRACKS
from training.lesson.markdown import shown, table
from training.lesson.told import CHANGES, LIBRARY, Change

Row = Mapping[str, Any]
FOLDER = "pictures"


def strip_of(change: str) -> str:
    """The file of a change's strip of frames."""
    return f"lesson-{re.sub(r'[^a-z0-9]+', '-', change) or 'true'}.png"


def one_lesson(figures: Row) -> Iterator[str]:
    """What is changed and how, then the lesson's answers, a row a change."""
    changes = figures["changes"]
    yield "## What is changed"
    yield (
        "Each is `edgeval run videommmu` on all sixty lessons, with the options beside it. Frames "
        "are shown in the order in which the model gets them."
    )
    yield table(
        ["change", "asked by", "frames", "as the model gets them"],
        [
            [
                change.title,
                _asked_by(change),
                changes[change.name]["frames"],
                _strip(change, changes[change.name]),
            ]
            for change in CHANGES
        ],
    )
    yield "## What each change does to this lesson"
    yield (
        "With each answer its **margin**: at the token where the model says its letter, the logit "
        "of the right letter less that of the best other one. Above 0 the right letter was said; "
        "how far above, or below, is how settled the choice was. An answer without a letter that "
        "the rule reads has none. A right letter behind wrong steps is luck, which a score by "
        "letters cannot tell."
    )
    yield table(
        ["change", *TRACKS],
        [
            [
                change.title,
                *(_said(changes[change.name]["lesson"].get(track)) for track in TRACKS),
            ]
            for change in CHANGES
        ],
    )


def _asked_by(change: Change) -> str:
    return change.asked if change.asked == LIBRARY else f"`{change.asked}`"


def _strip(change: Change, row: Row) -> str:
    if not row["frames"]:
        return "none"
    if row["like"] != change.name:
        return "as above"
    slides = ", ".join(str(one) for one in row["slides"])
    told = f"of slides {slides}" if slides else "of the quiz slide"
    alt = f"{change.title}: {told}"
    return f"![{alt}]({FOLDER}/{strip_of(change.name)})"


def _said(row: Row | None) -> str:
    if row is None:
        return "not asked"
    verdict = "**right**" if row["value"] == 1 else "wrong"
    margin = "" if row["margin"] is None else f", {row['margin']:+.1f}"
    return f"{verdict}{margin}: {shown(row['said']) or 'nothing'}"


def sixty_lessons(figures: Row) -> Iterator[str]:
    """The scores of all sixty, a row a change, and what a guess gets."""
    changes = figures["changes"]
    yield "## What each change does to sixty lessons"
    yield (
        "Percent right of sixty questions a track, with 95 % intervals (whole videos resampled; "
        "exact binomial where all are alike). The fall is paired, question by question, over all "
        f"{changes['']['all']['n']} of them, over the sixty of adaptation where only these are "
        "asked."
    )
    guess = ["a guess", *(_percent(figures["guess"][track]) for track in TRACKS), ""]
    rows = [_scored(change, changes[change.name]) for change in CHANGES]
    yield table(["change", *TRACKS, "fall, points"], [*rows, guess])
    yield (
        "The last row is what guessing among the options gets, and the middle 95 % of guessers; "
        "an open question is never guessed. What `edgeval run` itself says of these: "
        f"{figures['verdict']}."
    )
    yield (
        "*By order* are the questions that nothing but the order of the frames tells, *by look-up* "
        "the others. *Margin* is the median over the answers that have one, their number in "
        "brackets. *Unread* answers had no form that the rule can read; they count as wrong. "
        "*Same* are those equal to the first row's, to the letter."
    )
    yield table(
        ["change", "by order", "by look-up", "margin", "unread", "same"],
        [_read(change, changes[change.name]) for change in CHANGES],
    )


def _scored(change: Change, row: Row) -> list[str]:
    tracks = [_percent(row["tracks"].get(track)) for track in TRACKS]
    return [change.title, *tracks, _points(row["drop"]) if row["drop"] else ""]


def _read(change: Change, row: Row) -> list[str]:
    parts = [row["order"], row["lookup"]]
    return [
        change.title,
        *(f"{_percent(part)}, n = {part['n']}" if part else "not asked" for part in parts),
        "" if row["margin"] is None else f"{row['margin']:+.1f} ({row['n_margin']})",
        str(row["unread"]),
        f"{row['same']} of {row['all']['n']}",
    ]


def _percent(row: Row | None) -> str:
    if row is None or row["value"] is None:
        return "not asked"
    if row["low"] is None:
        return f"{row['value']:.1f}"
    return f"{row['value']:.1f} ({row['low']:.1f} to {row['high']:.1f})"


def _points(row: Row) -> str:
    bounds = "" if row["low"] is None else f" ({row['low']:.1f} to {row['high']:.1f})"
    return f"{row['value']:.1f}{bounds}"


def each_change(figures: Row) -> Iterator[str]:
    """A paragraph a change."""
    yield "## What each shows, and what it does not"
    for change in CHANGES[1:]:
        row = figures["changes"][change.name]
        here = f"{_fell(row)}{_halves(figures['changes'][''], row)}"
        yield (
            f"**{change.title[0].upper()}{change.title[1:]}.** {change.shows} Here: {here}. "
            f"*It does not show:* {change.does_not[0].lower()}{change.does_not[1:]}"
        )


def _fell(row: Row) -> str:
    """The fall in words; one whose interval holds 0 is none that these lessons can show."""
    drop = row["drop"]
    said = _points(drop)
    if drop["low"] is None or drop["low"] <= 0 <= drop["high"]:
        return f"no fall that {drop['n']} questions could tell from none, {said} points"
    if drop["value"] < 0:
        return f"a rise, {said} points as a fall"
    return f"a fall of {said} points"


def _halves(true: Row, row: Row) -> str:
    """Both kinds of questions before and after, where the same ones were asked."""
    parts = [
        (name, true[key], row[key]) for name, key in (("order", "order"), ("look-up", "lookup"))
    ]
    if not all(before and after and before["n"] == after["n"] for _, before, after in parts):
        return ""
    told = (
        f"by {name} from {before['value']:.1f} to {after['value']:.1f} %"
        for name, before, after in parts
    )
    return f" ({', '.join(told)})"
