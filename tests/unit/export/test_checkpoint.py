"""Which checkpoints are opened, and which are refused before anything of them is run."""

from __future__ import annotations

import json

import pytest

from edgeval.errors import EngineError, ManifestError
from edgeval.export import checkpoint


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "smolvlm"}), "utf-8")
    return tmp_path


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.pt", "weights.pkl"])
def test_pickled_weights_are_refused(folder, name):
    (folder / name).write_bytes(b"\x80\x04.")
    with pytest.raises(ManifestError, match=f"pickle weights .{name}"):
        checkpoint.load(folder)


def test_a_checkpoint_without_weights_says_so(folder):
    with pytest.raises(ManifestError, match=r"wants model\.safetensors"):
        checkpoint.load(folder)


def test_a_folder_that_is_no_checkpoint_says_so(tmp_path):
    with pytest.raises(ManifestError, match=r"no config\.json"):
        checkpoint.load(tmp_path)


def test_another_model_type_is_named(folder):
    (folder / "config.json").write_text('{"model_type": "bert"}', "utf-8")
    with pytest.raises(ManifestError, match=r"bert.*wants smolvlm or"):
        checkpoint.load(folder)


@pytest.mark.parametrize("text", ["", "[1]", "{"])
def test_a_config_that_is_no_object_is_named(folder, text):
    (folder / "config.json").write_text(text, "utf-8")
    with pytest.raises(ManifestError, match="JSON"):
        checkpoint.load(folder)


def test_broken_safetensors_are_one_sentence(folder, hf):
    (folder / "model.safetensors").write_bytes(b"\xff" * 64)
    with pytest.raises(ManifestError, match="cannot be loaded"):
        checkpoint.load(folder)


def test_a_missing_package_names_the_extra(folder, monkeypatch):
    (folder / "model.safetensors").write_bytes(b"")
    find_spec = checkpoint.importlib.util.find_spec
    monkeypatch.setattr(
        checkpoint.importlib.util,
        "find_spec",
        lambda name: None if name == "onnxscript" else find_spec(name),
    )
    with pytest.raises(EngineError, match=r"onnxscript.* not installed; run pip install"):
        checkpoint.check(folder)
