"""Folders as onnx-community publishes them, told by their graphs."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from edgeval.errors import ManifestError
from edgeval.modelfolder import manifest


@pytest.fixture
def folder(tiny: Path, tmp_path: Path) -> Path:
    """The carried model without its manifest."""
    target = tmp_path / "published"
    shutil.copytree(tiny, target, copy_function=os.link)
    (target / manifest.FILE).unlink()
    return target


def field(number: int, payload: bytes) -> bytes:
    """One length-delimited protobuf field of at most 127 bytes."""
    return bytes([number << 3 | 2, len(payload)]) + payload


def graph_with_inputs(*names: str) -> bytes:
    inputs = b"".join(field(11, field(1, name.encode())) for name in names)
    return field(7, inputs + field(12, field(1, b"image_features")))


def test_the_family_is_told_by_the_vision_graph(folder):
    assert manifest.load(folder).family == "smolvlm"


def test_every_complete_precision_is_there_and_fp32_leads(folder):
    found = manifest.load(folder)
    shutil.copy(folder / "onnx/vision_encoder.onnx", folder / "onnx/vision_encoder_fp16.onnx")
    assert found.default == "fp32"
    assert "fp16" not in found.variants


def test_the_flavour_is_told_by_the_operators(folder):
    variants = manifest.load(folder).variants
    assert variants["fp32"].flavour == "plain"


def test_nothing_is_promised(folder):
    assert {file.sha256 for file in manifest.load(folder).all_files()} == {""}


@pytest.mark.parametrize(
    ("kind", "inputs"),
    [
        ("internvl", ("pixel_values",)),
        ("llava_onevision", ("pixel_values",)),
        ("qwen2_vl", ("pixel_values", "grid_thw")),
        ("qwen2_5_vl", ("image_grid_thw", "pixel_values")),
        ("qwen3_vl", ("pixel_values", "image_grid_thw")),
    ],
)
def test_families_of_alike_graphs_are_told_by_the_config(folder, kind, inputs):
    put(folder, kind, inputs)
    assert manifest.load(folder).family == kind


@pytest.mark.parametrize(
    ("kind", "inputs"),
    [("internvl", ("pixel_values", "grid_thw")), ("llama", ("pixel_values",)), ("qwen2_vl", ())],
)
def test_a_graph_of_no_family_is_told_what_each_takes(folder, kind, inputs):
    put(folder, kind, inputs)
    with pytest.raises(ManifestError, match=rf"got model_type '{kind}'.*internvl: pixel_values"):
        manifest.load(folder)


def put(folder: Path, kind: str, inputs: tuple[str, ...]) -> None:
    """Another config and vision graph in the place of the folder's, which are links."""
    files = {
        "onnx/vision_encoder.onnx": graph_with_inputs(*inputs),
        "config.json": json.dumps({"model_type": kind}).encode(),
    }
    for name, content in files.items():
        (folder / name).unlink()
        (folder / name).write_bytes(content)


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json"])
def test_a_missing_file_is_named(folder, name):
    (folder / name).unlink()
    with pytest.raises(ManifestError, match=name):
        manifest.load(folder)


def test_a_folder_without_graphs_says_so(folder):
    shutil.rmtree(folder / "onnx")
    with pytest.raises(ManifestError, match="export it first"):
        manifest.load(folder)


def test_a_vision_graph_that_is_not_onnx_says_so(folder):
    path = folder / "onnx/vision_encoder.onnx"
    path.unlink()
    path.write_bytes(b"<html>not found</html>")
    with pytest.raises(ManifestError, match="not an ONNX file"):
        manifest.load(folder)
