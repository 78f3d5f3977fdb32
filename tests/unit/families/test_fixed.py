"""InternVL's and LLaVA-OneVision's numbers, rules and prompts, without Hugging Face's code."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from edgeval import families, frames
from edgeval.errors import ArgumentError, ManifestError, VideoError
from edgeval.families.llava_onevision import LlavaOnevision
from edgeval.modelfolder import Manifest, ModelFile
from edgeval.processor import DEFAULT, LMMS_EVAL, NATIVE, ClipFacts, Processor, Setup, Talk
from edgeval.types import Turn, VideoInfo

VIDEO = {
    "image_mean": [0.5, 0.4, 0.3],
    "image_std": [0.25, 0.5, 0.5],
    "resample": 3,
    "size": {"height": 56, "width": 56},
}
PROCESSOR = {"image_seq_length": 2, "num_image_tokens": 9, "video_processor": VIDEO}
PARTS = (
    "{% for m in messages %}[{{ m.role }}]{% for part in m.content %}"
    "{{ '<video>\n' if part.type == 'video' }}{{ '<IMG_CONTEXT>\n' if part.type == 'image' }}"
    "{{ part.text if part.type == 'text' }}{% endfor %}{{ '\n' }}{% endfor %}{{ '[assistant]\n' }}"
)
TEXTS = "{% for m in messages %}({{ m.role }}) {{ m.content }}{{ '\n' }}{% endfor %}(assistant) "
NAMES = ("internvl", "llava_onevision")
Opener = Callable[..., Processor]


@pytest.fixture
def opened(tmp_path: Path) -> Opener:
    """Open a checkpoint made of these files."""

    def open_with(family: str, *, setup: Setup = DEFAULT, **files: dict[str, object]) -> Processor:
        template = tmp_path / "chat_template.json"
        template.write_text(json.dumps({"chat_template": PARTS}), "utf-8")
        paths = {"template": ModelFile(path=template)}
        texts = {"chat_template": TEXTS, "eos_token": "."}
        for role, content in {
            "config": {}, "processor": PROCESSOR, "tokenizer_config": texts, **files
        }.items():  # fmt: skip
            path = tmp_path / f"{role}.json"
            path.write_text(json.dumps(content), "utf-8")
            paths[role] = ModelFile(path=path)
        manifest = Manifest(
            folder=tmp_path,
            name="m",
            family=family,
            source="s",
            licence="l",
            default="fp32",
            files=paths,
            image={},
            video={},
            variants={},
            declared=False,
        )
        return families.load(family).opened(manifest, setup)

    return open_with


def video(n_frames: int) -> VideoInfo:
    return VideoInfo(
        path=Path("clip.mp4"),
        n_frames=n_frames,
        fps=25.0,
        duration_s=n_frames / 25,
        width=320,
        height=192,
        rotation_deg=0,
        pix_fmt="yuv420p",
        codec="h264",
        pts_s=np.arange(n_frames) / 25,
    )


def lmms() -> Setup:
    return Setup(protocol=LMMS_EVAL)


@pytest.mark.parametrize("family", NAMES)
def test_the_checkpoints_number_of_frames_wins_in_its_own_protocol(opened, family):
    video_of_12 = {**PROCESSOR, "video_processor": VIDEO | {"num_frames": 12}}
    rules = [
        opened(family, setup=Setup(protocol=protocol), processor=video_of_12).frame_rule()
        for protocol in (NATIVE, LMMS_EVAL)
    ]
    assert [rule.n for rule in rules] == [12, 32]


def test_internvl_never_sees_the_last_frame_of_a_long_video(opened):
    rule = opened("internvl", setup=lmms()).frame_rule()
    assert frames.plan(video(320), rule).indices[-1] == 315


@pytest.mark.parametrize("family", NAMES)
def test_only_the_own_protocol_obliges_a_benchmark(opened, family):
    conducts = [opened(family).conduct, opened(family, setup=lmms()).conduct]
    assert [conduct.obliging for conduct in conducts] == [True, False]


def test_a_short_video_gives_internvl_all_it_has(opened):
    assert frames.plan(video(3), opened("internvl").frame_rule()).indices == (0, 1, 2)


def test_a_video_too_short_for_lmms_evals_internvl_is_refused(opened):
    with pytest.raises(VideoError, match="takes 32 and no fewer"):
        frames.plan(video(3), opened("internvl", setup=lmms()).frame_rule())


def test_a_short_video_gives_llava_some_frames_twice(opened):
    indices = frames.plan(video(3), opened("llava_onevision").frame_rule()).indices
    assert (len(indices), set(indices)) == (32, {0, 1, 2})


@pytest.mark.parametrize(("suffix", "shown"), [(".mp4", True), (".mkv", True), (".webm", False)])
def test_lmms_evals_internvl_takes_webm_for_sound(opened, suffix, shown):
    assert opened("internvl", setup=lmms()).conduct.shows(Path("clip" + suffix)) is shown


@pytest.mark.parametrize("family", NAMES)
def test_frames_of_one_size_cannot_be_made_smaller(opened, family):
    with pytest.raises(ArgumentError, match="have one size"):
        opened(family, setup=Setup(max_pixels=100))


@pytest.mark.parametrize("family", NAMES)
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"resample": 0}, "got resample 0"),
        ({"image_std": [0.5]}, "wants three numbers"),
        ({"size": {"shortest_edge": 384}}, "got height = None"),
        ({"do_resize": False}, "do_resize"),
        ({"do_center_crop": True}, "do_center_crop"),
        ({"rescale_factor": 1.0}, "rescale_factor"),
        ({"num_frames": 0}, "n_frames = 0"),
    ],
)
def test_a_senseless_constant_is_named(opened, family, change, message):
    with pytest.raises(ManifestError, match=message):
        opened(family, processor={**PROCESSOR, "video_processor": VIDEO | change})


def test_internvl_numbers_its_frames_and_puts_captions_between(opened):
    facts = ClipFacts(times_s=(0.0, 1.0), duration_s=2.0, captions=((1, "one"), (2, "end")))
    view = "<img><IMG_CONTEXT><IMG_CONTEXT></img>"
    assert opened("internvl").text("Why?", facts).full == (
        f"[user]Frame1: {view}\none\nFrame2: {view}\nend\nWhy?\n[assistant]\n"
    )


def test_internvl_shows_a_picture_behind_the_video(opened):
    facts = ClipFacts(times_s=(0.0, 9.0), duration_s=9.0, n_stills=1)
    view = "<img><IMG_CONTEXT><IMG_CONTEXT></img>"
    assert opened("internvl").text("Why?", facts).full == (
        f"[user]Frame1: {view}\n{view}\nWhy?\n[assistant]\n"
    )


def test_llava_shows_four_tokens_a_frame_of_nine_and_one_newline(opened):
    text = opened("llava_onevision").text("Why?", ClipFacts(times_s=(0.0, 1.0), duration_s=2.0))
    assert text.full == "[user]" + "<video>" * 9 + "\nWhy?\n[assistant]\n"


def test_llava_says_captions_before_the_question(opened):
    facts = ClipFacts(times_s=(0.0,), duration_s=2.0, captions=((0, "one"), (1, "end")))
    text = opened("llava_onevision").text("Why?", facts)
    assert text.short == "[user]<video>\none\nend\nWhy?\n[assistant]\n"


def test_lmms_evals_llava_has_the_tokenizers_template(opened):
    text = opened("llava_onevision", setup=lmms()).text(
        "Why?", ClipFacts(times_s=(0.0,), duration_s=2.0)
    )
    assert text.short == "(user) <video>\nWhy?\n(assistant) "


def test_lmms_evals_llava_shows_no_video_to_a_question_that_names_an_image(opened):
    text = opened("llava_onevision", setup=lmms()).text(
        "<image>?", ClipFacts(times_s=(0.0,), duration_s=2.0)
    )
    assert text.full == "(user) <image>?\n(assistant) "


def test_lmms_evals_llava_wants_the_tokenizers_template(opened):
    with pytest.raises(ManifestError, match="use --protocol native"):
        opened("llava_onevision", setup=lmms(), tokenizer_config={"eos_token": "."})


@pytest.mark.parametrize("family", NAMES)
def test_what_stands_around_a_question_is_in_the_prompt(opened, family):
    talk = Talk(
        system="Watch.",
        history=(Turn(role="user", text="First?"), Turn(role="assistant", text="Yes.")),
        prefill="Best:(",
    )
    text = opened(family).text("Then?", ClipFacts(times_s=(0.0,), duration_s=1.0), talk)
    assert text.short == (
        "[system]Watch.\n[user]<video>\nFirst?\n[assistant]Yes.\n[user]Then?\n[assistant]\nBest:("
    )


def test_the_newline_stands_behind_the_last_frame(opened):
    llava = opened("llava_onevision")
    bites = [
        {"image_features": np.full((4, 2), n, np.float32), "image_newline": np.full((1, 2), 9.0)}
        for n in range(2)
    ]
    assert llava.gather(bites).rows[:, 0].tolist() == [0, 0, 0, 0, 1, 1, 1, 1, 9]


def test_a_vision_graph_without_newline_is_refused(opened):
    llava = opened("llava_onevision")
    assert isinstance(llava, LlavaOnevision)
    with pytest.raises(ManifestError, match="wants image_newline"):
        llava.gather([{"image_features": np.zeros((4, 2), np.float32)}])


@pytest.mark.parametrize("family", NAMES)
def test_frames_are_fed_in_bites(opened, family):
    images = [np.zeros((56, 56, 3), np.uint8)] * 321
    bites = [len(feed["pixel_values"]) for feed in opened(family).feeds(images)]
    assert bites == [320, 1]


@pytest.mark.parametrize("most", [0, "12", 65])
def test_a_senseless_number_of_tiles_is_named(opened, most):
    image = {"image_processor": {"max_patches": most}}
    with pytest.raises(ManifestError, match="max_patches"):
        opened("internvl", processor={**PROCESSOR, **image})
