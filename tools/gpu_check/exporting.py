"""Graphs of a model in memory, without the proof on the CPU that ``edgeval export`` ends with."""

from __future__ import annotations

import importlib
import json
import shutil
from pathlib import Path
from typing import Any

import torch

from edgeval.engines import GraphFiles
from edgeval.export import graphfiles
from edgeval.export.checkpoint import load
from edgeval.export.exporters import EXPORTERS
from edgeval.export.folder import Precision
from edgeval.export.graphspec import Flavour
from edgeval.export.product import DEFAULT
from edgeval.export.ranges import Ranges, watched
from edgeval.modelfolder import Plain

NAMES = {"vision": "vision_encoder", "embed": "embed_tokens", "decoder": "decoder_model_merged"}
# What is whole has this file beside it.
DONE = "export.txt"


class Exporter:
    """Graphs of one model."""

    def __init__(self, model_type: str, network: Any, ranges: Ranges) -> None:
        self._module = importlib.import_module(EXPORTERS[model_type].module)
        self._network = network
        self._ranges = ranges

    def write(
        self, folder: Path, flavour: Flavour, precisions: tuple[Precision, ...]
    ) -> dict[Precision, dict[str, Plain]]:
        """``folder``/onnx of each precision, named as published folders name them.

        Gives what the exporter tells of each: for fp16, what stayed in float32.
        """
        told: dict[Precision, dict[str, Plain]] = {}
        names = {layer: name for name, layer in self._network.named_modules()}
        for precision in precisions:
            form = graphfiles.Form(
                precision=precision,
                flavour=flavour,
                settings=DEFAULT,
                ranges=self._ranges,
                names=names,
            )
            specs = self._module.graphs(self._network, flavour)
            told[precision] = graphfiles.write(folder / "onnx", specs, form).told
        return told


def graph_files(folder: Path, precision: Precision, threads: int | None = None) -> GraphFiles:
    """The graphs that ``Exporter.write`` wrote."""
    paths = {
        role: folder / "onnx" / f"{name}{graphfiles.SUFFIX[precision]}.onnx"
        for role, name in NAMES.items()
    }
    return GraphFiles(
        vision=paths["vision"], embed=paths["embed"], decoder=paths["decoder"], threads=threads
    )


def model_folder(checkpoint: Path, out: Path, flavour: Flavour) -> Path:
    """A model folder in float16 of a checkpoint, made once: in the published layout."""
    if (out / DONE).exists():
        return out
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    loaded = load(checkpoint)
    module = importlib.import_module(EXPORTERS[loaded.model_type].module)
    ranges = ranges_of(loaded.model, module.fixed_inputs(loaded.model))
    told = Exporter(loaded.model_type, loaded.model, ranges).write(out, flavour, ("fp16",))
    for path in checkpoint.iterdir():
        if path.suffix in (".json", ".jinja") and not path.name.endswith(".index.json"):
            shutil.copyfile(path, out / path.name)
    (out / DONE).write_text(json.dumps(told["fp16"]), "utf-8")
    return out


def told_of(folder: Path) -> object:
    """What the exporter told of a folder that ``model_folder`` made."""
    return json.loads((folder / DONE).read_text("utf-8"))


def ranges_of(network: Any, fixed: Any) -> Ranges:
    """How large numbers get on the fixed inputs: layers beyond float16 stay in float32."""
    with torch.no_grad(), watched(network) as ranges:
        network(input_ids=torch.tensor([fixed.prompt]), **fixed.torch)
    return ranges
