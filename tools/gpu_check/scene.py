"""What speed is measured on: checkpoint, model folders, clip, questions, and how often."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from edgeval.export.graphspec import Flavour
from gpu_check import checkpoint, clip, exporting
from gpu_check.checkpoint import SHAPES, Shape
from gpu_check.job import Job

QUESTIONS = tuple(f"Question {n}: which block moves faster, {n % 4} or {n % 3}?" for n in range(18))


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """Height and width of the clip, frames taken, tokens of a measured and of a short answer."""

    height: int
    width: int
    n_frames: int
    n_tokens: int
    n_short: int
    repeats: int


SIZES: Mapping[str, Size] = MappingProxyType(
    {
        "2b": Size(height=360, width=640, n_frames=16, n_tokens=128, n_short=16, repeats=5),
        "tiny": Size(height=84, width=112, n_frames=4, n_tokens=8, n_short=3, repeats=2),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """Where everything of it lies."""

    shape: Shape
    size: Size
    checkpoint: Path
    video: Path
    work: Path

    def model(self, flavour: Flavour) -> Path:
        """The model folder of a flavour, exported when it is first asked for."""
        folder = self.checkpoint.with_name(f"{self.checkpoint.name}-{flavour}-fp16")
        return exporting.model_folder(self.checkpoint, folder, flavour)


def scene(job: Job) -> Scene:
    """Everything but the model folders, made where it is not there from before."""
    work, size = Path(job.work), SIZES[job.size]
    shape = SHAPES[job.size]
    return Scene(
        shape=shape,
        size=size,
        checkpoint=checkpoint.make(shape, work / f"qwen2-vl-{job.size}"),
        video=clip.make(work, size.height, size.width),
        work=work,
    )
