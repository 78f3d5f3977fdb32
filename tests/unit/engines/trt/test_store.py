"""Engines on disk: found by what they were made from, loaded only as they were built."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from edgeval.engines.trt import profiles, store
from edgeval.engines.trt.store import Identity
from edgeval.errors import EngineError

IDENTITY = Identity(
    graph="decoder",
    files={"decoder.onnx": "ab", "decoder.onnx_data": "cd"},
    library="tensorrt",
    version="10.3.0",
    sm=87,
    device="Orin",
)
CHANGES = {
    "graph": "vision",
    "files": {"decoder.onnx": "ab", "decoder.onnx_data": "ce"},
    "library": "tensorrt_rtx",
    "version": "10.3.1",
    "sm": 86,
    "device": "Orin Nano",
}


@pytest.fixture
def root(tmp_path) -> Path:
    return store.folder(tmp_path / "engines")


@pytest.fixture
def wanted(plain):
    from edgeval.engines.trt import rows

    return lambda context: profiles.decoder_profiles(rows.ports(plain)[0], context)


def saved(root: Path, identity: Identity, made, content: bytes = b"engine") -> store.Stored:
    draft = root / "draft"
    draft.write_bytes(content)
    return store.save(root, identity, made, draft)


def test_the_folder_is_for_this_user_alone(root):
    assert root.stat().st_mode & 0o777 == 0o700


def test_a_folder_that_others_write_to_is_refused(root):
    root.chmod(0o777)
    with pytest.raises(EngineError, match="chmod 700"):
        store.folder(root)


def test_an_engine_is_found_again_and_is_the_same(root, wanted):
    saved(root, IDENTITY, wanted(2048))
    found = store.find(root, IDENTITY, wanted(2048))
    assert store.load(found) == b"engine"


def test_a_longer_engine_serves_a_shorter_need_and_not_the_reverse(root, wanted):
    longer = saved(root, IDENTITY, wanted(4096))
    assert store.find(root, IDENTITY, wanted(2048)) == longer
    assert store.find(root, IDENTITY, wanted(8192)) is None


def test_the_smallest_that_fits_is_taken(root, wanted):
    saved(root, IDENTITY, wanted(8192))
    smaller = saved(root, IDENTITY, wanted(4096))
    assert store.find(root, IDENTITY, wanted(2048)) == smaller


@pytest.mark.parametrize("field", CHANGES)
def test_an_engine_made_from_anything_else_is_not_found(root, wanted, field):
    saved(root, IDENTITY, wanted(2048))
    other = dataclasses.replace(IDENTITY, **{field: CHANGES[field]})
    assert store.find(root, other, wanted(2048)) is None


@pytest.mark.parametrize("field", CHANGES)
def test_the_key_changes_with_everything(wanted, field):
    other = dataclasses.replace(IDENTITY, **{field: CHANGES[field]})
    assert store.key(other, wanted(64)) != store.key(IDENTITY, wanted(64))


def test_the_key_changes_with_the_profiles(wanted):
    assert store.key(IDENTITY, wanted(64)) != store.key(IDENTITY, wanted(65))


@pytest.mark.parametrize("change", ["system", "machine", "making", "flags"])
def test_a_sidecar_of_another_system_or_making_is_not_used(root, wanted, change):
    made = saved(root, IDENTITY, wanted(2048))
    sidecar = made.path.with_suffix(".json")
    said = json.loads(sidecar.read_text("utf-8"))
    sidecar.write_text(json.dumps({**said, change: "other"}), "utf-8")
    assert store.find(root, IDENTITY, wanted(2048)) is None


def test_a_changed_engine_is_not_loaded(root, wanted):
    made = saved(root, IDENTITY, wanted(2048))
    made.path.write_bytes(b"engine and more")
    with pytest.raises(EngineError, match="not the engine that was built"):
        store.load(made)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"profiles": 1}', "null"])
def test_a_sidecar_that_says_nothing_is_passed_over(root, wanted, content):
    made = saved(root, IDENTITY, wanted(2048))
    made.path.with_suffix(".json").write_text(content, "utf-8")
    assert store.find(root, IDENTITY, wanted(2048)) is None


def test_an_engine_without_its_sidecar_is_not_found(root, wanted):
    saved(root, IDENTITY, wanted(2048)).path.with_suffix(".json").unlink()
    assert store.find(root, IDENTITY, wanted(2048)) is None
