"""Opening a Hugging Face checkpoint.

Safetensors only, known model types only, no code from the folder.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgeval.errors import EngineError, ManifestError
from edgeval.export.exporters import EXPORTERS

PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl")
PACKAGES = ("torch", "transformers", "onnx", "onnxscript", "safetensors")
PIP = "pip install 'edgeval[export]'"


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """A loaded checkpoint.

    ``model`` is the transformers module in float32, eager attention, eval mode.
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
    try:
        model_type = json.loads(config.read_text("utf-8")).get("model_type")
    except (UnicodeDecodeError, json.JSONDecodeError, AttributeError) as error:
        raise ManifestError(f"checkpoint {config}: not a JSON object ({error})") from error
    if model_type not in EXPORTERS:
        raise ManifestError(
            f"checkpoint {config}: got model_type {model_type!r}; wants {' or '.join(EXPORTERS)}"
        )
    return str(model_type)


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
def _without_broken_torchvision() -> Iterator[None]:
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
    return model_type


def load(folder: Path) -> Checkpoint:
    """Load a checkpoint in float32 on the CPU.

    EngineError when torch or transformers is missing.
    """
    model_type = check(folder)
    module_name, class_name = EXPORTERS[model_type].model_class.split(":")
    try:
        torch = importlib.import_module("torch")
        with _without_broken_torchvision():
            model_class = getattr(importlib.import_module(module_name), class_name)
            importlib.import_module("transformers.utils.logging").disable_progress_bar()
        broken_file = importlib.import_module("safetensors").SafetensorError
    except ImportError as error:
        raise EngineError(f"export: {error}; run {PIP}") from error
    try:
        model, report = model_class.from_pretrained(
            folder,
            dtype=torch.float32,
            attn_implementation="eager",
            use_safetensors=True,
            local_files_only=True,
            output_loading_info=True,
        )
    except (broken_file, OSError, ValueError, KeyError, RuntimeError) as error:
        raise ManifestError(
            f"checkpoint {folder}: cannot be loaded: {_first_line(error)}"
        ) from error
    if report["missing_keys"]:
        raise ManifestError(
            f"checkpoint {folder}: its weights lack {len(report['missing_keys'])} tensors, "
            f"{min(report['missing_keys'])} among them"
        )
    model.eval().requires_grad_(requires_grad=False)
    return Checkpoint(folder=folder, model_type=model_type, model=model)


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
