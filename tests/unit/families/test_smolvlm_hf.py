"""SmolVLM against transformers' own processor on real clips: every pixel, every token id."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeval import frames as frame_rules
from edgeval.chat.tokenizer import Tokenizer
from edgeval.families.smolvlm import SmolVLM, open_smolvlm
from edgeval.media.decode import decode
from edgeval.media.probe import probe
from edgeval.pixels import to_rgb
from edgeval.processor import ClipFacts
from edgeval.types import FrameRule, Frames, Picture

from .conftest import manifest_of

CLIPS = (
    "askanything_hitting_baseball.mp4",
    "decord_flipping_a_pancake.mkv",
    "imageio_realshort.mp4",
    "internvideo_example1.mp4",
    "llavanext_jobs.mp4",
    "mmaction2_demo.mp4",
    "moviepy_big_buck_bunny_0_30.webm",
    "pllava_cooking.mp4",
    "sevila_demo1.mp4",
    "torchcodec_nasa_13013.mp4",
    "videollama_boat.mp4",
    "videollava_sample_demo_3.mp4",
)
QUESTION = "\nWhat happens?  First this, then that.\nA. one\nB. two"


def seen(path: Path, shrink: Any, n: int = 3) -> Frames:
    plan = frame_rules.plan(probe(path), FrameRule(how="linspace_floor", n=n))
    return decode(plan, shrink=shrink, workers=1)


@pytest.fixture(scope="module")
def checkpoint(shared: Path) -> Path:
    return shared / "e2e/ckpt/smolvlm"


def opened(folder: Path) -> SmolVLM:
    """Our processor of a checkpoint folder."""
    return open_smolvlm(manifest_of(folder, "smolvlm"))


@pytest.fixture(scope="module")
def ours(checkpoint: Path) -> SmolVLM:
    return opened(checkpoint)


@pytest.fixture(scope="module")
def theirs(hf, checkpoint: Path) -> Iterator[Any]:
    pytest.importorskip("torchvision")
    from transformers.models.smolvlm.processing_smolvlm import SmolVLMProcessor

    return SmolVLMProcessor.from_pretrained(checkpoint, local_files_only=True)


def asked(theirs: Any, frames: Frames, images: np.ndarray) -> dict[str, Any]:
    """Their tensors for uint8 frames [T, H, W, 3] and a question."""
    import torch
    from transformers.video_utils import VideoMetadata

    info = frames.plan.info
    metadata = VideoMetadata(
        total_num_frames=info.n_frames,
        fps=info.fps,
        duration=info.duration_s,
        frames_indices=list(frames.plan.indices),
        height=images.shape[1],
        width=images.shape[2],
    )
    video = torch.from_numpy(images.transpose(0, 3, 1, 2).copy())
    messages = [
        {"role": "user", "content": [{"type": "video"}, {"type": "text", "text": QUESTION}]}
    ]
    text = theirs.apply_chat_template(messages, add_generation_prompt=True)
    return theirs(
        text=text,
        videos=[video],
        video_metadata=[metadata],
        do_sample_frames=False,
        return_tensors="np",
        add_special_tokens=False,
    )


@pytest.mark.parametrize("name", CLIPS)
def test_pixels_and_token_ids_equal_transformers(shared, checkpoint, ours, theirs, name):
    path = shared / "videos/real" / name
    whole = seen(path, to_rgb)
    want = asked(theirs, whole, np.stack(whole.pixels))
    small = seen(path, ours.shrink)
    got = [feeds["pixel_values"] for feeds in ours.feeds(small.pixels)]
    np.testing.assert_array_equal(np.concatenate(got, axis=1), want["pixel_values"])
    info = small.plan.info
    facts = ClipFacts(
        times_s=tuple(index / info.fps for index in small.plan.indices),
        duration_s=info.duration_s,
    )
    tokenizer = Tokenizer(checkpoint / "tokenizer.json", bos_token="<|im_start|>")
    ids = tokenizer.encode(ours.text(QUESTION, facts).full)
    assert list(ids) == want["input_ids"][0].tolist()


def test_a_blind_prompt_equals_transformers(ours, theirs, checkpoint):
    messages = [{"role": "user", "content": [{"type": "text", "text": QUESTION}]}]
    want = theirs.apply_chat_template(
        messages, add_generation_prompt=True, tokenize=True, return_dict=False
    )
    tokenizer = Tokenizer(checkpoint / "tokenizer.json", bos_token="<|im_start|>")
    assert list(tokenizer.encode(ours.text(QUESTION, None).full)) == np.ravel(want).tolist()


@pytest.mark.parametrize(("size", "sampled"), [({"longest_edge": 300}, 200), (None, 200)])
def test_the_first_resize_takes_the_size_that_transformers_takes(hf, tmp_path, size, sampled):
    pytest.importorskip("torchvision")
    import torch
    from transformers.models.smolvlm.video_processing_smolvlm import SmolVLMVideoProcessor

    table = {
        "image_mean": [0.5, 0.4, 0.3],
        "image_std": [0.5, 0.25, 0.2],
        "resample": 3,
        "max_image_size": {"longest_edge": 128},
        "video_sampling": {"fps": 1, "max_frames": 4, "video_size": {"longest_edge": sampled}},
        **({"size": size} if size else {}),
    }
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(table), "utf-8")
    config = {"scale_factor": 1, "vision_config": {"image_size": 128, "patch_size": 64}}
    (tmp_path / "config.json").write_text(json.dumps(config), "utf-8")
    ours = opened(tmp_path)
    image = np.random.default_rng(4).integers(0, 256, (150, 260, 3), dtype=np.uint8)
    theirs = SmolVLMVideoProcessor(**table)
    want = theirs(
        videos=[torch.from_numpy(image.transpose(2, 0, 1)[None].copy())],
        do_sample_frames=False,
        return_tensors="np",
    )["pixel_values"]
    (got,) = ours.feeds([ours.shrink(Picture(planes=None, rgb=image))])
    np.testing.assert_array_equal(got["pixel_values"], want)
