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
# The first that a folder has is its default. What transformers.js calls q8 is "quantized".
SUFFIXES = {
    "fp32": "",
    "fp16": "_fp16",
    "int8": "_int8",
    "quantized": "_quantized",
    "uint8": "_uint8",
    "q4": "_q4",
    "q4f16": "_q4f16",
    "bnb4": "_bnb4",
}
# Older repositories have the template in there.
TOKENIZER_CONFIG = "tokenizer_config.json"
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
    files = files_of(folder)
    if missing := [role for role in REQUIRED_ROLES if role not in files]:
        raise ManifestError(
            f"model {folder}: no manifest.toml and no {NAMES[missing[0]][0]}; wants a folder of "
            f"`edgeval export` "
            "or one in the onnx-community layout"
        )
    variants = {name: found for name in SUFFIXES if (found := _variant(folder, name)) is not None}
    if not variants:
        raise ManifestError(
            f"model {folder}: no onnx/{{{','.join(GRAPHS)}}}.onnx of one precision among "
            f"{_graph_names(folder)}; export it first"
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


def files_of(folder: Path) -> dict[str, ModelFile]:
    """The files of a published folder or of a checkpoint, by role."""
    files = {
        role: ModelFile(path=folder / name)
        for role, names in NAMES.items()
        for name in reversed(names)
        if (folder / name).is_file()
    }
    config = folder / TOKENIZER_CONFIG
    if "template" not in files and config.is_file() and read_json(config).get("chat_template"):
        files["template"] = ModelFile(path=config)
    return files


def _graph_names(folder: Path) -> str:
    """What graphs are there instead, in a few words."""
    names = sorted(path.name for path in graph_folder(folder).glob("*.onnx"))
    return ", ".join(names[:12]) + (" ..." if len(names) > 12 else "") or "no graphs at all"


def graph_folder(folder: Path) -> Path:
    """Where the graphs are: in onnx/, or beside the other files where there is no such folder."""
    return folder / "onnx" if (folder / "onnx").is_dir() else folder


def _variant(folder: Path, precision: str) -> Variant | None:
    graphs: dict[str, ModelFile] = {}
    for role in GRAPHS:
        path = graph_folder(folder) / f"{role}{SUFFIXES[precision]}.onnx"
        if not path.is_file():
            return None
        graphs[role] = ModelFile(path=path)
        data = path.with_name(path.name + "_data")
        if data.is_file():
            graphs[f"{role}_data"] = ModelFile(path=data)
    decoder = onnxfile.read(graphs["decoder_model_merged"].path)
    _check_decoder(decoder)
    operators = {node.op for node in decoder.nodes}
    flavour = "ort" if operators & {"GroupQueryAttention", "MatMulNBits"} else "plain"
    return Variant(precision=precision, flavour=flavour, graphs=graphs)


def _check_decoder(graph: onnxfile.Graph) -> None:
    """ManifestError for a decoder that no family has: without a cache, or of tokens."""
    past = [name for name in graph.inputs if name.startswith("past_key_values.")]
    if "inputs_embeds" not in graph.inputs or "logits" not in graph.outputs or not past:
        raise ManifestError(
            f"graph {graph.path}: got a decoder that takes {_few(graph.inputs)} and gives "
            f"{_few(graph.outputs)}; every family wants inputs_embeds, attention_mask, "
            "past_key_values.N.key and .value, may take position_ids, num_logits_to_keep and "
            "use_cache_branch, and gives logits and present.N.key and .value"
        )


def _few(names: tuple[str, ...]) -> str:
    return (
        ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")
        or "nothing"
    )


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
        f"graph {graph.path}: got model_type {kind!r} and a vision graph that takes "
        f"{_few(graph.inputs)}; wants one of these: {wants}"
    )
