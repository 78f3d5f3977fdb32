"""The Qwen-VL families against transformers' processors: every pixel, token id and position."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeval import families
from edgeval.chat.tokenizer import Tokenizer
from edgeval.errors import VideoError
from edgeval.modelfolder import Manifest, ModelFile
from edgeval.modelfolder.published import NAMES
from edgeval.processor import LMMS_EVAL, NATIVE, ClipFacts, Setup, Talk
from edgeval.qwenvl.processor import QwenVL
from edgeval.types import FramePlan, FrameRule, Picture, Turn, VideoInfo

# (frames, height, width): landscape, portrait, odd sizes, an odd number, one frame, many.
CLIPS = ((4, 180, 320), (3, 240, 135), (5, 97, 333), (1, 61, 59), (33, 40, 64))
FPS, N_SOURCE = 12.5, 400
QUESTION = "These are frames.\nWhat happens?  First this.\nA. one\nB. two"
FAMILIES = ("qwen2_5_vl", "qwen2_vl", "qwen3_vl")
Opener = Callable[..., QwenVL]


def manifest_of(folder: Path, family: str) -> Manifest:
    files = {
        role: ModelFile(path=folder / name)
        for role, names in NAMES.items()
        for name in reversed(names)
        if (folder / name).is_file()
    }
    return Manifest(
        folder=folder,
        name="checkpoint",
        family=family,
        source="",
        licence="",
        default="fp32",
        files=files,
        image={},
        video={},
        variants={},
        declared=False,
    )


@pytest.fixture(scope="module")
def opened(shared: Path) -> Opener:
    def open_as(family: str, protocol: str = NATIVE, max_pixels: int | None = None) -> QwenVL:
        manifest = manifest_of(shared / "e2e/ckpt" / family, family)
        setup = Setup(protocol=protocol, max_pixels=max_pixels)
        processor = families.load(family).opened(manifest, setup)
        assert isinstance(processor, QwenVL)
        return processor

    return open_as


@pytest.fixture(scope="module", params=FAMILIES)
def family(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(scope="module")
def theirs(hf: None, shared: Path, family: str) -> Any:
    pytest.importorskip("torchvision")
    import importlib

    kind = {
        "qwen2_vl": "Qwen2VLProcessor",
        "qwen2_5_vl": "Qwen2_5_VLProcessor",
        "qwen3_vl": "Qwen3VLProcessor",
    }[family]
    module = importlib.import_module(f"transformers.models.{family}.processing_{family}")
    return getattr(module, kind).from_pretrained(
        shared / "e2e/ckpt" / family, local_files_only=True
    )


def video(n_frames: int, height: int, width: int) -> np.ndarray:
    rng = np.random.default_rng(n_frames)
    return rng.integers(0, 256, (n_frames, height, width, 3), dtype=np.uint8)


def plan_of(n_frames: int, height: int, width: int) -> FramePlan:
    info = VideoInfo(
        path=Path("noise.mp4"),
        n_frames=N_SOURCE,
        fps=FPS,
        duration_s=N_SOURCE / FPS,
        width=width,
        height=height,
        rotation_deg=0,
        pix_fmt="yuv420p",
        codec="h264",
        pts_s=np.arange(N_SOURCE) / FPS,
    )
    indices = tuple(7 * index for index in range(n_frames))
    return FramePlan(info=info, indices=indices, rule=FrameRule(how="indices", indices=indices))


def small(ours: QwenVL, images: np.ndarray) -> list[np.ndarray]:
    shrink = ours.shrinker(plan_of(*images.shape[:3]))
    return [shrink(Picture(planes=None, rgb=image)) for image in images]


def facts_of(images: list[np.ndarray], n_stills: int = 0) -> ClipFacts:
    n_frames = len(images) - n_stills
    return ClipFacts(
        times_s=tuple(7 * index / FPS for index in range(n_frames)) + (0.0,) * n_stills,
        duration_s=N_SOURCE / FPS,
        sizes=tuple(image.shape[:2] for image in images),
        n_stills=n_stills,
        fps=FPS,
        n_source=N_SOURCE,
    )


def asked(theirs: Any, family: str, images: np.ndarray) -> Mapping[str, Any]:
    """Their tensors for uint8 frames [T, H, W, 3] and a question."""
    import torch
    from transformers.video_utils import VideoMetadata

    indices = [7 * index for index in range(len(images))]
    if family == "qwen3_vl" and len(images) == 1:
        # Theirs refuses one frame; ours repeats it, as both do with the last of an odd number.
        images, indices = images.repeat(2, axis=0), indices * 2
    metadata = VideoMetadata(
        total_num_frames=N_SOURCE, fps=FPS, duration=N_SOURCE / FPS, frames_indices=indices
    )
    messages = [
        {"role": "user", "content": [{"type": "video"}, {"type": "text", "text": QUESTION}]}
    ]
    cap = {} if family == "qwen3_vl" else {"cap_pixels_per_frame": True}
    got: Mapping[str, Any] = theirs(
        text=theirs.apply_chat_template(messages, add_generation_prompt=True),
        videos=[torch.from_numpy(images.transpose(0, 3, 1, 2).copy())],
        video_metadata=[metadata],
        do_sample_frames=False,
        return_tensors="pt",
        **cap,
    )
    return got


@pytest.mark.parametrize("size", CLIPS)
def test_pixels_and_token_ids_equal_transformers(shared, opened, theirs, family, size):
    images = video(*size)
    want = asked(theirs, family, images)
    ours = opened(family)
    shrunk = small(ours, images)
    feeds = list(ours.feeds(shrunk))
    pixels = np.concatenate([np.asarray(feed["pixel_values"]) for feed in feeds])
    np.testing.assert_array_equal(pixels, want["pixel_values_videos"].numpy())
    grids = np.concatenate([np.asarray(feed["grid_thw"]) for feed in feeds])
    assert [grids[:, 0].sum(), *grids[0, 1:]] == want["video_grid_thw"][0].tolist()
    tokenizer = Tokenizer(shared / "e2e/ckpt" / family / "tokenizer.json")
    ids = tokenizer.encode(ours.text(QUESTION, facts_of(shrunk)).full)
    assert list(ids) == want["input_ids"][0].tolist()


def test_seconds_between_positions_equal_transformers(opened, theirs, family):
    images = video(5, 60, 60)
    ours = opened(family)
    facts = facts_of(small(ours, images))
    grid, _ = ours._grids(facts)
    run, *_ = ours.style.runs(facts, grid, ours.constants)
    want = asked(theirs, family, images).get("second_per_grid_ts", [None])[0]
    assert run.seconds == want


def test_a_blind_prompt_equals_transformers(opened, theirs, family):
    messages = [{"role": "user", "content": [{"type": "text", "text": QUESTION}]}]
    want = theirs.apply_chat_template(messages, add_generation_prompt=True)
    assert opened(family).text(QUESTION, None).full == want


def test_a_picture_is_sized_and_laid_as_in_transformers(opened, theirs, family):
    import torch

    image = video(1, 123, 211)
    tensor = torch.from_numpy(image[0].transpose(2, 0, 1).copy())
    want = theirs.image_processor(images=[tensor], return_tensors="pt")
    ours = opened(family)
    shrink = ours.shrinker(plan_of(1, 123, 211), still=True)
    (feed,) = ours.feeds([shrink(Picture(planes=None, rgb=image[0]))], n_stills=1)
    np.testing.assert_array_equal(feed["pixel_values"], want["pixel_values"].numpy())


def test_a_video_and_a_picture_stand_side_by_side(opened, family):
    ours = opened(family)
    images = [*small(ours, video(4, 60, 60)), np.zeros((64, 64, 3), np.uint8)]
    text = ours.text(QUESTION, facts_of(images, n_stills=1))
    assert "<|video_pad|><|vision_end|><|vision_start|><|image_pad|><|vision_end|>" in text.short
    c = ours.constants
    assert text.full.count("<|image_pad|>") == (64 // c.factor) ** 2


def test_turns_and_a_prefill_stand_where_the_template_has_them(opened, family):
    talk = Talk(
        system="Be brief.",
        history=(Turn(role="user", text="One?"), Turn(role="assistant", text="Two.")),
        prefill="<think>",
    )
    text = opened(family).text("Three?", None, talk).full
    assert text == (
        "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nOne?<|im_end|>\n"
        "<|im_start|>assistant\nTwo.<|im_end|>\n<|im_start|>user\nThree?<|im_end|>\n"
        "<|im_start|>assistant\n<think>"
    )


def test_a_largest_picture_is_kept_to(opened, family):
    most = 20_000
    for protocol in (NATIVE, LMMS_EVAL):
        ours = opened(family, protocol, most)
        height, width = small(ours, video(4, 180, 320))[0].shape[:2]
        assert height * width <= most


def test_lmms_evals_frames(opened, family):
    from edgeval import frames

    rule = opened(family, LMMS_EVAL).frame_rule()
    info = plan_of(1, 60, 60).info
    n_frames = {"qwen2_vl": 32, "qwen2_5_vl": 32, "qwen3_vl": 32}[family]
    got = frames.plan(info, rule).indices
    assert (len(got), got[0], got[-1]) == (n_frames, 0, N_SOURCE - 1)


@pytest.mark.parametrize(("n_frames", "want"), [(31, 30), (9, 8), (2, 2), (1, 1)])
def test_lmms_evals_frames_of_a_short_video(opened, n_frames, want):
    from edgeval import frames

    rule = opened("qwen2_5_vl", LMMS_EVAL).frame_rule()
    assert len(frames.indices(n_frames, FPS, n_frames / FPS, rule)) == want


def test_lmms_evals_qwen3_refuses_a_short_video(opened):
    from edgeval import frames

    rule = opened("qwen3_vl", LMMS_EVAL).frame_rule()
    with pytest.raises(VideoError, match="31 frames where this protocol takes 32"):
        frames.indices(31, FPS, 31 / FPS, rule)


# What lmms-eval 0.7.3 does not look at, by class.
@pytest.mark.parametrize(
    ("name", "suffix", "shown"),
    [
        ("qwen2_vl", ".mp4", True),
        ("qwen2_vl", ".mkv", False),
        ("qwen2_vl", ".webm", False),
        ("qwen2_5_vl", ".mkv", True),
        ("qwen2_5_vl", ".webm", False),
        ("qwen3_vl", ".webm", False),
    ],
)
def test_lmms_eval_does_not_look_at_every_container(opened, name, suffix, shown):
    conduct = opened(name, LMMS_EVAL).conduct
    assert conduct.shows(Path(f"clip{suffix}")) is shown
    assert opened(name).conduct.shows(Path(f"clip{suffix}"))
