"""InternVL and LLaVA-OneVision against transformers' processors: every pixel and token id."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeval import families
from edgeval.chat.tokenizer import Tokenizer
from edgeval.modelfolder import Manifest, ModelFile
from edgeval.modelfolder.published import NAMES
from edgeval.processor import LMMS_EVAL, NATIVE, ClipFacts, Processor, Setup
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


@pytest.fixture(scope="module")
def tiled(hf: None, shared: Path) -> Any:
    pytest.importorskip("torchvision")
    from transformers.models.internvl.processing_internvl import InternVLProcessor

    return InternVLProcessor.from_pretrained(shared / "e2e/ckpt/internvl", local_files_only=True)


Tiled = Callable[[tuple[int, int], int], tuple[Processor, list[np.ndarray], Any]]


@pytest.fixture(scope="module")
def beside(opened: Opener, tiled: Any) -> Tiled:
    """Ours, our pictures and their tensors: some frames, then a picture of the given sides."""
    import torch

    def make(sides: tuple[int, int], n_frames: int) -> tuple[Processor, list[np.ndarray], Any]:
        still, frames = video(1, *sides)[0], video(n_frames, 50, 70)
        parts: list[dict[str, str]] = [{"type": "video"}] if n_frames else []
        parts += [{"type": "image"}, {"type": "text", "text": QUESTION}]
        want = tiled(
            text=tiled.apply_chat_template(
                [{"role": "user", "content": parts}], add_generation_prompt=True
            ),
            images=[torch.from_numpy(still.transpose(2, 0, 1).copy())],
            videos=[torch.from_numpy(frames.transpose(0, 3, 1, 2).copy())] if n_frames else None,
            return_tensors="pt",
        )
        ours = opened("internvl")
        small = [ours.shrinker(plan(frames))(Picture(planes=None, rgb=one)) for one in frames]
        shrink = ours.shrinker(plan(still[None]), still=True)
        return ours, [*small, shrink(Picture(planes=None, rgb=still))], want

    return make


SIDES = ((448, 448), (300, 900), (721, 405), (1000, 1000), (60, 50), (90, 1400))


@pytest.mark.parametrize("sides", SIDES)
@pytest.mark.parametrize("n_frames", [0, 2])
def test_internvls_pictures_are_tiled_as_in_transformers(beside, sides, n_frames):
    ours, small, want = beside(sides, n_frames)
    pixels = np.concatenate([np.asarray(feed["pixel_values"]) for feed in ours.feeds(small)])
    np.testing.assert_array_equal(pixels, want["pixel_values"].numpy())


# A picture alone of one view is shown as a video of one frame, so only larger ones are here.
@pytest.mark.parametrize(
    ("sides", "n_frames"), [*((sides, 2) for sides in SIDES), ((300, 900), 0), ((90, 1400), 0)]
)
def test_internvls_pictures_are_told_as_in_transformers(shared, beside, sides, n_frames):
    ours, small, want = beside(sides, n_frames)
    facts = ClipFacts(
        times_s=(0.0,) * len(small),
        duration_s=1.0,
        sizes=tuple(one.shape[:2] for one in small),
        n_stills=min(n_frames, 1),
    )
    tokenizer = Tokenizer(shared / "e2e/ckpt/internvl/tokenizer.json")
    ids = tokenizer.encode(ours.text(QUESTION, facts).full)
    assert list(ids) == want["input_ids"][0].tolist()
