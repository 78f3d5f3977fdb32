"""Video-MMMU's prompts, byte for byte, against texts written out here."""

from __future__ import annotations

import pytest

from edgeval.benchmarks.videommmu import prompts, rows
from edgeval.types import Clip, Question

LEARN = "You should watch and learn the video content. Then apply what you learned to answer the "
AT_END = "question. The image for this question is at the end of the video.\n"
IGNORE = "\nPlease ignore the Quiz question in last frame of the video."


def _question(track: str, kind: str | None = "multiple-choice", *options: str) -> Question:
    row = {"id": "dev_Art_1", "track": track, "question": "What <image 1>?", "answer": "A"}
    return rows.question({**row, "question_type": kind, "options": list(options)})


def _said(setting: str, question: Question, transcript: str | None = None) -> str:
    clip = Clip(
        id="dev_Art_1",
        setting=setting,
        video=None,
        questions=(question,),
        transcript=transcript,
    )
    ask = prompts.ask(clip, question)
    assert ask.max_new_tokens == 1024
    return ask.text


@pytest.mark.parametrize("setting", ["video", "blind"])
@pytest.mark.parametrize("track", ["perception", "comprehension"])
def test_perception_and_comprehension(setting: str, track: str) -> None:
    question = _question(track, "multiple-choice", "red", "blue")
    assert _said(setting, question) == "What <image 1>?\nA. red\nB. blue" + IGNORE


@pytest.mark.parametrize("setting", ["video", "blind"])
def test_adaptation(setting: str) -> None:
    question = _question("adaptation", "multiple-choice", "red", "blue")
    want = LEARN + "following multi-choice " + AT_END + "What <image 1>?\nA. red\nB. blue"
    assert _said(setting, question) == want


@pytest.mark.parametrize("kind", ["open", None])
def test_an_open_adaptation_question_is_asked_without_options(kind: str | None) -> None:
    question = _question("adaptation", kind, "red", "blue")
    want = LEARN + "following open-ended " + AT_END + "What <image 1>?"
    assert _said("video", question) == want


@pytest.mark.parametrize(
    ("kind", "options", "want"),
    [
        ("multiple-choice", ("red", "blue"), "What <image 1>?\nA. red\nB. blue"),
        (None, ("red", "blue"), "What <image 1>?\nA. red\nB. blue"),
        ("open", (), "What <image 1>?\n"),
    ],
)
def test_the_question_alone(kind: str | None, options: tuple[str, ...], want: str) -> None:
    assert _said("question-only", _question("adaptation", kind, *options)) == want


def test_perception_with_transcript() -> None:
    question = _question("perception", "multiple-choice", "red", "blue")
    want = (
        "\nTranscript for the Video:\nso it goes\n\nQuestion for the video:\n"
        "What <image 1>?\nA. red\nB. blue" + IGNORE
    )
    assert _said("transcript", question, " so it goes\n") == want


@pytest.mark.parametrize(
    ("kind", "options", "lead", "tail"),
    [
        ("multiple-choice", ("red",), "following multi-choice ", "\nA. red"),
        ("open", (), "following open-ended ", "\n"),
    ],
)
def test_adaptation_with_transcript(
    kind: str, options: tuple[str, ...], lead: str, tail: str
) -> None:
    want = (
        LEARN + lead + AT_END + "\nTranscript for the Video:\n[Transcript not available]\n\n"
        "Question for the video:\nWhat <image 1>?" + tail
    )
    assert _said("transcript", _question("adaptation", kind, *options)) == want


@pytest.mark.parametrize(
    ("options", "want"),
    [
        (("A. red", "B. blue"), "A. red\nB. blue"),
        (("A. red", "blue"), "A. A. red\nB. blue"),
        (("A", "B"), "A. A\nB. B"),
        ((), ""),
    ],
)
def test_options_are_lettered_unless_all_are(options: tuple[str, ...], want: str) -> None:
    assert prompts.lettered(options) == want
