"""Model folders: found by name, believed only as far as their hashes hold."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from edgeval.errors import ManifestError, UnknownName
from edgeval.modelfolder import manifest


@pytest.fixture
def folder(tiny: Path, tmp_path: Path) -> Path:
    """The carried model, its large files linked, its manifest a copy of its own."""
    target = tmp_path / "copy"
    shutil.copytree(tiny, target, copy_function=os.symlink)
    text = (tiny / manifest.FILE).read_text("utf-8")
    (target / manifest.FILE).unlink()
    (target / manifest.FILE).write_text(text, "utf-8")
    return target


@pytest.fixture
def edit(folder: Path) -> Callable[[str, str], Path]:
    """Replace a piece of the manifest."""

    def change(old: str, new: str) -> Path:
        path = folder / manifest.FILE
        text = path.read_text("utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1), "utf-8")
        return folder

    return change


def own(folder: Path, name: str) -> Path:
    """A file of the copy that may be changed."""
    path = folder / name
    data = path.read_bytes()
    path.unlink()
    path.write_bytes(data)
    return path


def test_a_carried_model_is_found_by_name():
    assert (manifest.find("tiny") / manifest.FILE).is_file()


def test_a_folder_is_found_by_its_path(folder):
    assert manifest.find(str(folder)) == folder


def test_an_unknown_name_gets_a_suggestion():
    with pytest.raises(UnknownName, match="did you mean tiny"):
        manifest.find("tinny")


@pytest.mark.parametrize("name", ["./nowhere", "/no/such/folder", Path("nowhere")])
def test_a_path_that_is_not_there_is_a_broken_model(name):
    with pytest.raises(ManifestError, match="no such folder"):
        manifest.find(name)


def test_carried_files_hold_what_was_promised(tiny):
    found = manifest.load(tiny)
    for variant in found.variants.values():
        manifest.verify(found, variant)


def test_a_precision_that_is_not_there_is_named(tiny):
    with pytest.raises(UnknownName, match="fp32"):
        manifest.load(tiny).variant("fp33")


def test_a_changed_file_breaks_its_promise(folder):
    path = own(folder, "onnx/embed_tokens.onnx")
    path.write_bytes(path.read_bytes()[:-1] + b"\x01")
    found = manifest.load(folder)
    with pytest.raises(ManifestError, match=r"embed_tokens\.onnx is not the file"):
        manifest.verify(found, found.variant(None))


def test_a_missing_graph_is_named(folder):
    (folder / "onnx/vision_encoder.onnx").unlink()
    with pytest.raises(ManifestError, match=r"vision_encoder\.onnx is missing"):
        manifest.load(folder)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("licence =", "license =", r"'license'; did you mean licence\? valid keys are schema"),
        ("[image]", "[images]", "did you mean image"),
        ("precision =", "precison =", "did you mean precision"),
        ("vision_encoder =", "vision_tower =", "valid are vision_encoder"),
        ("\nconfig =", "\nconfiguration =", "valid keys are config"),
        ("schema = 1", "schema = 9", "got schema 9; wants 1"),
        ('family = "smolvlm"', "family = 3", "got family = 3"),
        ('path = "config.json"', 'path = "../config.json"', "outside the model folder"),
        ('path = "config.json"', 'path = "/etc/hostname"', "outside the model folder"),
        ('path = "config.json", ', "", "path = None"),
        ('default = "fp32"', 'default = "int3"', "one of them the default"),
        ("schema = 1", "schema = ", "not TOML"),
        ('precision = "q4"', 'precision = "fp32"', "distinct precisions"),
    ],
)
def test_a_wrong_manifest_is_one_sentence(edit, old, new, message):
    folder = edit(old, new)
    with pytest.raises(ManifestError, match=message) as caught:
        manifest.load(folder)
    assert "\n" not in str(caught.value)
