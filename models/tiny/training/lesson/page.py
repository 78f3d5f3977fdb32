"""The page, out of its figures and nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from training.lesson.markdown import fenced, filled, shown, table
from training.lesson.results import FOLDER, each_change, one_lesson, sixty_lessons
from training.lesson.told import CHANGES

Row = Mapping[str, Any]
FIGURES, PAGE = "lesson.json", "LESSON.md"
ENCODED, SEEN = "lesson-encoded.png", "lesson-seen.png"
COMMAND = "python models/tiny/picture.py -o docs"


def page(figures: Row) -> str:
    """All of it, as Markdown, prose in lines of one length."""
    parts = [
        *_opening(figures),
        *_shown(figures),
        *_seen(figures),
        *_sent(figures),
        *_asked(figures),
        *one_lesson(figures),
        *sixty_lessons(figures),
        *each_change(figures),
        *_missing(),
    ]
    return "\n\n".join(filled(part) for part in parts) + "\n"


def _opening(figures: Row) -> Iterator[str]:
    model, lesson = figures["model"], figures["lesson"]
    yield "# A lesson, what the model sees of it, and what changes its answers"
    yield (
        "One of the sixty generated lessons that the package carries, as the shipped model gets "
        f"it and answers it; then {len(CHANGES) - 1} changes to clip, prompt or weights, on this "
        "lesson and on all sixty. Every picture and figure here is made by one command from what "
        "ships (in a checkout, after `pip install '.[cpu]'`):"
    )
    yield f"    {COMMAND}"
    yield (
        f"Model: `{model['name']}`, {model['precision']} unless said otherwise; sha256 of its "
        f"`manifest.toml` `{model['manifest_sha256']}`; {model['engine']}, one thread. Answers are "
        "greedy and scored under Video-MMMU's rule `official`. On another processor or onnxruntime "
        "the last digits of margins differ, and an answer may where two tokens are as good as tied."
    )
    chosen = (
        ", one of the kind whose three answers all lie in the *order* of its slides. It was chosen "
        "because the model, undisturbed, gets all three right, so that each change shows"
    )
    yield (
        f"The lesson is that of seed {lesson['seed']}{chosen if _all_right(figures) else ''}. It "
        "is an example; the table of sixty is the measurement."
    )


def _all_right(figures: Row) -> bool:
    told = figures["changes"][""]["lesson"].values()
    return figures["lesson"]["kind"] == "steps" and all(one["value"] == 1 for one in told)


def _shown(figures: Row) -> Iterator[str]:
    lesson = figures["lesson"]
    frames = lesson["frames"]
    yield "## The lesson"
    seconds = ", ".join(f"{one['second']:g}" for one in frames)
    what = "; ".join(f"{one['slide']}: {one['shows']}" for one in frames)
    yield (
        f"`{lesson['video']}`, {lesson['bytes']:,} bytes of H.264, 24 seconds, twelve slides of "
        f"two seconds. The model's frame rule takes {len(frames)} frames, at {seconds} s:"
    )
    yield f"![The frames of the lesson as encoded, row by row. {what}.]({FOLDER}/{ENCODED})"


def _seen(figures: Row) -> Iterator[str]:
    model, lesson = figures["model"], figures["lesson"]
    side, tokens = model["square"], model["tokens"]
    yield "## What the model sees"
    yield (
        f"Each frame becomes a square of {side} x {side} pixels, and the square {tokens} tokens. "
        "Here they are pixel by pixel, twice as large, with a gap where the part of one token "
        "meets that of the next. A token begins as its part, but attention in the vision tower "
        "lets it know of the whole square, and what it comes to say need not be about its own part:"
    )
    yield (
        f"![The same frames as squares of {side} pixels, each parted in {tokens}: colours and "
        f"shapes are plain, words hardly.]({FOLDER}/{SEEN})"
    )
    yield (
        "Training pulls image tokens towards the embeddings of words ([TRAINING.md](TRAINING.md)), "
        "so one can ask of each which word of the vocabulary it is nearest to, by cosine. The "
        "decoder does not do this; it gets the vectors. The table shows what of a slide has got "
        "through the vision tower. It does not show what the decoder makes of it."
    )
    yield table(
        ["second", "slide", "what is on it", "nearest words"],
        [
            [
                f"{one['second']:g}",
                one["slide"],
                shown(one["shows"]),
                ", ".join(shown(word) or "(space)" for word in one["words"]),
            ]
            for one in lesson["frames"]
        ],
    )


def _sent(figures: Row) -> Iterator[str]:
    lesson, questions = figures["lesson"], figures["questions"]
    first = questions[0]
    yield "## What is sent"
    counts = "; ".join(f"{one['track']} {one['tokens']}" for one in questions)
    yield (
        f"Tokens of the whole prompt: {counts}. Of these {first['pictures']} are image tokens, "
        f"and the first {first['shared']}, which are the same for all three questions, are "
        "computed once. The tokenizer has the family's fixed phrases as single tokens, which is "
        "why so much text is so few of them. All that comes before the question:"
    )
    yield fenced(lesson["sent"].rsplit("<end_of_utterance>", 1)[0].rstrip())
    yield "And the first question behind it, to the end:"
    yield fenced(first["prompt"].split("<video>")[-1].strip())


def _asked(figures: Row) -> Iterator[str]:
    yield "## What is asked"
    answers = figures["changes"][""]["lesson"]
    yield table(
        ["track", "question", "options", "right", "the model says"],
        [
            [
                one["track"],
                shown(one["text"], 200),
                shown("; ".join(_lettered(one["choices"])), 400) or "none, open",
                one["answer"],
                shown(answers[one["track"]]["said"]),
            ]
            for one in figures["questions"]
        ],
    )


def _lettered(choices: Sequence[str]) -> list[str]:
    return [f"{letter}. {text}" for letter, text in zip("ABCDEFGHIJ", choices, strict=False)]


def _missing() -> Iterator[str]:
    yield "## What `edgeval` has no option for"
    yield (
        "- To cut a clip. *First half* and *quiz image away* are asked through the library: "
        "`Clip.segment_s`, which LongVideoBench and MVBench use for their questions, on clips "
        "handed to `edgeval.run.steps` (`models/tiny/training/lesson/asking.py`).\n"
        "- Another wording of the benchmark's own question. `--prompting` adds words to it, and "
        "`edgeval list promptings` has the ways; the question itself is the benchmark's, byte for "
        "byte.\n"
        "- The margin. A record keeps the eight largest logits behind the prompt; the letter comes "
        "some tokens later, so the page listens to the decoder itself."
    )
    yield (
        "`tests/unit/training/test_lesson.py` fails when another model ships and this page is not "
        "made again, when the page does not say what its figures "
        f"([{FIGURES}]({FOLDER}/{FIGURES})) say, and when this lesson, asked again, gets other "
        "answers."
    )
