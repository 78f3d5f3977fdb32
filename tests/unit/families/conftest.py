"""Families beside transformers' processors of the same checkpoints."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeval import families
from edgeval.modelfolder import Manifest, ModelFile
from edgeval.modelfolder.published import NAMES
from edgeval.processor import NATIVE, ClipFacts, Processor, Setup
from edgeval.types import FramePlan, FrameRule, Picture, VideoInfo

FPS, N_SOURCE, STEP = 12.5, 400, 7
QUESTION = "These are frames.\nWhat happens?  First this.\nA. one\nB. two"
QWEN = ("qwen2_5_vl", "qwen2_vl", "qwen3_vl")
FIXED = ("internvl", "llava_onevision")
PROCESSORS = {
    "qwen2_vl": "Qwen2VLProcessor",
    "qwen2_5_vl": "Qwen2_5_VLProcessor",
    "qwen3_vl": "Qwen3VLProcessor",
    "internvl": "InternVLProcessor",
    "llava_onevision": "LlavaOnevisionProcessor",
}
Opener = Callable[..., Any]


def manifest_of(folder: Path, family: str) -> Manifest:
    """A checkpoint folder as a model of the family, without graphs."""
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
    """Our processor of a family's recorded checkpoint."""

    def open_as(family: str, protocol: str = NATIVE, max_pixels: int | None = None) -> Processor:
        manifest = manifest_of(shared / "e2e/ckpt" / family, family)
        setup = Setup(protocol=protocol, max_pixels=max_pixels)
        return families.load(family).opened(manifest, setup)

    return open_as


@pytest.fixture(scope="module")
def theirs(hf: None, shared: Path, family: str) -> Any:
    """Transformers' processor of the checkpoint of ``family``, which each file has its own of."""
    pytest.importorskip("torchvision")
    module = importlib.import_module(f"transformers.models.{family}.processing_{family}")
    kind = getattr(module, PROCESSORS[family])
    return kind.from_pretrained(shared / "e2e/ckpt" / family, local_files_only=True)


def video(n_frames: int, height: int, width: int) -> np.ndarray:
    """Noise, uint8 [T, H, W, 3]."""
    rng = np.random.default_rng(n_frames)
    return rng.integers(0, 256, (n_frames, height, width, 3), dtype=np.uint8)


def plan_of(n_frames: int, height: int, width: int) -> FramePlan:
    """Every seventh frame of a longer video."""
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
    indices = tuple(STEP * index for index in range(n_frames))
    return FramePlan(info=info, indices=indices, rule=FrameRule(how="indices", indices=indices))


def shrunk(ours: Processor, images: np.ndarray, *, still: bool = False) -> list[np.ndarray]:
    """Pictures as our processor makes them."""
    if not len(images):
        return []
    shrink = ours.shrinker(plan_of(*images.shape[:3]), still=still)
    return [shrink(Picture(planes=None, rgb=image)) for image in images]


def facts_of(images: list[np.ndarray], n_stills: int = 0) -> ClipFacts:
    """Of shrunk pictures of such a video, and stills behind them."""
    n_frames = len(images) - n_stills
    return ClipFacts(
        times_s=tuple(STEP * index / FPS for index in range(n_frames)) + (0.0,) * n_stills,
        duration_s=N_SOURCE / FPS,
        sizes=tuple(image.shape[:2] for image in images),
        n_stills=n_stills,
        fps=FPS,
        n_source=N_SOURCE,
    )


@dataclass(frozen=True)
class Theirs:
    """Transformers' processor of a family, asked."""

    processor: Any
    family: str

    def prompt(self, parts: list[dict[str, str]]) -> str:
        """The rendered template of one user turn."""
        text: str = self.processor.apply_chat_template(
            [{"role": "user", "content": parts}], add_generation_prompt=True
        )
        return text

    def of_video(self, images: np.ndarray) -> Any:
        """Tensors for uint8 frames [T, H, W, 3] and the question."""
        import torch

        parts = [{"type": "video"}, {"type": "text", "text": QUESTION}]
        told: dict[str, Any] = {}
        if self.family in QWEN:
            images, told = self._timed(images)
        return self.processor(
            text=self.prompt(parts),
            videos=[torch.from_numpy(images.transpose(0, 3, 1, 2).copy())],
            return_tensors="pt",
            **told,
        )

    def _timed(self, images: np.ndarray) -> tuple[np.ndarray, dict[str, Any]]:
        from transformers.video_utils import VideoMetadata

        indices = [STEP * index for index in range(len(images))]
        if self.family == "qwen3_vl" and len(images) == 1:
            # Theirs refuses one frame; ours repeats it, as both do with the last of an odd number.
            images, indices = images.repeat(2, axis=0), indices * 2
        metadata = VideoMetadata(
            total_num_frames=N_SOURCE, fps=FPS, duration=N_SOURCE / FPS, frames_indices=indices
        )
        cap = {} if self.family == "qwen3_vl" else {"cap_pixels_per_frame": True}
        return images, {"video_metadata": [metadata], "do_sample_frames": False, **cap}


@pytest.fixture(scope="module")
def asked(theirs: Any, family: str) -> Theirs:
    """Theirs, with the words that each family wants."""
    return Theirs(theirs, family)
