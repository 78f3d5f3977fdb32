"""Folders in the layout that onnx-community and transformers.js publish.

Told apart by what their graphs take.

Source: the file names of onnx-community repositories and transformers.js 3 (dtypes.js: suffix of
each precision).
"""

from __future__ import annotations

from pathlib import Path

from edgeval.errors import ManifestError
from edgeval.modelfolder import (
    GRAPHS,
    REQUIRED_ROLES,
    Manifest,
    ModelFile,
    Variant,
    onnxfile,
)
from edgeval.modelfolder.text import read_json

NAMES = {
    "config": ("config.json",),
    "generation": ("generation_config.json",),
    "processor": ("processor_config.json",),
    "preprocessor": ("preprocessor_config.json",),
    "video_preprocessor": ("video_preprocessor_config.json",),
    "tokenizer": ("tokenizer.json",),
    "tokenizer_config": ("tokenizer_config.json",),
    "template": ("chat_template.jinja", "chat_template.json"),
}
# In the order tried: a folder may hold several files of one precision.
SUFFIXES = {
    "fp32": ("",),
    "fp16": ("_fp16",),
    "int8": ("_int8", "_quantized", "_uint8"),
    "q4": ("_q4", "_bnb4"),
    "q4f16": ("_q4f16",),
}
MASKED, GRID = ("pixel_values", "pixel_attention_mask"), ("pixel_values", "grid_thw")
IMAGE_GRID = ("pixel_values", "image_grid_thw")
# What the vision graph of a family takes; the config's model_type tells those apart that share it.
VISION_INPUTS = {
    "smolvlm": (MASKED,),
    "idefics3": (MASKED,),
    "qwen2_vl": (GRID, IMAGE_GRID),
    "qwen2_5_vl": (IMAGE_GRID, GRID),
    "qwen3_vl": (IMAGE_GRID, GRID),
    "llava_onevision": (("pixel_values",),),
    "internvl": (("pixel_values",),),
}
FAMILY_OF = {"idefics3": "smolvlm"}


def detect(folder: Path) -> Manifest:
    """The folder as a Manifest with nothing promised.

    ManifestError when it is not in the layout.
    """
    files = {
        role: ModelFile(path=folder / name)
        for role, names in NAMES.items()
        for name in reversed(names)
        if (folder / name).is_file()
    }
    if missing := [role for role in REQUIRED_ROLES if role not in files]:
        raise ManifestError(
            f"model {folder}: no manifest.toml and no {NAMES[missing[0]][0]}; wants a folder of "
            f"`edgeval export` "
            "or one in the onnx-community layout"
        )
    variants = {name: found for name in SUFFIXES if (found := _variant(folder, name)) is not None}
    if not variants:
        raise ManifestError(
            f"model {folder}: no onnx/{{{','.join(GRAPHS)}}}.onnx of one precision; export it first"
        )
    first = next(iter(variants))
    return Manifest(
        folder=folder,
        name=folder.resolve().name,
        family=_family(variants[first], read_json(files["config"].path)),
        source=str(folder),
        licence="unknown",
        default=first,
        files=files,
        image={},
        video={},
        variants=variants,
        declared=False,
    )


def _variant(folder: Path, precision: str) -> Variant | None:
    graphs: dict[str, ModelFile] = {}
    for role in GRAPHS:
        for suffix in SUFFIXES[precision]:
            path = folder / "onnx" / f"{role}{suffix}.onnx"
            if path.is_file():
                graphs[role] = ModelFile(path=path)
                graphs |= {
                    f"{role}_data": ModelFile(path=data)
                    for data in [path.with_name(path.name + "_data")]
                    if data.is_file()
                }
                break
    if any(role not in graphs for role in GRAPHS):
        return None
    operators = {node.op for node in onnxfile.read(graphs["decoder_model_merged"].path).nodes}
    flavour = "ort" if operators & {"GroupQueryAttention", "MatMulNBits"} else "plain"
    return Variant(precision=precision, flavour=flavour, graphs=graphs)


def _family(variant: Variant, config: dict[str, object]) -> str:
    graph = onnxfile.read(variant.graphs["vision_encoder"].path)
    kind = config.get("model_type")
    takes = sorted(graph.inputs)
    # No other family masks its pixels, and some folders come with a config of another name.
    if takes == sorted(MASKED):
        return "smolvlm"
    known = VISION_INPUTS.get(str(kind), ())
    if any(takes == sorted(ports) for ports in known):
        return FAMILY_OF.get(str(kind), str(kind))
    wants = "; ".join(
        f"{name}: {' or '.join(', '.join(ports) for ports in options)}"
        for name, options in VISION_INPUTS.items()
    )
    raise ManifestError(
        f"model {graph.path.parent.parent}: got model_type {kind!r} and a vision graph that takes "
        f"{', '.join(graph.inputs) or 'nothing'}; wants one of these: {wants}"
    )
