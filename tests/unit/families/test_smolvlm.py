"""SmolVLM's numbers, sizes and sentences, without Hugging Face's code at hand."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from num2words import num2words

from edgeval.errors import ManifestError
from edgeval.families.smolvlm import SmolVLM, first_size, open_smolvlm
from edgeval.families.smolvlm.words import in_words
from edgeval.modelfolder import Manifest, ModelFile
from edgeval.processor import ClipFacts, Talk
from edgeval.types import Turn

VIDEO = {
    "image_mean": [0.5, 0.5, 0.5],
    "image_std": [0.25, 0.5, 0.5],
    "resample": 1,
    "max_image_size": {"longest_edge": 384},
    "video_sampling": {"fps": 1, "max_frames": 64, "video_size": {"longest_edge": 512}},
}
CONFIG = {"scale_factor": 3, "vision_config": {"image_size": 384, "patch_size": 14}}

Opener = Callable[..., SmolVLM]


@pytest.fixture
def opened(tmp_path: Path) -> Opener:
    """Open a checkpoint made of these files."""

    def open_with(**files: dict[str, object]) -> SmolVLM:
        paths = {}
        for role, content in {"config": CONFIG, **files}.items():
            path = tmp_path / f"{role}.json"
            path.write_text(json.dumps(content), "utf-8")
            paths[role] = ModelFile(path=path)
        return open_smolvlm(
            Manifest(
                folder=tmp_path,
                name="m",
                family="smolvlm",
                source="s",
                licence="l",
                default="fp32",
                files=paths,
                image={},
                video={},
                variants={},
                declared=False,
            )
        )

    return open_with


def test_tokens_of_a_frame_are_counted_from_the_config(opened):
    assert opened(preprocessor=VIDEO).constants.tokens == 81


def test_tokens_of_a_frame_are_the_processors_where_it_says(opened):
    processor = {"image_seq_len": 64, "video_processor": VIDEO}
    assert opened(processor=processor).constants.tokens == 64


def test_a_size_of_its_own_wins_over_that_of_the_sampling(opened):
    assert (
        opened(preprocessor=VIDEO | {"size": {"longest_edge": 1536}}).constants.longest_edge == 1536
    )


def test_the_processors_video_part_wins_over_older_files(opened):
    other = VIDEO | {"max_image_size": {"longest_edge": 512}}
    model = opened(processor={"video_processor": other}, preprocessor=VIDEO)
    assert model.constants.square == 512


def test_the_frame_rule_has_the_checkpoints_numbers(opened):
    rule = opened(preprocessor=VIDEO).frame_rule()
    assert (rule.how, rule.fps, rule.max_n) == ("smolvlm", 1.0, 64)


def test_a_checkpoint_without_a_rate_says_what_to_do(opened):
    without = {key: value for key, value in VIDEO.items() if key != "video_sampling"}
    model = opened(preprocessor=without | {"size": {"longest_edge": 384}})
    with pytest.raises(ManifestError, match="name a frame rule"):
        model.frame_rule()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"resample": 0}, "got resample 0"),
        ({"image_mean": [0.5]}, "wants three numbers"),
        ({"max_image_size": {}}, "got square = None"),
        ({"do_resize": False}, "do_resize"),
        ({"rescale_factor": 1.0}, "rescale_factor"),
        ({"video_sampling": {"fps": 0, "max_frames": 4, "video_size": {"longest_edge": 8}}}, "fps"),
    ],
)
def test_a_senseless_constant_is_named(opened, change, message):
    with pytest.raises(ManifestError, match=message):
        opened(preprocessor=VIDEO | change)


def test_a_checkpoint_without_processor_files_names_them(opened):
    with pytest.raises(ManifestError, match=r"preprocessor_config\.json"):
        opened()


@pytest.mark.parametrize(
    ("height", "width", "edge", "size"),
    [
        (336, 592, 512, (290, 512)),
        (592, 336, 512, (512, 290)),
        (720, 1280, 512, (288, 512)),
        (64, 64, 64, (64, 64)),
        (1, 4000, 512, (1, 512)),
        (100, 100, 9999, (4096, 4096)),
    ],
)
def test_the_first_size_keeps_the_aspect_with_an_even_side(height, width, edge, size):
    assert first_size(height, width, edge) == size


def test_a_video_prompt_tells_frames_times_and_length(opened):
    model = opened(processor={"image_seq_len": 2, "video_processor": VIDEO})
    text = model.text("Why?", ClipFacts(times_s=(0.4, 61.9), duration_s=3723.9))
    image = "<fake_token_around_image><global-img><image><image><fake_token_around_image>"
    assert text.full == (
        "<|im_start|>User: You are provided the following series of two frames from a 1:02:03 "
        f"[H:MM:SS] video.\n\nFrame from 00:00:{image}\nFrame from 01:01:{image}\n\n"
        "Why?<end_of_utterance>\nAssistant:"
    )


def test_a_placeholder_in_the_question_stays_text(opened):
    model = opened(preprocessor=VIDEO)
    text = model.text("<video>?", ClipFacts(times_s=(0.0,), duration_s=1.0))
    assert text.full.endswith("\n\n<video>?<end_of_utterance>\nAssistant:")


def test_a_blind_prompt_has_no_video(opened):
    text = opened(preprocessor=VIDEO).text("Why?", None)
    assert text.full == "<|im_start|>User: Why?<end_of_utterance>\nAssistant:"


@pytest.mark.parametrize(
    ("n", "words"),
    [
        (0, "zero"),
        (19, "nineteen"),
        (20, "twenty"),
        (64, "sixty-four"),
        (100, "one hundred"),
        (128, "one hundred and twenty-eight"),
        (1000, "one thousand"),
        (1001, "one thousand and one"),
        (1234, "one thousand, two hundred and thirty-four"),
        (20000, "twenty thousand"),
    ],
)
def test_numbers_in_words(n, words):
    assert in_words(n) == words


def test_words_equal_num2words():
    numbers = [*range(1300), *range(1300, 1_000_000, 7919)]
    assert [n for n in numbers if in_words(n) != num2words(n)] == []


def test_what_stands_around_a_question_is_in_the_prompt(opened):
    model = opened(preprocessor=VIDEO)
    facts = ClipFacts(
        times_s=(0.0, 1.0, 2.0), duration_s=3.0, captions=((1, "one"), (1, "two"), (3, "fin."))
    )
    talk = Talk(
        system="Watch.",
        history=(Turn(role="user", text="First?"), Turn(role="assistant", text="Yes.")),
        prefill="Best option:(",
    )
    text = model.text("Then?", facts, talk)
    assert text.short == (
        "<|im_start|>System: Watch.<end_of_utterance>\n"
        "User: <video>First?<end_of_utterance>\n"
        "Assistant: Yes.<end_of_utterance>\n"
        "User: Then?<end_of_utterance>\n"
        "Assistant: Best option:("
    )
    places = [
        text.full.index(part) for part in ("00:00:", "one", "two", "00:01:", "00:02:", "fin.")
    ]
    assert places == sorted(places)
