"""Which checkpoints can be exported: one entry a model_type, told without importing torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass

from edgeval import families, fixedframe, mrope
from edgeval.families import internvl, llava_onevision
from edgeval.families.smolvlm.constants import IMAGE_KEYS, VIDEO_KEYS, constants
from edgeval.fixedframe import FixedFrame
from edgeval.modelfolder import Manifest
from edgeval.processor import DEFAULT


@dataclass(frozen=True, slots=True, kw_only=True)
class Tables:
    """What the manifest says of pixels and of videos; empty where the copied files say it."""

    image: Mapping[str, object]
    video: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Exporter:
    """How one model_type becomes graphs.

    ``model_class``: "module:Class" of transformers; ``module``: where ``graphs`` and
    ``fixed_inputs`` are; ``tables``: from a checkpoint seen as a model folder, raising
    ManifestError for what the family cannot read; ``copied``: roles of files that go along besides
    those that always do.
    """

    family: str
    model_class: str
    module: str
    tables: Callable[[Manifest], Tables]
    copied: tuple[str, ...] = ()


def _smolvlm_tables(manifest: Manifest) -> Tables:
    values = asdict(constants(manifest))
    return Tables(
        image={key: values[key] for key in IMAGE_KEYS},
        video={key: values[key] for key in VIDEO_KEYS if values[key] is not None},
    )


def _qwen_tables(manifest: Manifest) -> Tables:
    families.load(manifest.family).opened(manifest, DEFAULT)
    return Tables(image={}, video={"positions": mrope.V5})


def _frame_tables(known: Callable[[Manifest], FixedFrame]) -> Callable[[Manifest], Tables]:
    def tables(manifest: Manifest) -> Tables:
        values = asdict(known(manifest))
        return Tables(
            image={key: values[key] for key in fixedframe.IMAGE_KEYS},
            video={key: values[key] for key in fixedframe.VIDEO_KEYS if values[key] is not None},
        )

    return tables


def _smolvlm(name: str, model_class: str) -> Exporter:
    return Exporter(
        family="smolvlm",
        model_class=f"transformers.models.{name}.modeling_{name}:{model_class}",
        module="edgeval.export.smolvlm",
        tables=_smolvlm_tables,
    )


def _framed(name: str, model_class: str, known: Callable[[Manifest], FixedFrame]) -> Exporter:
    return Exporter(
        family=name,
        model_class=f"transformers.models.{name}.modeling_{name}:{model_class}",
        module=f"edgeval.export.{name}",
        tables=_frame_tables(known),
        copied=("processor", "preprocessor"),
    )


def _qwen(name: str, model_class: str) -> Exporter:
    return Exporter(
        family=name,
        model_class=f"transformers.models.{name}.modeling_{name}:{model_class}",
        module=f"edgeval.export.{name}",
        tables=_qwen_tables,
        copied=("processor", "preprocessor", "video_preprocessor"),
    )


EXPORTERS: Mapping[str, Exporter] = {
    "smolvlm": _smolvlm("smolvlm", "SmolVLMForConditionalGeneration"),
    "idefics3": _smolvlm("idefics3", "Idefics3ForConditionalGeneration"),
    "internvl": _framed("internvl", "InternVLForConditionalGeneration", internvl.known),
    "llava_onevision": _framed(
        "llava_onevision", "LlavaOnevisionForConditionalGeneration", llava_onevision.known
    ),
    "qwen2_vl": _qwen("qwen2_vl", "Qwen2VLForConditionalGeneration"),
    "qwen3_vl": _qwen("qwen3_vl", "Qwen3VLForConditionalGeneration"),
    "qwen2_5_vl": _qwen("qwen2_5_vl", "Qwen2_5_VLForConditionalGeneration"),
}
