"""InternVL and LLaVA-OneVision against transformers' processors: every pixel and token id."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeval import families
from edgeval.modelfolder import Manifest, ModelFile
from edgeval.processor import LMMS_EVAL, NATIVE, ClipFacts, Processor, Setup
from edgeval.published import NAMES
from edgeval.tokenizer import Tokenizer
from edgeval.types import FramePlan, FrameRule, Picture, VideoInfo

# (frames, height, width): landscape, portrait, odd sizes, one frame, an odd number, many.
CLIPS = ((4, 180, 320), (1, 321, 181), (3, 135, 241), (2, 512, 500), (33, 40, 64))
QUESTION = "These are frames.\nWhat happens?  First this.\nA. one\nB. two"
PIXELS = {"internvl": "pixel_values", "llava_onevision": "pixel_values_videos"}
Opener = Callable[..., Processor]


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
    def open_as(family: str, protocol: str = NATIVE) -> Processor:
        manifest = manifest_of(shared / "e2e/ckpt" / family, family)
        return families.load(family).opened(manifest, Setup(protocol=protocol))

    return open_as


@pytest.fixture(scope="module", params=sorted(PIXELS))
def family(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(scope="module")
def theirs(hf: None, shared: Path, family: str) -> Any:
    pytest.importorskip("torchvision")
    from transformers.models.internvl.processing_internvl import InternVLProcessor
    from transformers.models.llava_onevision.processing_llava_onevision import (
        LlavaOnevisionProcessor,
    )

    kinds = {"internvl": InternVLProcessor, "llava_onevision": LlavaOnevisionProcessor}
    folder = shared / "e2e/ckpt" / family
    return kinds[family].from_pretrained(folder, local_files_only=True)


def video(n_frames: int, height: int, width: int) -> np.ndarray:
    rng = np.random.default_rng(n_frames)
    return rng.integers(0, 256, (n_frames, height, width, 3), dtype=np.uint8)


def plan(images: np.ndarray) -> FramePlan:
    n_frames, height, width = images.shape[:3]
    info = VideoInfo(
        path=Path("noise.mp4"),
        n_frames=n_frames,
        fps=2.0,
        duration_s=n_frames / 2,
        width=width,
        height=height,
        rotation_deg=0,
        pix_fmt="yuv420p",
        codec="h264",
        pts_s=np.arange(n_frames) / 2,
    )
    return FramePlan(info=info, indices=tuple(range(n_frames)), rule=FrameRule(how="nested", n=1))


def asked(theirs: Any, images: np.ndarray, text: str) -> Mapping[str, Any]:
    """Their tensors for uint8 frames [T, H, W, 3] and a rendered prompt."""
    import torch

    tensor = torch.from_numpy(images.transpose(0, 3, 1, 2).copy())
    got: Mapping[str, Any] = theirs(text=text, videos=[tensor], return_tensors="pt")
    return {name: value.numpy() for name, value in got.items()}


def facts_of(n_frames: int) -> ClipFacts:
    times_s = tuple(index / 2 for index in range(n_frames))
    return ClipFacts(times_s=times_s, duration_s=n_frames / 2)


@pytest.mark.parametrize("size", CLIPS)
def test_pixels_and_token_ids_equal_transformers(shared, opened, theirs, family, size):
    images = video(*size)
    messages = [
        {"role": "user", "content": [{"type": "video"}, {"type": "text", "text": QUESTION}]}
    ]
    want = asked(theirs, images, theirs.apply_chat_template(messages, add_generation_prompt=True))
    ours = opened(family)
    shrink = ours.shrinker(plan(images))
    small = [shrink(Picture(planes=None, rgb=image)) for image in images]
    pixels = np.concatenate([np.asarray(feed["pixel_values"]) for feed in ours.feeds(small)])
    np.testing.assert_array_equal(pixels, want[PIXELS[family]].reshape(pixels.shape))
    tokenizer = Tokenizer(shared / "e2e/ckpt" / family / "tokenizer.json")
    ids = tokenizer.encode(ours.text(QUESTION, facts_of(len(images))).full)
    assert list(ids) == want["input_ids"][0].tolist()


def test_a_blind_prompt_equals_transformers(opened, theirs, family):
    messages = [{"role": "user", "content": [{"type": "text", "text": QUESTION}]}]
    want = theirs.apply_chat_template(messages, add_generation_prompt=True)
    assert opened(family).text(QUESTION, None).full == want


def test_lmms_evals_prompt_has_the_tokenizers_template(opened, theirs, family):
    if family == "internvl":
        messages: list[dict[str, Any]] = [
            {"role": "user", "content": [{"type": "video"}, {"type": "text", "text": QUESTION}]}
        ]
        want = theirs.apply_chat_template(messages, add_generation_prompt=True)
    else:
        messages = [{"role": "user", "content": f"<video>\n{QUESTION}"}]
        want = theirs.tokenizer.apply_chat_template(
            messages, tokenize=False, add_generation_prompt=True
        )
    assert opened(family, LMMS_EVAL).text(QUESTION, facts_of(2)).short == want
