"""docs/LESSON.md is of the model that ships, says what was measured, and comes out so again."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from training.lesson import asking, counted, drawing
from training.lesson.markdown import shown
from training.lesson.page import COMMAND, FIGURES, PAGE, SEEN, page
from training.lesson.results import FOLDER, strip_of

from edgeval.modelfolder import sha256
from edgeval.types import Generation, Question, Record, Score, Timing

FP32 = [run for run in asking.RUNS if "q4" not in run.words]
MOST_BYTES = 400_000
_IMAGE = re.compile(r"!\[([^\]]*)\]\(([^)]+)\)")


@pytest.fixture(scope="module")
def text(repo: Path) -> str:
    return (repo / "docs" / PAGE).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def figures(repo: Path) -> Mapping[str, Any]:
    found = json.loads((repo / "docs" / FOLDER / FIGURES).read_text(encoding="utf-8"))
    assert isinstance(found, dict)
    return found


@pytest.fixture(scope="module")
def again(figures: Mapping[str, Any]) -> list[asking.Answered]:
    """The lesson asked again, in every change but those of precision."""
    keep = figures["lesson"]["id"]
    return [
        one
        for number, run in enumerate(FP32)
        for one in asking.asking(run, keep=keep, only=True).answers
        if number == 0 or one.record.variant
    ]


def test_it_is_of_the_model_that_ships(text: str, figures: Mapping[str, Any]) -> None:
    told = f"another model ships than {PAGE} is about; run: {COMMAND}"
    assert figures["model"]["manifest_sha256"] == counted.model_sha256(), told
    assert counted.model_sha256() in text, told


def test_it_is_of_the_lesson_that_ships(repo: Path, figures: Mapping[str, Any]) -> None:
    lesson = figures["lesson"]
    video = repo / "edgeval" / "embedded" / "videommmu" / lesson["video"]
    assert sha256(video) == lesson["sha256"]


def test_it_says_what_its_figures_say(text: str, figures: Mapping[str, Any]) -> None:
    assert text == page(figures), f"after a change of words run: {COMMAND} --words"


def test_its_pictures_are_there_and_small_and_have_words(repo: Path, text: str) -> None:
    named = {path: alt for alt, path in _IMAGE.findall(text)}
    folder = repo / "docs" / FOLDER
    there = {f"{FOLDER}/{path.name}" for path in folder.glob("*.png")}
    assert there == named.keys()
    assert [path for path, alt in named.items() if len(alt) < 12] == []
    assert sum(path.stat().st_size for path in folder.iterdir()) <= MOST_BYTES


def test_its_pictures_are_what_the_model_gets(
    repo: Path, figures: Mapping[str, Any], again: list[asking.Answered]
) -> None:
    folder = repo / "docs" / FOLDER
    sights = {one.record.variant: one.sight for one in again if one.sight}
    whole = drawing.seen(sights[asking.TRUE].squares, figures["model"]["tokens"])
    assert np.array_equal(np.asarray(Image.open(folder / SEEN)), whole)
    strips = [name for name in sights if figures["changes"][name]["like"] == name]
    assert len(strips) > 8
    for name in strips:
        drawn = drawing.strip(sights[name].squares)
        assert np.array_equal(np.asarray(Image.open(folder / strip_of(name))), drawn), name


def test_the_lesson_asked_again_gets_the_same_answers(
    figures: Mapping[str, Any], again: list[asking.Answered]
) -> None:
    found: dict[str, dict[str, Any]] = {}
    for one in again:
        track = one.record.question.tags["track"]
        found.setdefault(one.record.variant, {})[track] = counted.answer(one)
    wanted = {name: row["lesson"] for name, row in figures["changes"].items() if name != "q4"}
    assert found.keys() == wanted.keys()
    for name, answers in wanted.items():
        for track, answer in answers.items():
            got = found[name][track]
            assert (got["said"], got["value"]) == (answer["said"], answer["value"]), (name, track)
            if answer["margin"] is None:
                assert got["margin"] is None, (name, track)
            else:
                assert got["margin"] == pytest.approx(answer["margin"], abs=0.05), (name, track)


def test_the_nearest_words_come_out_again(
    figures: Mapping[str, Any], again: list[asking.Answered]
) -> None:
    sight = next(one.sight for one in again if not one.record.variant)
    assert sight is not None
    told = [word for frame in figures["lesson"]["frames"] for word in frame["words"]]
    assert list(sight.words) == told


def test_every_change_was_asked_of_sixty_lessons(figures: Mapping[str, Any]) -> None:
    for name, row in figures["changes"].items():
        n = [track["n"] for track in row["tracks"].values()]
        assert n == ([60] if name == asking.QUESTION_ONLY else [60, 60, 60]), name


def test_what_a_model_says_stays_in_its_cell() -> None:
    said = shown("<b>a|b</b>\n`x` [y](z) ![p](q) *w* _v_ &lt; \\|", 200)
    assert not set(said) & set("<>|`[]*_!\n\\")
    assert "&#60;b&#62;a&#124;b" in said
    assert shown("www.x.y http://z a@b.c") == "www&#46;x&#46;y http&#58;&#47;&#47;z a&#64;b&#46;c"
    assert shown("after orange heart (A)") == "after orange heart (A)"
    assert len(shown("so on and " * 100)) < 80


class _Tokens:
    """Letters A to C are tokens 1 to 3 bare, 4 to 6 behind a space."""

    def id(self, token: str) -> int | None:
        names = ["A", "B", "C", "\u0120A", "\u0120B", "\u0120C"]
        return names.index(token) + 1 if token in names else None


def _record(said: tuple[int, ...], parsed: str, n_choices: int = 3) -> Record:
    question = Question(
        id="t:1",
        row_id="1",
        clip_id="c",
        task="t",
        text="?",
        answer="B",
        kind="choice" if n_choices else "open",
        choices=tuple("xyz"[:n_choices]),
    )
    return Record(
        question=question,
        setting="video",
        generation=Generation(text="", token_ids=said, stop="eos", timing=Timing()),
        scores={"official": Score(rule="official", value=0.0, parsed=parsed, status="scored")},
    )


@pytest.mark.parametrize(
    ("said", "parsed", "n_choices", "wanted"),
    [
        ((9, 2), "B", 3, 3.0),  # right: 5 less the best other's 2
        ((9, 1), "A", 3, 3.0),
        ((9, 5), "B", 3, -1.0),  # behind a space: 7 less 8
        ((1, 9), "B", 3, None),  # not the letter that the rule read
        ((9, 2), "B", 0, None),  # open
        ((9, 9), "orange", 3, None),
    ],
)
def test_a_margin_is_taken_where_the_letter_is_said(
    said: tuple[int, ...], parsed: str, n_choices: int, wanted: float | None
) -> None:
    logits = [
        np.array([9, 0, 0, 0, 0, 0, 0, 0, 0, 9.0]),
        np.array([9, 2, 5, 1, 8, 7, 6, 0, 0, 9.0]),
    ]
    floats = [one.astype(np.float32) for one in logits]
    record = _record(said, parsed, n_choices)
    assert asking.margin(record, floats, _Tokens()) == wanted  # type: ignore[arg-type]


def test_a_run_that_is_a_change_pairs_with_the_lessons_as_they_are() -> None:
    record = _record((1,), "A")
    renamed = replace(record.question, id="video_mmmu_adaptation_question_only:x")
    alone = replace(record, setting="question-only", question=renamed)
    found = asking.changed(alone, asking.QUESTION_ONLY)
    assert found.variant == asking.QUESTION_ONLY
    assert found.question.id == "video_mmmu_adaptation:x#question-only"
    assert asking.changed(record, asking.TRUE) == record
