"""Opening a Hugging Face checkpoint.

Safetensors only, known model types only, no code from the folder.
"""

from __future__ import annotations

import importlib
import importlib.util
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgeval.errors import EngineError, ManifestError
from edgeval.export import sizes
from edgeval.export.exporters import EXPORTERS
from edgeval.modelfolder.numbers import brief
from edgeval.modelfolder.text import read_json

# What transformers and torch raise for a config or weights that they cannot use.
UNFIT = (
    *(OSError, ValueError, TypeError, AttributeError, LookupError, ArithmeticError),
    *(RuntimeError, AssertionError, NotImplementedError, MemoryError),
)
PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl")
PACKAGES = ("torch", "transformers", "onnx", "onnxscript", "safetensors")
PIP = "pip install 'edgeval[export]'"


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """A loaded checkpoint.

    ``model`` is the transformers module, eager attention, eval mode. It computes in float32; its
    large weights are as the file has them (edgeval/export/thin.py).
    """

    folder: Path
    model_type: str
    model: Any


def read_model_type(folder: Path) -> str:
    """The checkpoint's model_type.

    ManifestError when the folder is no checkpoint that can be exported.
    """
    config = folder / "config.json"
    if not config.is_file():
        raise ManifestError(
            f"checkpoint {folder}: no config.json; wants a Hugging Face checkpoint folder"
        )
    model_type = read_json(config).get("model_type")
    if not isinstance(model_type, str) or model_type not in EXPORTERS:
        raise ManifestError(
            f"checkpoint {config}: got model_type {brief(model_type)}; "
            f"wants {' or '.join(EXPORTERS)}"
        )
    return model_type


def check_weights(folder: Path) -> None:
    """ManifestError unless the weights are safetensors.

    A pickle runs code of its author when loaded.
    """
    if any(folder.glob("*.safetensors")):
        return
    pickles = sorted(path.name for pattern in PICKLES for path in folder.glob(pattern))
    if pickles:
        raise ManifestError(
            f"checkpoint {folder}: got pickle weights ({pickles[0]}), which can run code when "
            f"loaded; "
            "wants model.safetensors, so convert it where you trust it"
        )
    raise ManifestError(f"checkpoint {folder}: no weights; wants model.safetensors")


@contextmanager
def without_broken_torchvision() -> Iterator[None]:
    """Hide a torchvision that cannot load.

    transformers imports it on sight, and a CUDA build beside a CPU torch (what an unpinned install
    gives) raises; the graphs need none of it.
    """
    if importlib.util.find_spec("torchvision") is None:
        yield
        return
    try:
        importlib.import_module("torchvision")
    except (ImportError, RuntimeError, OSError):
        sys.modules["torchvision"] = None  # type: ignore[assignment]  # the documented way to block an import
        try:
            yield
        finally:
            del sys.modules["torchvision"]
    else:
        yield


def check(folder: Path) -> str:
    """The model_type of a checkpoint that can be exported here.

    ManifestError for the folder, EngineError for a package that is missing.
    """
    model_type = read_model_type(folder)
    check_weights(folder)
    if missing := [name for name in PACKAGES if importlib.util.find_spec(name) is None]:
        raise EngineError(f"export: {', '.join(missing)} not installed; run {PIP}")
    sizes.check(folder)
    return model_type


def load(folder: Path) -> Checkpoint:
    """Load a checkpoint on the CPU, to compute in float32.

    EngineError when torch or transformers is missing.
    """
    model_type = check(folder)
    module_name, class_name = EXPORTERS[model_type].model_class.split(":")
    try:
        with without_broken_torchvision():
            model_class = getattr(importlib.import_module(module_name), class_name)
            said = importlib.import_module("transformers.utils.logging")
        said.disable_progress_bar()
        said.set_verbosity(logging.CRITICAL)  # what matters of it is in the errors below
        broken_file = importlib.import_module("safetensors").SafetensorError
        broken_config = importlib.import_module("huggingface_hub.errors").StrictDataclassError
    except ImportError as error:
        raise EngineError(f"export: {error}; run {PIP}") from error
    try:
        _check_modules(model_class, folder)
        model, report = model_class.from_pretrained(
            folder,
            dtype="auto",
            attn_implementation="eager",
            use_safetensors=True,
            local_files_only=True,
            output_loading_info=True,
        )
    except (broken_file, broken_config, *UNFIT) as error:
        raise ManifestError(
            f"checkpoint {folder}: cannot be loaded: {_first_line(error)}"
        ) from error
    if report["missing_keys"]:
        raise ManifestError(
            f"checkpoint {folder}: its weights lack {len(report['missing_keys'])} tensors, "
            f"{min(report['missing_keys'])} among them"
        )
    model.eval().requires_grad_(requires_grad=False)
    importlib.import_module("edgeval.export.thin").thin(model, model.get_input_embeddings())
    return Checkpoint(folder=folder, model_type=model_type, model=model)


def _check_modules(model_class: Any, folder: Path) -> None:
    """ManifestError for a config of more than the weights, told by a model without memory."""
    torch = importlib.import_module("torch")
    config = model_class.config_class.from_pretrained(folder, local_files_only=True)
    with torch.device("meta"):
        sizes.check_modules(model_class(config), sizes.check(folder), folder)


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
