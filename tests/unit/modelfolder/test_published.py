"""Folders as onnx-community publishes them, told by their graphs."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from edgeval.chat.template import read_template
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


SUFFIXES = ("_fp16", "_int8", "_uint8", "_quantized", "_q4", "_q4f16", "_bnb4")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_every_suffix_is_a_precision(folder, suffix):
    for role in ("vision_encoder", "embed_tokens", "decoder_model_merged"):
        path = folder / f"onnx/{role}{suffix}.onnx"
        path.unlink(missing_ok=True)
        path.write_bytes((folder / f"onnx/{role}.onnx").read_bytes())
    found = manifest.load(folder)
    variant = found.variant(suffix.removeprefix("_"))
    assert {file.path.stem.endswith(suffix) for file in variant.graphs.values()} == {True}
    assert found.default == "fp32"


def test_graphs_beside_the_other_files_are_found(folder):
    for path in (folder / "onnx").iterdir():
        path.rename(folder / path.name)
    (folder / "onnx").rmdir()
    found = manifest.load(folder)
    assert manifest.verify(found, found.variant(None))["decoder_model_merged.onnx"]


def test_what_is_there_instead_is_told(folder):
    (folder / "onnx/embed_tokens.onnx").rename(folder / "onnx/embed_tokens_fp16.onnx")
    with pytest.raises(ManifestError, match=r"among .*embed_tokens_fp16\.onnx"):
        manifest.load(folder)


def test_a_decoder_of_tokens_is_told_what_every_family_wants(folder):
    ports = b"".join(field(11, field(1, name)) for name in (b"input_ids", b"attention_mask"))
    path = folder / "onnx/decoder_model_merged.onnx"
    path.unlink()
    path.write_bytes(field(7, ports + field(12, field(1, b"logits"))))
    with pytest.raises(ManifestError, match=r"takes input_ids.*wants inputs_embeds"):
        manifest.load(folder)


@pytest.mark.parametrize(
    "held",
    [
        "{{ 1 }}",
        [{"name": "tool_use", "template": "x"}, {"name": "default", "template": "{{ 1 }}"}],
    ],
)
def test_a_template_in_the_tokenizers_config_is_found(folder, held):
    (folder / "chat_template.jinja").unlink()
    path = folder / "tokenizer_config.json"
    config = json.loads(path.read_text("utf-8"))
    path.unlink()
    path.write_text(json.dumps({**config, "chat_template": held}), "utf-8")
    assert read_template(manifest.load(folder).files["template"].path) == "{{ 1 }}"


def test_no_template_anywhere_is_no_template(folder):
    (folder / "chat_template.jinja").unlink()
    assert "template" not in manifest.load(folder).files
